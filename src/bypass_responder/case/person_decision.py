"""What a person decided: approve, dismiss, release. bypassctl writes it, ``resume_responses`` carries it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bypass_responder.case.step import finish, release_done
from bypass_responder.errors import NotFoundError, RefusedError
from bypass_responder.model.base import latest
from bypass_responder.model.incident import Incident, IncidentStatus, PersonDecision
from bypass_responder.model.step import Effect, Recheck, Step, StepKind, StepState

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.log import Event

WRITTEN: dict[Literal["approve", "dismiss", "release"], Event] = {
    "approve": "approve_written",
    "dismiss": "dismiss_written",
    "release": "release_written",
}
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
    decision = PersonDecision(incident_id=incident_id, verb=verb, who=who, reason=reason, at=draft.now, account=account)
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
    if verb == "release" and draft.case.head.prior is None:
        raise RefusedError(
            f"Nothing to release: the account of incident {incident.id} is not blocked by this responder."
        )


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
                    }
                )
            )
    _done(draft, decision, "approved")
    draft.settle_status(decision.incident_id)


def dismiss(draft: Draft, decision: PersonDecision) -> None:
    """Cancel pending steps and close; completed ones are kept. Evidence up to this moment is covered."""
    _cancel(draft, decision, WAITING | {StepState.PLANNED})
    _close(draft, decision, IncidentStatus.DISMISSED)
    draft.move_head(dismissed_through=latest(draft.case.head.dismissed_through, decision.at))
    for recheck in draft.case.rows(Recheck):
        if recheck.incident_id == decision.incident_id and not recheck.done:
            draft.put(recheck.model_copy(update={"done": True, "result": "cancelled by the dismissal"}))
    _done(draft, decision, "dismissed")


def release(draft: Draft, decision: PersonDecision) -> None:
    """Plan the release of the account: exactly its state from before our first block. Auditing stays restored."""
    prior = draft.case.head.prior
    ends = _cancel(draft, decision, WAITING | {StepState.PLANNED}, keep=StepKind.DISABLE_BYPASS)
    _done(draft, decision, "release_planned")
    step = Step(
        incident_id=decision.incident_id,
        step=StepKind.RELEASE,
        state=StepState.PLANNED,
        reason=decision.reason,
        approved_by=decision.who,
        next_at=ends,
    )
    if prior is not None and prior.account_enabled:
        draft.put(step)
        draft.settle_status(decision.incident_id)
        _close(draft, decision, None)
    else:
        draft.put(step)
        finish(draft, step, Effect.NOT_NEEDED, "sign-in was blocked before our first block and stays so")
        _close(draft, decision, IncidentStatus.RELEASED)
        release_done(draft, decision.incident_id)


def resolve_elsewhere(draft: Draft, decision: PersonDecision) -> None:
    """Close an unresolved incident whose account a person named; its findings have moved to that account's case."""
    _cancel(draft, decision, WAITING | {StepState.PLANNED})
    _close(draft, decision, IncidentStatus.CLOSED)
    _done(draft, decision, "account_given")


def _cancel(
    draft: Draft, decision: PersonDecision, states: set[StepState], *, keep: StepKind | None = None
) -> datetime:
    """Cancel steps, a claimed block or revocation too. Returns when a call that may be under way has ended."""
    ends = draft.now
    for step in draft.case.steps(decision.incident_id):
        claimed = step.state is StepState.CLAIMED and step.step is not StepKind.DISABLE_BYPASS
        if (step.state in states or claimed) and step.step is not keep:
            ends = max(ends, step.lease_until or ends)
            reason = f"{decision.verb} by {decision.who}"
            gone = {"state": StepState.CANCELLED, "next_at": None, "lease_until": None, "reason": reason}
            draft.put(step.model_copy(update=gone))
    return ends


def _close(draft: Draft, decision: PersonDecision, status: IncidentStatus | None) -> None:
    incident = draft.case.incident(decision.incident_id)
    if incident is None:
        return
    changes: dict[str, object] = {"closed_at": decision.at, "closed_by": decision.who}
    if status is not None:
        changes["status"] = status
        if draft.case.head.active_incident == incident.id:
            draft.move_head(active_incident=None)
    draft.put(incident.model_copy(update=changes))


def _done(draft: Draft, decision: PersonDecision, what: Event) -> None:
    draft.put(decision.model_copy(update={"done": True}))
    draft.log(what, decision.reason, incident=decision.incident_id, who=decision.who, account=decision.account)
