"""One step of an incident: claim → act → record → read back → effect. The calls are in ``contain``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.episode import plan_rechecks
from bypass_responder.errors import NotFoundError, PermissionMissingError, RefusedError, ResponderError, ThrottledError
from bypass_responder.model.base import backoff
from bypass_responder.model.case import PriorState
from bypass_responder.model.incident import IncidentStatus
from bypass_responder.model.step import Effect, Recheck, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.incident import Incident
    from bypass_responder.model.log import About

LEASE = timedelta(seconds=60)
"""Longer than a block and a revocation may take together: 20 s each, see the directory's adapter."""
READ_BACK_AFTER = timedelta(seconds=5)
RETRY_LONGEST = timedelta(hours=1)
TELL_AFTER_ATTEMPTS = 3
GONE = "the account no longer exists"
ON_THE_ACCOUNT = (StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS, StepKind.RELEASE)


def claim(draft: Draft, incident: Incident, kind: StepKind, *, account: Account | None) -> bool:
    """Claim a step for this worker until the lease ends. ``account`` must be freshly read; its prior state is stored.

    The caller logs the claim.

    Returns False when another worker has the step, it is not due, or nothing is left to do.
    """
    step = draft.case.step(incident.id, kind)
    if step is None or not is_due(step, draft.now):
        return False
    if account is None and kind in ON_THE_ACCOUNT:
        finish(draft, step, Effect.NOT_NEEDED, GONE)
        return False
    if kind is StepKind.BLOCK_SIGN_IN and account:
        if draft.case.head.prior is None or account.account_enabled:
            prior = PriorState(account_enabled=account.account_enabled, recorded_at=draft.now)
            draft.move_head(prior=prior)
        if not account.account_enabled and step.attempts == 0:
            finish(draft, step, Effect.NOT_NEEDED, "sign-in was blocked already")
            return False
    draft.put(
        step.model_copy(
            update={
                "state": StepState.CLAIMED,
                "attempts": step.attempts + 1,
                "first_attempt_at": step.first_attempt_at or draft.now,
                "lease_until": draft.now + LEASE,
                "next_at": None,
            }
        )
    )
    return True


def is_due(step: Step, now: datetime) -> bool:
    """Planned and due, or claimed with a lease that has ended."""
    if step.state is StepState.PLANNED:
        return step.next_at is None or step.next_at <= now
    return step.state is StepState.CLAIMED and step.lease_until is not None and step.lease_until <= now


def withhold(draft: Draft, incident: Incident, kind: StepKind, *, state: StepState, reason: str) -> None:
    """Cancel, hold or withhold a step that a rule, read again at the claim, no longer allows."""
    step = draft.case.step(incident.id, kind)
    if step is None or not is_due(step, draft.now):
        return
    draft.put(step.model_copy(update={"state": state, "reason": reason, "lease_until": None, "next_at": None}))
    draft.log("withheld", f"{kind.value}: {reason}", incident=incident.id, step=kind.value, state=state.value)
    waits = draft.settle_status(incident.id)
    if state is StepState.HELD and waits:
        title = f"Decision required: {incident.account or incident.target}"
        draft.notify_about("held", waits, title, f"{kind.value} is held: {reason}.", key=f"{kind.value}-{reason}")


def record_done(draft: Draft, incident_id: str, kind: StepKind) -> None:
    """The call was accepted; its effect is read back later."""
    step = draft.case.step(incident_id, kind)
    if step is not None and step.state is StepState.CANCELLED:
        draft.put(step.model_copy(update={"acted_at": draft.now, "detail": "the call was under way and went through"}))
        draft.log(
            "acted",
            f"{kind.value}: cancelled while under way, and it went through",
            incident=incident_id,
            step=kind.value,
        )
        return
    if step is None or step.state is not StepState.CLAIMED:
        return
    draft.put(
        step.model_copy(
            update={
                "state": StepState.ACTED,
                "acted_at": draft.now,
                "lease_until": None,
                "next_at": draft.now + READ_BACK_AFTER,
                "detail": "",
            }
        )
    )
    draft.log("acted", f"{kind.value}: accepted by the service", incident=incident_id, step=kind.value)
    if kind is StepKind.RELEASE:
        release_done(draft, incident_id)
    _after_change(draft, incident_id)


def record_error(draft: Draft, incident_id: str, kind: StepKind, error: ResponderError) -> None:
    """Record a failed call: retried when the error allows it, otherwise a person is needed."""
    step = draft.case.step(incident_id, kind)
    if step is None or step.state is not StepState.CLAIMED:
        return
    match error:
        case NotFoundError():
            finish(draft, step, Effect.NOT_NEEDED, GONE)
        case PermissionMissingError():
            fail(draft, step, f"{error.diagnostics()} Then approve the incident again.")
        case RefusedError():
            fail(draft, step, error.diagnostics())
        case _:
            wait = error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0
            retry(draft, step, str(error), at_least_seconds=wait)
    _after_change(draft, incident_id)


def retry(draft: Draft, step: Step, why: str, *, at_least_seconds: float = 0.0) -> None:
    """Plan the step again, later each time, and notify people when it keeps failing."""
    wait = backoff(step.attempts, first=timedelta(seconds=15), longest=RETRY_LONGEST)
    due = draft.now + max(wait, timedelta(seconds=at_least_seconds))
    draft.put(step.model_copy(update={"state": StepState.PLANNED, "lease_until": None, "next_at": due, "detail": why}))
    draft.log(
        "retry", f"{step.step.value}: {why}", incident=step.incident_id, step=step.step.value, next_at=due.isoformat()
    )
    if wait >= RETRY_LONGEST:
        text = f"still failing after {step.attempts} attempts, from now on retried once an hour: {why}"
        notify_failure(draft, step, "step_failed", text, key="hourly")
    elif step.attempts >= TELL_AFTER_ATTEMPTS:
        notify_failure(draft, step, "step_failed", f"still failing after {step.attempts} attempts: {why}")


def fail(draft: Draft, step: Step, why: str) -> None:
    """A person is needed; ``incidents approve`` plans the step again."""
    draft.put(step.model_copy(update={"state": StepState.FAILED, "lease_until": None, "next_at": None, "detail": why}))
    draft.log("failed", f"{step.step.value}: {why}", incident=step.incident_id, step=step.step.value)
    notify_failure(draft, step, "step_failed", why)
    draft.settle_status(step.incident_id)


def release_done(draft: Draft, incident_id: str) -> None:
    """The release went through: the incident is over for its account and what was due is cancelled."""
    incident = draft.case.incident(incident_id)
    if incident is None:
        return
    draft.move_head(prior=None)
    draft.put(
        incident.model_copy(update={"status": IncidentStatus.RELEASED, "closed_at": incident.closed_at or draft.now})
    )
    for recheck in draft.case.rows(Recheck):
        if not recheck.done:
            draft.put(recheck.model_copy(update={"done": True, "result": "cancelled by the release"}))
    draft.log("released", "the state from before our first block is restored", incident=incident_id)


def finish(draft: Draft, step: Step, effect: Effect, detail: str) -> None:
    """End a step with its effect."""
    ended = {"state": StepState.DONE, "effect": effect, "detail": detail, "acted_at": step.acted_at or draft.now}
    draft.put(step.model_copy(update=ended | {"lease_until": None, "next_at": None}))
    draft.log(
        "effect",
        f"{step.step.value}: {effect.value}, {detail}",
        incident=step.incident_id,
        step=step.step.value,
        effect=effect.value,
    )
    _after_change(draft, step.incident_id)


def _after_change(draft: Draft, incident_id: str) -> None:
    """Notify once that the account is contained, as soon as both calls were accepted."""
    incident = draft.settle_status(incident_id)
    steps = {step.step: step for step in draft.case.steps(incident_id)}
    block, revoke = steps.get(StepKind.BLOCK_SIGN_IN), steps.get(StepKind.REVOKE_SESSIONS)
    if incident is None or incident.contained_told or not _went_through((block, revoke)):
        return
    draft.put(incident.model_copy(update={"contained_told": True}))
    plan_rechecks(draft, incident_id)
    done = ", ".join(f"{kind.value}: {_state(step)}" for kind, step in sorted(steps.items()))
    draft.notify_about(
        "contained",
        incident,
        f"Contained: {incident.account}",
        f"{incident.reason}. {done}.",
        key="",
        blind_from=incident.blind_from.isoformat() if incident.blind_from else None,
        opened_at=incident.opened_at.isoformat(),
    )


def _went_through(steps: Iterable[Step | None]) -> bool:
    return all(step is not None and step.state in {StepState.ACTED, StepState.DONE} for step in steps)


def _state(step: Step) -> str:
    return f"{step.effect.value} ({step.detail})" if step.effect else step.state.value


def notify_failure(draft: Draft, step: Step, about: About, why: str, *, key: str = "") -> None:
    """Notify people, once per effect and ``key``, of a step that failed or is not effective."""
    incident = draft.case.incident(step.incident_id)
    if incident is None:
        return
    draft.notify_about(
        about,
        incident,
        f"Action required on {step.step.value}: {incident.account or incident.target}",
        why,
        key=f"{step.step.value}-{about}-{step.effect or ''}{key}",
        step=step.step.value,
    )


READ_BACK_TIMES = 8
"""Read-backs at growing intervals, about 20 minutes in all, before an effect is called unverified."""
CLOCK_SKEW = timedelta(minutes=5)


def record_read_back(draft: Draft, incident_id: str, kind: StepKind, *, account: Account | None) -> None:
    """Judge the effect by the directory's current state. A stale answer is read again, not a failure."""
    step = draft.case.step(incident_id, kind)
    if step is None or step.state is not StepState.ACTED:
        return
    effect, detail = read_effect(step, account)
    if effect is not None:
        finish(draft, step, effect, detail)
        if effect in {Effect.TEMPORARY, Effect.INEFFECTIVE}:
            notify_failure(draft, step, "step_ineffective", detail)
    elif step.readbacks + 1 >= READ_BACK_TIMES:
        finish(draft, step, Effect.UNVERIFIED, detail)
        notify_failure(draft, step, "step_ineffective", detail)
    else:
        again = draft.now + READ_BACK_AFTER * 2 ** (step.readbacks + 1)
        draft.put(step.model_copy(update={"readbacks": step.readbacks + 1, "next_at": again, "detail": detail}))


def read_effect(step: Step, account: Account | None) -> tuple[Effect | None, str]:
    """Return the effect that ``account`` shows, and the detail; the effect is None while it does not show yet."""
    if account is None:
        return Effect.NOT_NEEDED, GONE
    if step.step is StepKind.BLOCK_SIGN_IN:
        if account.account_enabled:
            return None, "the directory still allows sign-in"
        if account.on_premises_sync_enabled:
            return Effect.TEMPORARY, "blocked until the next directory synchronization undoes it"
        return Effect.EFFECTIVE, "sign-in is blocked"
    if step.step is StepKind.RELEASE:
        return (Effect.EFFECTIVE if account.account_enabled else None), "sign-in is allowed again, as before"
    if account.guest:
        return Effect.INEFFECTIVE, "sessions of a guest cannot be revoked from this tenant"
    valid_from, first = account.sessions_valid_from, step.first_attempt_at
    if valid_from is None or first is None or valid_from < first - CLOCK_SKEW:
        return None, "the directory does not show the revocation yet"
    return Effect.EFFECTIVE, f"sessions from before {valid_from:%Y-%m-%d %H:%M:%SZ} are invalid"
