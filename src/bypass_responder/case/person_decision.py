"""What a person decided: approve, dismiss, release. bypassctl writes it, ``resume_responses`` carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bypass_responder.case.control import ended, renew
from bypass_responder.case.evidence import known_of
from bypass_responder.case.step import finish
from bypass_responder.errors import NotFoundError, RefusedError
from bypass_responder.model.base import guid_or_none, latest
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident, IncidentStatus, Known, PersonDecision
from bypass_responder.model.step import Effect, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.log import Event

WRITTEN: dict[Literal["approve", "dismiss", "release"], Event] = {
    "approve": "approve_written",
    "dismiss": "dismiss_written",
    "release": "release_written",
}
MOST_INCIDENTS = 500
MOST_ROWS = 60
"""Of one transaction, which holds 100 rows with its log entries."""
WAITING = {StepState.HELD, StepState.FAILED, StepState.WITHHELD}


def write_decision(
    draft: Draft,
    incident_id: str,
    verb: Literal["approve", "dismiss", "release"],
    *,
    who: str,
    reason: str,
    enforce: bool,
    account: str | None = None,
) -> None:
    """Store a decision. Raises NotFoundError or RefusedError, with the fix, when it cannot be carried out."""
    incident = draft.case.incident(incident_id)
    if incident is None:
        raise NotFoundError(f"There is no incident {incident_id}.")
    _refuse(draft, incident, verb, enforce=enforce, account=account)
    decision = PersonDecision(
        incident_id=incident_id,
        verb=verb,
        who=who,
        reason=reason,
        at=draft.now,
        account=account,
        shown=incident.evidence,
        incidents=tuple(row.id for row in draft.case.rows(Incident) if not ended(draft.case, row))[-MOST_INCIDENTS:],
    )
    draft.put(decision)
    draft.log(WRITTEN[verb], reason, incident=incident_id, who=who, account=account)


def _refuse(draft: Draft, incident: Incident, verb: str, *, enforce: bool, account: str | None) -> None:
    pending = [row for row in draft.case.rows(PersonDecision) if row.incident_id == incident.id and not row.done]
    if any(row.verb == verb for row in pending):
        raise RefusedError(f"{verb} of incident {incident.id} is stored already; it is carried out within a minute.")
    if verb != "dismiss" and not enforce:
        raise RefusedError(
            f"MODE is observe: nothing is changed. Set MODE=enforce to {verb}, or do it in the Entra admin center."
        )
    if incident.status.final and verb != "release":
        raise RefusedError(f"Incident {incident.id} is {incident.status.value} already.")
    if verb == "approve":
        if not any(step.state in WAITING for step in draft.case.steps(incident.id)):
            raise RefusedError(f"Incident {incident.id} has nothing to approve.")
        if incident.account is None and account is None:
            raise RefusedError(f"Incident {incident.id} names no single account: add --account OBJECT_ID_OR_UPN.")
        if incident.account is not None and account not in {None, incident.account.object_id}:
            raise RefusedError(f"Incident {incident.id} is about {incident.account}; --account cannot change that.")
    if verb == "release":
        _refuse_release(draft, incident)


def _refuse_release(draft: Draft, incident: Incident) -> None:
    if draft.case.head.prior is None:
        raise RefusedError(
            f"Nothing to release: this responder has not blocked the account of incident {incident.id}. "
            f"To end the incident: bypassctl incidents dismiss {incident.id}."
        )
    newer = _newer(draft, incident.opened_at, frozenset({incident.id}))
    if newer is not None:
        raise RefusedError(
            f"Incident {incident.id} is {incident.status.value}, but {newer.id} came later, is {newer.status.value} "
            f"and wants the block too. To release the account from both: bypassctl incidents release {newer.id}."
        )


def _newer(draft: Draft, moment: datetime, shown: frozenset[str]) -> Incident | None:
    """The newest incident opened after this moment that nobody has ended, and that is not among those shown."""
    newer = [
        row
        for row in draft.case.rows(Incident)
        if row.opened_at > moment and row.id not in shown and not ended(draft.case, row)
    ]
    return max(newer, key=lambda row: row.opened_at, default=None)


def approve(draft: Draft, decision: PersonDecision) -> None:
    """Plan every step that waited; the protected list is still read at the claim."""
    for step in draft.case.steps(decision.incident_id):
        if step.state in WAITING:
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
    _done(draft, decision, "approved")
    draft.settle_status(decision.incident_id)


def dismiss(draft: Draft, decision: PersonDecision) -> None:
    """Cancel pending steps and close; completed ones are kept. Evidence up to this moment is covered."""
    _cancel(draft, decision, WAITING | {StepState.PLANNED})
    _close(draft, decision, IncidentStatus.DISMISSED)
    _done(draft, decision, "dismissed")


def release(draft: Draft, decision: PersonDecision) -> None:
    """Want exactly the state from before our first block, for the account: every incident of it ends. Auditing stays.

    Not carried out when a newer incident, which the person was not shown, has been opened since.
    """
    shown = frozenset({decision.incident_id, *decision.incidents})
    newer = _newer(draft, draft.case.opened_at(decision.incident_id), shown)
    if newer is not None:
        why = f"{newer.id} was opened after the decision and wants the block"
        draft.log("withheld", f"release: {why}", incident=decision.incident_id, step="release")
        draft.notify_about("held", newer, f"Not released: {newer.account or newer.target}", f"{why}.", key="release")
        _done(draft, decision, "release_planned")
        return
    _want_auditing_only(draft, decision.incident_id, f"release by {decision.who}")
    _done(draft, decision, "release_planned")
    last = max(draft.case.opened_at(each) for each in shown)
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
    if draft.case.head.prior is None:
        finish(draft, step, Effect.NOT_NEEDED, "the responder has not blocked sign-in")
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
        gone = {"status": IncidentStatus.RELEASED, "closed_at": released, "closed_by": "the release of the account"}
        draft.put(incident.model_copy(update=gone | {"known": _known(draft, incident, incident.evidence)}))
        _want_auditing_only(draft, incident.id, "the account was released")
        if draft.case.head.active_incident == incident.id:
            draft.move_head(active_incident=None)
    draft.move_head(ending=left > 0)


def resolve_elsewhere(draft: Draft, decision: PersonDecision) -> None:
    """Close an unresolved incident whose account a person named; its findings have moved to that account's case."""
    _cancel(draft, decision, WAITING | {StepState.PLANNED})
    _close(draft, decision, IncidentStatus.CLOSED)
    _done(draft, decision, "account_given")


def _want_auditing_only(draft: Draft, incident_id: str, reason: str) -> None:
    """Cancel what is wanted of the account itself. Auditing stays wanted, and is restored where it waited.

    A case that is known by names only names nobody whose auditing could be restored.
    """
    known = guid_or_none(draft.case.target) is not None
    for step in draft.case.steps(incident_id):
        waits = step.state in {StepState.HELD, StepState.WITHHELD}
        if (step.step is not StepKind.DISABLE_BYPASS and step.state is not StepState.DONE) or (waits and not known):
            _cancel_step(draft, step, reason)
        elif waits:
            draft.put(step.model_copy(update={"state": StepState.PLANNED, "next_at": draft.now, "reason": reason}))


def _cancel(draft: Draft, decision: PersonDecision, states: set[StepState]) -> None:
    """Cancel steps, a claimed block or revocation too: its call may go through, and the claim ends with it."""
    for step in draft.case.steps(decision.incident_id):
        claimed = step.state is StepState.CLAIMED and step.step is not StepKind.DISABLE_BYPASS
        if step.state in states or claimed:
            _cancel_step(draft, step, f"{decision.verb} by {decision.who}")


def _cancel_step(draft: Draft, step: Step, reason: str) -> None:
    gone = {"state": StepState.CANCELLED, "next_at": None, "lease_until": None, "reason": reason}
    draft.put(step.model_copy(update=gone))


def _close(draft: Draft, decision: PersonDecision, status: IncidentStatus | None) -> None:
    incident = draft.case.incident(decision.incident_id)
    if incident is None:
        return
    changes: dict[str, object] = {
        "closed_at": decision.at,
        "closed_by": decision.who,
        "known": _known(draft, incident, decision.shown),
    }
    if status is not None:
        changes["status"] = status
        if draft.case.head.active_incident == incident.id:
            draft.move_head(active_incident=None)
    draft.put(incident.model_copy(update=changes))


def _known(draft: Draft, incident: Incident, ids: Iterable[str]) -> Known:
    """What a person knew who was shown these findings. Requires the case with its history."""
    found = (draft.case.row(Finding, f"finding-{each}") for each in ids)
    return known_of(incident, (finding for finding in found if finding is not None))


def _done(draft: Draft, decision: PersonDecision, what: Event) -> None:
    draft.put(decision.model_copy(update={"done": True}))
    draft.log(what, decision.reason, incident=decision.incident_id, who=decision.who, account=decision.account)
