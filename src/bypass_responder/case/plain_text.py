"""Two sentences for somebody who was asleep: what happened, and what is true now. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import moment
from bypass_responder.model.step import CANNOT_SIGN_IN, WAITING, Effect, Step, StepKind, StepState

if TYPE_CHECKING:
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case
    from bypass_responder.model.incident import Incident

MOST_NAMED = 3
_BLOCK = {
    Effect.EFFECTIVE: "sign-in is blocked",
    Effect.TEMPORARY: "sign-in is blocked until the next directory synchronization",
    Effect.NOT_NEEDED: "the account cannot sign in",
    Effect.REVERTED: "sign-in is allowed again",
    Effect.UNVERIFIED: "sign-in may still be allowed, because the block was not confirmed",
}
_REVOKE = {
    Effect.EFFECTIVE: "its sessions are revoked",
    Effect.NOT_NEEDED: "it has no sessions to revoke",
    Effect.INEFFECTIVE: "its sessions are still valid, because a guest's cannot be revoked",
    Effect.UNVERIFIED: "its sessions may still be valid",
}
_FREE = {
    StepKind.BLOCK_SIGN_IN: "sign-in is not blocked",
    StepKind.REVOKE_SESSIONS: "its sessions are not revoked",
    StepKind.DISABLE_BYPASS: "the bypass is not removed",
}
_RUNNING = {
    StepKind.BLOCK_SIGN_IN: "sign-in is being blocked",
    StepKind.REVOKE_SESSIONS: "its sessions are being revoked",
    StepKind.DISABLE_BYPASS: "the bypass is being removed",
}
DOES = {
    StepKind.BLOCK_SIGN_IN: "block sign-in",
    StepKind.REVOKE_SESSIONS: "revoke sessions",
    StepKind.DISABLE_BYPASS: "remove the bypass",
    StepKind.RELEASE: "give the account back",
}
"""Each step as an instruction."""
NOT_DONE = {
    StepKind.BLOCK_SIGN_IN: "sign-in not blocked",
    StepKind.REVOKE_SESSIONS: "sessions not revoked",
    StepKind.DISABLE_BYPASS: "bypass not removed",
    StepKind.RELEASE: "account not given back",
}
"""Each step, when it had no lasting effect."""
_ACCEPTED = {
    StepKind.BLOCK_SIGN_IN: "the block of sign-in is accepted and not confirmed yet",
    StepKind.REVOKE_SESSIONS: "the revocation of its sessions is accepted",
}


def name_of(incident: Incident) -> str:
    """Return the best name there is for the account, with its object id."""
    return str(incident.account or (incident.names[0] if incident.names else incident.target))


def what_happened(incident: Incident) -> str:
    """Return one sentence: who switched the bypass of whom on, and when."""
    if incident.about_actor:
        return f"{name_of(incident)} switched the mailbox audit bypass of another account on, as its record says."
    at = ""
    if incident.blind_from is not None:
        at = f" {'at' if incident.blind_from_proven else 'before'} {incident.blind_from:%Y-%m-%d %H:%M:%SZ}"
    if not incident.actors:
        return f"The mailbox audit bypass of {name_of(incident)} was switched on{at}, and no record names the actor."
    more = len(incident.actors) - MOST_NAMED
    actors = ", ".join(actor.described for actor in incident.actors[:MOST_NAMED])
    others = f" and {more} more" if more > 0 else ""
    return f"{actors}{others} switched the mailbox audit bypass of {name_of(incident)} on{at}."


def what_is_true(incident: Incident, case: Case) -> str:
    """Return one sentence: whether the account can sign in, has valid sessions, and is audited."""
    if incident.account is None:
        read = incident.about_actor or any(each.checked_at for each in incident.candidates)
        unread = "" if read else "; whether the bypass is on was not read"
        return f"Nothing was done, because no single account is known{unread}."
    by_kind = {step.step: step for step in case.steps(incident.id)}
    block, revoke = by_kind.get(StepKind.BLOCK_SIGN_IN), by_kind.get(StepKind.REVOKE_SESSIONS)
    parts = [part for part in (_sign_in(block), _sessions(incident.account, block, revoke)) if part]
    if not incident.about_actor:
        parts.append(_auditing(incident, by_kind.get(StepKind.DISABLE_BYPASS)))
    text = f"{', '.join(parts[:-1])}, and {parts[-1]}" if len(parts) > 1 else parts[0]
    read_at = case.control(StepKind.BLOCK_SIGN_IN).observed_at if block and block.effect in _BLOCK else None
    return f"Now {text}{f' (sign-in read at {moment(read_at)})' if read_at else ''}."


def _auditing(incident: Incident, step: Step | None) -> str:
    if incident.restored_at is not None and step is not None and step.was_off_already:
        return f"the bypass was off already when it was read at {moment(incident.restored_at)}"
    if incident.restored_at is not None:
        return f"auditing has been on again since {incident.restored_at:%Y-%m-%d %H:%M:%SZ}"
    if step is None:
        return "the bypass may still be on"
    if step.state is StepState.DONE:
        return "auditing is on again"
    return _RUNNING[step.step] if step.state.running else _FREE[step.step]


def _sign_in(block: Step | None) -> str:
    if block is None:
        return ""
    return _BLOCK[block.effect] if block.effect in _BLOCK else _progress(block)


def _sessions(account: Account, block: Step | None, revoke: Step | None) -> str:
    """Return what is true of the sessions.

    Those of after the revocation are valid while the account can sign in.
    """
    if revoke is None:
        return ""
    if account.guest and revoke.state not in WAITING:
        return _REVOKE[Effect.INEFFECTIVE]
    can_sign_in = block is not None and block.effect not in CANNOT_SIGN_IN and not block.state.running
    if can_sign_in and revoke.effect is Effect.EFFECTIVE and revoke.acted_at is not None:
        return f"its sessions from before {revoke.acted_at:%Y-%m-%d %H:%M:%SZ} are revoked, later ones are valid"
    return _REVOKE[revoke.effect] if revoke.effect in _REVOKE else _progress(revoke)


def _progress(step: Step) -> str:
    if step.state in WAITING or step.state is StepState.CANCELED:
        return _FREE[step.step]
    return _ACCEPTED[step.step] if step.state is StepState.ACTED else _RUNNING[step.step]
