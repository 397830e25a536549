"""The state of an incident in one sentence, from what was observed and not from the status alone."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.model.base import moment
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import WAITING, Effect, Observed, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bypass_responder.model.incident import Incident
    from bypass_responder.model.step import Step
    from bypass_responder.operating.incidents.current_state import CurrentState


class Situation(StrEnum):
    """What a person has to know first about an incident."""

    OPEN = "open"
    HELD = "held"
    UNRESOLVED = "unresolved"
    """Held, and no single account is known."""
    FAILED = "failed"
    REVERTED = "reverted"
    """Failed: the account was blocked, and somebody else enabled it again."""
    GUEST = "guest"
    """Failed: the sessions of a guest cannot be revoked from this tenant."""
    CONTAINED = "contained"
    SYNCED = "synced"
    """Contained until the next directory synchronization."""
    RESTORED = "restored"
    OBSERVED = "observed"
    RELEASED = "released"
    DISMISSED = "dismissed"
    CLOSED = "closed"


DOES = {
    StepKind.BLOCK_SIGN_IN: "block sign-in",
    StepKind.REVOKE_SESSIONS: "revoke sessions",
    StepKind.DISABLE_BYPASS: "remove bypass",
    StepKind.RELEASE: "release",
}
"""Each step as an instruction."""
_HEADS = {
    Situation.OPEN: "In progress{running}",
    Situation.HELD: "Decision required ({waiting})",
    Situation.UNRESOLVED: "Decision required, because no single account is known",
    Situation.FAILED: "Action required ({waiting})",
    Situation.REVERTED: "Action required, because the account was enabled again after it was blocked",
    Situation.GUEST: "Action required, because open sessions of a guest stay valid",
    Situation.CONTAINED: "Contained",
    Situation.SYNCED: "Contained only until the next directory synchronization",
    Situation.RESTORED: "Auditing restored, and the account was not to be blocked",
    Situation.OBSERVED: "Nothing was changed, because MODE is observe",
    Situation.RELEASED: "Released {ended}",
    Situation.DISMISSED: "Dismissed {ended}",
    Situation.CLOSED: "Closed {ended}",
}


def situation_of(incident: Incident, steps: Sequence[Step], sign_in: Observed | None) -> Situation:
    """Return the situation. Contained only while the account is disabled or gone, as last read. Total."""
    match incident.status:
        case IncidentStatus.HELD:
            return Situation.UNRESOLVED if incident.account is None else Situation.HELD
        case IncidentStatus.FAILED:
            return _failed(incident, steps)
        case IncidentStatus.OPEN if any(step.state is StepState.FAILED for step in steps):
            return _failed(incident, steps)
        case IncidentStatus.CONTAINED if sign_in in {Observed.DISABLED, Observed.ABSENT}:
            temporary = any(step.effect is Effect.TEMPORARY for step in steps)
            return Situation.SYNCED if temporary else Situation.CONTAINED
        case IncidentStatus.CONTAINED:
            return Situation.OPEN
        case status:
            return Situation(status.value)


def _failed(incident: Incident, steps: Sequence[Step]) -> Situation:
    if any(step.effect is Effect.REVERTED for step in steps):
        return Situation.REVERTED
    if any(step.state is StepState.FAILED for step in steps) or incident.account is None:
        return Situation.FAILED
    ineffective = any(step.effect is Effect.INEFFECTIVE for step in steps)
    return Situation.GUEST if ineffective and incident.account.guest else Situation.FAILED


def state_sentence(situation: Situation, incident: Incident, steps: Sequence[Step], now: CurrentState) -> str:
    """Return the sentence: the situation, whether the account can sign in, and whether it is audited."""
    return f"{_head(situation, incident, steps)}: {_sign_in(incident, now)}; {_auditing(incident, steps, now)}."


def _head(situation: Situation, incident: Incident, steps: Sequence[Step]) -> str:
    running = listed(step.step for step in steps if step.state.running)
    at = f"at {moment(incident.closed_at)} " if incident.closed_at else ""
    return _HEADS[situation].format(
        waiting=listed(step.step for step in steps if step.state in WAITING) or "a step had no proven effect",
        running=f" ({running})" if running else ", not contained",
        ended=f"{at}by {incident.closed_by or 'a person'}",
    )


def listed(kinds: Iterable[StepKind]) -> str:
    """Return the steps as an instruction, in their order, such as ``block sign-in, revoke sessions``."""
    given = {*kinds}
    return ", ".join(does for kind, does in DOES.items() if kind in given)


def name_of(incident: Incident) -> str:
    """Return the best name there is for the account."""
    if incident.account is not None:
        return incident.account.user_principal_name
    return incident.names[-1] if incident.names else incident.target


def _sign_in(incident: Incident, now: CurrentState) -> str:
    name = name_of(incident)
    if incident.account is None:
        return f"nothing was done about {name}"
    at = f" (read {moment(now.sign_in_at)})" if now.sign_in_at else ""
    match now.sign_in:
        case Observed.DISABLED:
            return f"{name} cannot sign in{at}"
        case Observed.ENABLED:
            return f"{name} can sign in{at}"
        case Observed.ABSENT:
            return f"{name} no longer exists{at}"
        case None:
            return f"whether {name} can sign in is not known yet"


def _auditing(incident: Incident, steps: Sequence[Step], now: CurrentState) -> str:
    if now.bypass is None or now.bypass_at is None:
        return "whether the bypass is on is not known yet"
    if incident.account is None:
        return f"the bypass is {now.bypass} according to the record of {moment(now.bypass_at)}"
    restored = incident.restored_at
    if now.bypass == "on":
        return f"the bypass is on{' again' if restored else ''} (as of {moment(now.bypass_at)})"
    if restored is None:
        return f"the bypass is off (read {moment(now.bypass_at)})"
    if any(step.was_off_already for step in steps):
        return f"the bypass was off already when it was read ({moment(max(now.bypass_at, restored))})"
    if now.bypass_at <= restored:
        return f"auditing is restored (verified {moment(restored)})"
    return f"auditing is restored since {moment(restored)} (bypass off as of {moment(now.bypass_at)})"
