"""One step of an incident: what it wants, how far it is, and what people are notified of."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.control import look_for_older_wants
from bypass_responder.case.plain_text import DOES, NOT_DONE, name_of
from bypass_responder.model.base import backoff
from bypass_responder.model.step import Effect, Recheck, Step, StepKind, StepState

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.incident import Incident
    from bypass_responder.model.log import About

LEASE = timedelta(seconds=60)
"""Longer than a block and a revocation may take together: 20 s each, see the directory's adapter."""
RETRY_LONGEST = timedelta(hours=1)
RECHECK_HOURS = (1, 24)
NOTIFY_AFTER_ATTEMPTS = 3
GONE = "the account no longer exists"


def claim(draft: Draft, step: Step) -> bool:
    """Take ``disable_bypass`` for this worker until the lease ends. False when it is not due."""
    if not is_due(step, draft.now):
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


def withhold(
    draft: Draft, incident: Incident, step: Step, *, state: StepState, reason: str, summarized: bool = False
) -> None:
    """Cancel, hold or withhold a step that a rule stops. ``summarized``: notified in a summary."""
    kind = step.step
    draft.put(step.model_copy(update={"state": state, "reason": reason, "lease_until": None, "next_at": None}))
    draft.log("withheld", f"{kind.value}: {reason}", incident=incident.id, step=kind.value, state=state.value)
    waits = draft.settle_status(incident.id)
    if kind is StepKind.BLOCK_SIGN_IN:
        look_for_older_wants(draft)
    if waits is None or summarized:
        return
    if state is StepState.HELD:
        title = f"Decision required: {name_of(incident)}"
        draft.notify_about("held", waits, title, f"To decide: {DOES[kind]}, {reason}.", key=f"{kind.value}-{reason}")
    elif state is StepState.WITHHELD:
        title = f"Observe mode, not done: {DOES[kind]}: {name_of(incident)}"
        text = f"Not done: {DOES[kind]}, because {reason}. Do it yourself, or set MODE=enforce and decide again."
        draft.notify_about("observed", waits, title, text, key="release" if kind is StepKind.RELEASE else "")


def retry(draft: Draft, step: Step, why: str, *, at_least_seconds: float = 0.0) -> None:
    """Plan the step again, later each time, and notify people when it keeps failing."""
    wait = backoff_of(step.attempts)
    due = draft.now + max(wait, timedelta(seconds=at_least_seconds))
    draft.put(step.model_copy(update={"state": StepState.PLANNED, "lease_until": None, "next_at": due, "detail": why}))
    draft.log(
        "retry", f"{step.step.value}: {why}", incident=step.incident_id, step=step.step.value, next_at=due.isoformat()
    )
    notify_retry(draft, step, why, attempts=step.attempts, wait=wait)


def backoff_of(attempts: int) -> timedelta:
    """Return the wait before the next attempt: 15 s at first, at most an hour."""
    return backoff(attempts, first=timedelta(seconds=15), longest=RETRY_LONGEST)


def notify_retry(draft: Draft, step: Step, why: str, *, attempts: int, wait: timedelta) -> None:
    """Notify people of a failing step: after three attempts, and once when retried hourly."""
    if wait >= RETRY_LONGEST:
        text = f"still failing after {attempts} attempts, from now on retried once an hour: {why}"
        notify_failure(draft, step, "step_failed", text, key="hourly")
    elif attempts >= NOTIFY_AFTER_ATTEMPTS:
        notify_failure(draft, step, "step_failed", f"still failing after {attempts} attempts: {why}")


def fail(draft: Draft, step: Step, why: str) -> None:
    """A person is needed; ``incidents approve`` plans the step again."""
    draft.put(step.model_copy(update={"state": StepState.FAILED, "lease_until": None, "next_at": None, "detail": why}))
    draft.log("failed", f"{step.step.value}: {why}", incident=step.incident_id, step=step.step.value)
    notify_failure(draft, step, "step_failed", why)
    draft.settle_status(step.incident_id)


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
    after_change(draft, step.incident_id)


def after_change(draft: Draft, incident_id: str) -> None:
    """Recompute the status; notify once that the account is contained, as soon as the block was observed."""
    incident = draft.settle_status(incident_id)
    steps = {step.step: step for step in draft.case.steps(incident_id)}
    block, revoke = steps.get(StepKind.BLOCK_SIGN_IN), steps.get(StepKind.REVOKE_SESSIONS)
    if incident is None or block is None or revoke is None or block.acted_at is None:
        return
    plan_rechecks(draft, incident_id, acted_at=block.acted_at if block.stands else None)
    guest = incident.account is not None and incident.account.guest
    if guest or block.effect is Effect.TEMPORARY:  # notified as such: sessions that stay, a block that does not
        return
    if incident.contained_told or not block.stands or revoke.state not in {StepState.ACTED, StepState.DONE}:
        return
    draft.put(incident.model_copy(update={"contained_told": True}))
    draft.notify_about(
        "contained",
        incident,
        f"Contained: {incident.account}",
        f"Why: {incident.reason}.",
        key="",
        blind_from=incident.blind_from.isoformat() if incident.blind_from else None,
        opened_at=incident.opened_at.isoformat(),
    )


def notify_failure(draft: Draft, step: Step, about: About, why: str, *, key: str = "") -> None:
    """Notify people, once per effect and ``key``, of a step that failed or is not effective."""
    incident = draft.case.incident(step.incident_id)
    if incident is None:
        return
    draft.notify_about(
        about,
        incident,
        f"{_title(step)}: {name_of(incident)}",
        f"Why: {why.rstrip('.')}.",
        key=f"{step.step.value}-{about}-{step.effect or ''}{key}",
        step=step.step.value,
    )


def _title(step: Step) -> str:
    if step.effect is Effect.TEMPORARY:
        return "Action required: contained only until the next directory synchronization"
    return f"Action required: {NOT_DONE[step.step]}"


def plan_rechecks(draft: Draft, incident_id: str, *, acted_at: datetime | None = None) -> None:
    """Plan re-checks 1 h and 24 h after containment or restoration, and after a later block."""
    for hours in RECHECK_HOURS:
        planned = draft.case.row(Recheck, f"recheck-{incident_id}-{hours:02d}")
        if planned is None or (acted_at is not None and planned.due_at <= acted_at):
            draft.put(Recheck(incident_id=incident_id, after_hours=hours, due_at=draft.now + timedelta(hours=hours)))
