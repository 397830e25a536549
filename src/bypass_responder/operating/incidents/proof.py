"""The controls of an incident, each with its effect and the proof of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.control import row_of
from bypass_responder.model.base import Utc, Value, moment
from bypass_responder.model.message import Command, CommandKind
from bypass_responder.model.step import Effect, Observed, Step, StepKind, StepState

if TYPE_CHECKING:
    from bypass_responder.model.case import Case
    from bypass_responder.model.message import ExchangeResult

NAMES = {
    StepKind.BLOCK_SIGN_IN: "Block sign-in",
    StepKind.REVOKE_SESSIONS: "Revoke sessions",
    StepKind.DISABLE_BYPASS: "Remove bypass",
    StepKind.RELEASE: "Release",
}
_STATES = {
    StepState.PLANNED: "in progress",
    StepState.CLAIMED: "in progress",
    StepState.ACTED: "accepted, not read back yet",
    StepState.DONE: "done",
    StepState.FAILED: "failed",
    StepState.HELD: "held, needs a decision",
    StepState.WITHHELD: "not done, MODE is observe",
    StepState.CANCELED: "canceled",
}
_EFFECTS = {
    Effect.EFFECTIVE: "effective",
    Effect.TEMPORARY: "temporary",
    Effect.INEFFECTIVE: "no effect",
    Effect.REVERTED: "undone, the account was enabled again",
    Effect.UNVERIFIED: "not verified",
    Effect.NOT_NEEDED: "not needed",
}


class ControlView(Value):
    """One control: what is wanted, what came of it, and by which read that is known."""

    control: StepKind
    name: str
    state: StepState
    effect: Effect | None
    result: str
    """State and effect in words."""
    why: str
    """The detail of the result, or the reason of the plan."""
    proof: str
    """The read that shows the effect; empty before any."""
    proof_at: Utc | None
    attempts: int
    first_attempt_at: Utc | None
    acted_at: Utc | None
    approved_by: str | None
    waits: bool
    """True: only a person's decision continues it."""


def controls_of(case: Case, incident_id: str) -> tuple[ControlView, ...]:
    """Return the controls of an incident, in the order in which they act."""
    order = list(StepKind)
    steps = sorted(case.steps(incident_id), key=lambda step: order.index(step.step))
    return tuple(_control(case, step) for step in steps)


def _control(case: Case, step: Step) -> ControlView:
    proof, at = _proof(case, step)
    result = _EFFECTS[step.effect] if step.effect else _STATES[step.state]
    return ControlView(
        control=step.step,
        name=NAMES[step.step],
        state=step.state,
        effect=step.effect,
        result=f"{result}, until the release" if _is_released(case, step) else result,
        why=step.detail or step.reason,
        proof=proof,
        proof_at=at,
        attempts=step.attempts,
        first_attempt_at=step.first_attempt_at,
        acted_at=step.acted_at,
        approved_by=step.approved_by,
        waits=step.approvable,
    )


def _is_released(case: Case, step: Step) -> bool:
    """Return True for a block that was effective until a release enabled the account again."""
    release = case.step(step.incident_id, StepKind.RELEASE)
    over = release is not None and release.state is StepState.DONE
    return over and step.step is StepKind.BLOCK_SIGN_IN and step.effect in {Effect.EFFECTIVE, Effect.TEMPORARY}


def _proof(case: Case, step: Step) -> tuple[str, Utc | None]:
    if step.step is StepKind.DISABLE_BYPASS:
        answer = _last_answer(case, step.incident_id)
        return (_read_of_exchange(answer), answer.read_at) if answer else ("", None)
    control = case.control(row_of(step.step))
    if control.observed is None or control.observed_at is None:
        return "", None
    if step.step is StepKind.REVOKE_SESSIONS:
        return (step.detail, control.observed_at) if step.effect is Effect.EFFECTIVE else ("", None)
    read = {
        Observed.ENABLED: "sign-in enabled",
        Observed.DISABLED: "sign-in disabled",
        Observed.ABSENT: "account not found",
    }
    return f"Entra ID: {read[control.observed]} (read {moment(control.observed_at)})", control.observed_at


def _last_answer(case: Case, incident_id: str) -> ExchangeResult | None:
    answers = [
        row.answer
        for row in case.rows(Command)
        if row.incident_id == incident_id and row.command is CommandKind.DISABLE_BYPASS
        if row.answer is not None and row.answer.read_at is not None and row.answer.is_about(case.target)
    ]
    return max(answers, key=lambda answer: str(answer.read_at), default=None)


def _read_of_exchange(answer: ExchangeResult) -> str:
    value = answer.before if answer.after is None else answer.after
    read = {True: "bypass on", False: "bypass off", None: "not read"}[value]
    at = f" (read {moment(answer.read_at)})" if answer.read_at else ""
    return f"Exchange: {read}{at}, {answer.outcome.value.replace('_', ' ')}"
