"""Carry out a person's decision about an incident, or refuse it. Pure.

Whether it is refused depends on the case, and on what the person was shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case import filing
from bypass_responder.case.account_state import compared_with, left_as_it_is
from bypass_responder.case.actor_ids import not_compared
from bypass_responder.case.control import renew
from bypass_responder.case.decision_refusal import refusal
from bypass_responder.case.evidence import known_of
from bypass_responder.case.plain_text import what_is_true
from bypass_responder.case.recorded_decision import log_decision, out_of_time, recorded_already, recorded_as, refuse
from bypass_responder.case.reminder import give_to
from bypass_responder.case.tasks import show
from bypass_responder.model.base import guid_or_none, latest
from bypass_responder.model.decision_message import Channel, DecisionKind, DecisionMessage
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident, Known, PersonDecision
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Severity
from bypass_responder.model.step import WAITING, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case

MOST_ROWS = 60
"""Of one transaction, which holds 100 rows with its log entries."""
_DONE = {
    DecisionKind.APPROVE: "Approved",
    DecisionKind.DISMISS: "Dismissed",
    DecisionKind.CLOSE: "Closed",
    DecisionKind.RELEASE: "Released",
}


def carry_out(
    draft: Draft, message: DecisionMessage, *, channel: Channel, enforce: bool, itself: Account | None = None
) -> PersonDecision:
    """Carry out or refuse a decision and record it with the reason. A recorded one is not repeated.

    ``itself``: the author's own account, as the directory has it.
    """
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    why = out_of_time(message, draft.now) or refusal(draft.case, message, enforce=enforce, itself=itself)
    if why:
        return refuse(draft, message, why, channel=channel)
    filing.take_back(draft, message.incident_id)
    incident = draft.case.incident(message.incident_id)
    kept = left_as_it_is(draft.case, incident, message.kind) if incident else ""
    unsure = not_compared(compared_with(draft.case, incident, message.kind) if incident else [], message.author.name)
    why = "; ".join(filter(None, (kept, unsure)))
    decision = recorded_as(draft, message, channel, outcome="carried_out", why=why)
    if needs_handing_on(draft.case, message):
        _resolve_elsewhere(draft, decision)
    else:
        {
            DecisionKind.APPROVE: _approve,
            DecisionKind.DISMISS: _dismiss,
            DecisionKind.CLOSE: _close_handled,
            DecisionKind.RELEASE: _release,
        }[message.kind](draft, decision)
    _notify_carried_out(draft, decision, unsure)
    filing.take_over(draft)
    return decision


def _notify_carried_out(draft: Draft, decision: PersonDecision, unsure: str) -> None:
    """Notify the others that somebody has decided: they need not decide again.

    ``unsure``: what was not checked.
    """
    incident = draft.case.incident(decision.incident_id)
    name = (incident.account or incident.target) if incident else draft.case.target
    now = what_is_true(incident, draft.case) if incident else ""
    check = f" Check it yourself: {unsure}." if unsure else ""
    draft.notify(
        "decision_carried_out",
        f"{_DONE[decision.verb]} by {decision.author.name}: {name}",
        f"{decision.who} decided: {decision.verb.value} incident {decision.incident_id}. {now}{check}",
        key=decision.id,
        severity=Severity.INFO,
        incident=decision.incident_id,
        left_to_do=(show(decision.incident_id),),
        reason=decision.reason,
    )


def needs_handing_on(case: Case, decision: DecisionMessage | PersonDecision) -> bool:
    """Return True when an approval names an unresolved target's account; its findings move there."""
    incident = case.incident(decision.incident_id)
    return incident is not None and incident.account is None and decision.account is not None


def _approve(draft: Draft, decision: PersonDecision) -> None:
    """Plan every step that waited; the protected list is still read at the claim."""
    for step in draft.case.steps(decision.incident_id):
        if step.approvable:
            draft.put(
                step.model_copy(
                    update={
                        "state": StepState.PLANNED,
                        "approved_by": decision.who,
                        "reason": f"approved by {decision.who}: {decision.reason}",
                        "attempts": 0,
                        "next_at": draft.now,
                        "effect": None,
                    }
                )
            )
            if step.step is not StepKind.DISABLE_BYPASS:
                renew(draft, step.step)
    give_to(draft, decision.incident_id, decision.author.name)
    log_decision(draft, decision, "approved", decision.reason)
    draft.settle_status(decision.incident_id)


def _dismiss(draft: Draft, decision: PersonDecision) -> None:
    """Cancel pending steps and close; completed ones are kept. The evidence that was shown is covered."""
    _cancel(draft, decision, WAITING | {StepState.PLANNED})
    _close(draft, decision, IncidentStatus.DISMISSED)
    log_decision(draft, decision, "dismissed", decision.reason)


def _close_handled(draft: Draft, decision: PersonDecision) -> None:
    """End an incident of which every step is done. The account stays blocked until a release."""
    _close(draft, decision, IncidentStatus.CLOSED)
    log_decision(draft, decision, "closed", decision.reason)


def _release(draft: Draft, decision: PersonDecision) -> None:
    """Restore the account's state from before our first block and end all its incidents. Auditing stays."""
    _want_auditing_only(draft, decision.incident_id, f"release by {decision.who}")
    log_decision(draft, decision, "release_planned", decision.reason)
    last = draft.case.opened_at(decision.incident_id)
    draft.move_head(released_through=latest(draft.case.head.released_through, last))
    renew(draft, StepKind.BLOCK_SIGN_IN)
    step = Step(
        incident_id=decision.incident_id,
        step=StepKind.RELEASE,
        state=StepState.PLANNED,
        reason=decision.reason,
        approved_by=decision.who,
        next_at=draft.now,
    )
    draft.put(step)
    _close(draft, decision, IncidentStatus.RELEASED)
    end_released(draft)


def end_released(draft: Draft) -> None:
    """Close the incidents that a release has ended, as many as one transaction takes."""
    released = draft.case.head.released_through
    if released is None:
        return
    over = [row for row in draft.case.rows(Incident) if row.closed_at is None and row.opened_at <= released]
    left = len(over)
    for incident in over:
        if len(draft.changed) >= MOST_ROWS:
            break
        left -= 1
        closed_at = draft.now if incident.about_actor else released  # acts until the release are answered
        gone = {"status": IncidentStatus.RELEASED, "closed_at": closed_at, "closed_by": "the release of the account"}
        draft.put(incident.model_copy(update=gone | {"known": _known(draft, incident, incident.evidence)}))
        _want_auditing_only(draft, incident.id, "the account was released")
        if draft.case.head.active_incident == incident.id:
            draft.move_head(active_incident=None)
    draft.move_head(ending=left > 0)


def _resolve_elsewhere(draft: Draft, decision: PersonDecision) -> None:
    """Close an unresolved incident whose account a person named; its findings moved to that account."""
    _cancel(draft, decision, WAITING | {StepState.PLANNED})
    _close(draft, decision, IncidentStatus.CLOSED)
    log_decision(draft, decision, "account_given", decision.reason)


def _want_auditing_only(draft: Draft, incident_id: str, reason: str) -> None:
    """Cancel everything wanted of the account but auditing, which is resumed if it waited or failed.

    A case that is known only by names has no account whose auditing could be restored.
    """
    known = guid_or_none(draft.case.target) is not None
    for step in draft.case.steps(incident_id):
        waits = step.state in {StepState.HELD, StepState.WITHHELD, StepState.FAILED}
        if (step.step is not StepKind.DISABLE_BYPASS and step.state is not StepState.DONE) or (waits and not known):
            _cancel_step(draft, step, reason)
        elif waits:
            draft.put(step.model_copy(update={"state": StepState.PLANNED, "next_at": draft.now, "reason": reason}))


def _cancel(draft: Draft, decision: PersonDecision, states: frozenset[StepState]) -> None:
    """Cancel steps, also a claimed block or revocation: its call may go through, its claim ends."""
    for step in draft.case.steps(decision.incident_id):
        claimed = step.state is StepState.CLAIMED and step.step is not StepKind.DISABLE_BYPASS
        if step.state in states or claimed:
            _cancel_step(draft, step, f"{decision.verb} by {decision.who}")


def _cancel_step(draft: Draft, step: Step, reason: str) -> None:
    gone = {"state": StepState.CANCELED, "next_at": None, "lease_until": None, "reason": reason}
    draft.put(step.model_copy(update=gone))


def _close(draft: Draft, decision: PersonDecision, status: IncidentStatus) -> None:
    incident = draft.case.incident(decision.incident_id)
    if incident is None:
        return
    known = _known(draft, incident, decision.shown)
    ending = {"closed_at": decision.at, "closed_by": decision.who, "known": known, "status": status}
    draft.put(incident.model_copy(update=ending))
    if draft.case.head.active_incident == incident.id:
        draft.move_head(active_incident=None)


def _known(draft: Draft, incident: Incident, ids: Iterable[str]) -> Known:
    """Return what a person knew who was shown these findings. Requires the case with its history."""
    found = (draft.case.row(Finding, f"finding-{each}") for each in ids)
    return known_of(incident, (finding for finding in found if finding is not None))
