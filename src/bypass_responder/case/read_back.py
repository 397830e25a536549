"""The effect of a step, judged by what the directory says afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.step import Effect, Step, StepKind, StepState

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account

from bypass_responder.case.step import GONE, READ_BACK_AFTER, finish, tell_failure

READ_BACK_TIMES = 8
"""Read-backs at growing intervals, about 20 minutes in all, before an effect is called unverified."""
CLOCK_SKEW = timedelta(minutes=5)


def record_read_back(draft: Draft, incident_id: str, kind: StepKind, *, account: Account | None) -> None:
    """Judge the effect by what the directory says now. A stale answer is read again, not a failure."""
    step = draft.step(incident_id, kind)
    if step is None or step.state is not StepState.ACTED:
        return
    effect, detail = read_effect(step, account)
    if effect is not None:
        finish(draft, step, effect, detail)
        if effect in {Effect.TEMPORARY, Effect.INEFFECTIVE}:
            tell_failure(draft, step, "step_ineffective", detail)
    elif step.readbacks + 1 >= READ_BACK_TIMES:
        finish(draft, step, Effect.UNVERIFIED, detail)
        tell_failure(draft, step, "step_ineffective", detail)
    else:
        again = draft.now + READ_BACK_AFTER * 2 ** (step.readbacks + 1)
        draft.put(step.model_copy(update={"readbacks": step.readbacks + 1, "next_at": again, "detail": detail}))


def read_effect(step: Step, account: Account | None) -> tuple[Effect | None, str]:
    """The effect of a step as the account shows it; None while it does not show yet."""
    if account is None:
        return Effect.NOT_NEEDED, GONE
    if step.step is StepKind.BLOCK_SIGN_IN:
        if account.account_enabled:
            return None, "the directory still says that sign-in is allowed"
        if account.on_premises_sync_enabled:
            return Effect.TEMPORARY, "blocked until the next directory synchronisation undoes it"
        return Effect.EFFECTIVE, "sign-in is blocked"
    if step.step is StepKind.RELEASE:
        return (Effect.EFFECTIVE if account.account_enabled else None), "sign-in is allowed again, as before"
    if account.guest:
        return Effect.INEFFECTIVE, "sessions of a guest cannot be revoked from this tenant"
    valid_from, first = account.sessions_valid_from, step.first_attempt_at
    if valid_from is None or first is None or valid_from < first - CLOCK_SKEW:
        return None, "the directory does not show the revocation yet"
    return Effect.EFFECTIVE, f"sessions from before {valid_from:%Y-%m-%d %H:%M:%SZ} are invalid"
