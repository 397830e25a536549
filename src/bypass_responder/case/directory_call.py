"""Calls that change an account: claimed by token, undone before the call, recorded at its end. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.control import (
    BLOCK,
    READ_DAILY,
    READS_BEFORE_CALLING_AGAIN,
    RELEASE,
    REVOKE,
    Next,
    look_for_older_wants,
    next_of,
    project,
    releases,
    renew,
    row_of,
    wanting,
)
from bypass_responder.case.observation import READ_BACK_AFTER, REPLICATED, observe
from bypass_responder.case.step import LEASE, after_change, backoff_of, notify_failure, notify_retry
from bypass_responder.errors import NotFoundError, PermissionMissingError, RefusedError, ResponderError, ThrottledError
from bypass_responder.model.case import Case, PriorState
from bypass_responder.model.step import Control, Effect, Observed, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account

REFUSALS = (NotFoundError, PermissionMissingError, RefusedError)
"""The call was refused, and nothing changed."""


def claim(draft: Draft, kind: StepKind, *, account: Account | None, token: str) -> bool:
    """Claim a call for this worker until the lease ends. ``account`` was just read; the caller logs it.

    False: another call is under way, it is not due, or the account shows that nothing is left to do.
    """
    steps = _claimable(draft, kind)
    control = draft.case.control(row_of(kind))
    if not steps:
        return False
    if account is None:
        observe(draft, row_of(kind), None)
        return False
    if kind is BLOCK:
        if not may_sign_in(draft.case, account, draft.now):
            observe(draft, kind, account)
            return False
        if draft.case.head.prior is None:
            draft.move_head(prior=PriorState(account_enabled=True, recorded_at=draft.now))
    draft.put(
        control.model_copy(
            update={
                "calling": kind,
                "token": token,
                "lease_until": draft.now + LEASE,
                "attempts": control.attempts + 1,
                "first_attempt_at": control.first_attempt_at or draft.now,
                "next_at": None,
                "observed": Observed.ENABLED if account.account_enabled else Observed.DISABLED,
                "observed_at": draft.now,
                "absent_since": None,
                "absent_reads": 0,
            }
        )
    )
    project(draft, kind, steps, StepState.CLAIMED)
    for step in wanting(draft.case, kind):  # whose block does not stand
        draft.settle_status(step.incident_id)
    return True


def may_sign_in(case: Case, account: Account, now: datetime) -> bool:
    """Return True for an account that is enabled, or was just enabled by us.

    A read may not show the latter yet.
    """
    released_at = case.control(BLOCK).released_at
    return account.account_enabled or (released_at is not None and now - released_at <= REPLICATED)


def _claimable(draft: Draft, kind: StepKind) -> list[Step]:
    control = draft.case.control(row_of(kind))
    if kind is RELEASE:
        free = control.lease_until is None or control.lease_until <= draft.now
        return releases(draft.case) if free and (control.next_at is None or control.next_at <= draft.now) else []
    wants = wanting(draft.case, kind)
    if next_of(control, wants, draft.now)[0] is not Next.ACT:
        return []
    return [step for step in wants if step.state.running]


def give_up_claim(draft: Draft, kind: StepKind, token: str) -> list[Step]:
    """Undo a claim before its call; only the token's holder may. Returns the claimed steps."""
    control = draft.case.control(kind)
    if control.token != token:
        return []
    first_call = _is_first_call(draft.case)
    undone = {"token": None, "calling": None, "lease_until": None, "attempts": control.attempts - 1}
    if control.attempts == 1:
        undone["first_attempt_at"] = None
    draft.put(control.model_copy(update=undone))
    if kind is BLOCK and first_call:
        draft.move_head(prior=None)
    return [step for step in wanting(draft.case, kind) if step.state is StepState.CLAIMED]


def record_call(draft: Draft, kind: StepKind, token: str, error: ResponderError | None) -> None:
    """Record how a call ended. Its effect is read later; a result under an old token only causes a read."""
    control = draft.case.control(row_of(kind))
    if control.token != token:
        if control.lease_until is None:
            draft.put(control.model_copy(update={"next_at": draft.now}))
        return
    control = control.model_copy(update={"token": None, "calling": None, "lease_until": None})
    draft.put(control)
    steps = [step for step in _steps_of(draft.case, kind) if step.state.running]
    match error:
        case None:
            _accepted(draft, kind, control, steps)
        case NotFoundError():
            observe(draft, row_of(kind), None)
        case PermissionMissingError() | RefusedError():
            again = " Then approve the incident." if isinstance(error, PermissionMissingError) else ""
            _fail(draft, kind, steps, f"{error.diagnostics()}{again}")
        case _:
            _retry(draft, kind, control, steps, error)


def frees_the_slot(case: Case, token: str, error: ResponderError | None, now: datetime) -> bool:
    """Return True when the block under this claim was refused and no earlier call can have had effect."""
    control = case.control(BLOCK)
    claimed = control.token == token and control.lease_until is not None and control.lease_until > now
    return claimed and isinstance(error, REFUSALS) and _is_first_call(case)


def _is_first_call(case: Case) -> bool:
    """Return True when the block was called once since the prior state of the account was recorded."""
    prior, control = case.head.prior, case.control(BLOCK)
    return control.attempts == 1 and prior is not None and prior.recorded_at == control.first_attempt_at


def _steps_of(case: Case, kind: StepKind) -> list[Step]:
    return releases(case) if kind is RELEASE else wanting(case, kind)


def _accepted(draft: Draft, kind: StepKind, control: Control, steps: Sequence[Step]) -> None:
    if kind is RELEASE:
        _released(draft, steps)
        return
    acted = {"acted_at": draft.now, "next_at": draft.now + READ_BACK_AFTER, "reads": 0, "enabled_since": None}
    draft.put(control.model_copy(update=acted))
    if kind is BLOCK:
        _revoke_again(draft, steps)
    if not steps:
        draft.log("acted", f"{kind.value}: canceled while under way, and it went through", step=kind.value)
        return
    project(draft, kind, steps, StepState.ACTED, acted_at=draft.now)
    for step in steps:
        text = f"{kind.value}: accepted by the service"
        draft.log("acted", text, incident=step.incident_id, step=kind.value)
        after_change(draft, step.incident_id)


def _revoke_again(draft: Draft, blocks: Sequence[Step]) -> None:
    """Plan the revocation again where it came before these blocks.

    A sign-in in between has valid sessions.
    """
    blocked = {step.incident_id for step in blocks}
    before = [
        step
        for step in wanting(draft.case, REVOKE)
        if step.incident_id in blocked
        if step.state in {StepState.ACTED, StepState.DONE} and step.effect is not Effect.INEFFECTIVE
    ]
    if not before:
        return
    renew(draft, REVOKE)
    for step in before:
        planned = {"state": StepState.PLANNED, "effect": None, "next_at": draft.now, "detail": ""}
        draft.put(step.model_copy(update=planned))
    text = "revoke_sessions: called again, because the block came later"
    draft.log("retry", text, incident=before[-1].incident_id, step=REVOKE.value)


def _released(draft: Draft, steps: Sequence[Step]) -> None:
    draft.put(Control(control=BLOCK, released_at=draft.now))
    draft.put(Control(control=REVOKE))
    draft.move_head(prior=None)
    for step in steps:
        accepted = {"state": StepState.ACTED, "acted_at": draft.now, "next_at": draft.now + READ_BACK_AFTER}
        draft.put(step.model_copy(update=accepted | {"detail": ""}))
        draft.log("acted", "release: accepted by the service", incident=step.incident_id, step="release")
        draft.log("released", "the state from before our first block is restored", incident=step.incident_id)


def _retry(draft: Draft, kind: StepKind, control: Control, steps: Sequence[Step], error: ResponderError) -> None:
    at_least = error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0
    wait = backoff_of(control.attempts)
    due = draft.now + max(wait, timedelta(seconds=min(at_least, READ_DAILY.total_seconds())))
    draft.put(control.model_copy(update={"next_at": due}))
    project(draft, kind, steps, StepState.PLANNED, detail=str(error))
    for step in steps:
        draft.log(
            "retry", f"{kind.value}: {error}", incident=step.incident_id, step=kind.value, next_at=due.isoformat()
        )
        notify_retry(draft, step, str(error), attempts=control.attempts, wait=wait)


def _fail(draft: Draft, kind: StepKind, steps: Sequence[Step], why: str) -> None:
    if kind is BLOCK and _is_first_call(draft.case):  # refused at the first call: nothing was changed, nothing to read
        draft.move_head(prior=None)
        draft.put(draft.case.control(BLOCK).model_copy(update={"reads": READS_BEFORE_CALLING_AGAIN}))
    project(draft, kind, steps, StepState.FAILED, detail=why)
    for step in steps:
        draft.log("failed", f"{kind.value}: {why}", incident=step.incident_id, step=kind.value)
        notify_failure(draft, step, "step_failed", why)
        draft.settle_status(step.incident_id)
    if kind is BLOCK:
        look_for_older_wants(draft)
