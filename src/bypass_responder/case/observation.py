"""What reads of the directory show, and what follows for every incident that wants the control. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.control import (
    BLOCK,
    READ_DAILY,
    READS_BEFORE_CALLING_AGAIN,
    REVOKE,
    effect_is_unknown,
    ended,
    project,
    releases,
    wanting,
)
from bypass_responder.case.enabled_again import STILL_ALLOWED, block_again_or_hold, report_reverted
from bypass_responder.case.step import GONE, after_change, finish, notify_failure
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import SHOWN, Control, Effect, Observed, Rule, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case

HELD, WITHHELD = StepState.HELD, StepState.WITHHELD
READ_BACK_AFTER = timedelta(seconds=5)
UNVERIFIED_AFTER_ATTEMPTS = 4
READ_AGAIN_AFTER = timedelta(minutes=2)
"""One read that shows the account enabled, or absent, may be stale: the next one is this much later."""
ABSENT_READS = 3
DELETED_FOR = timedelta(days=30)
"""A deleted account can be restored for 30 days."""
REPLICATED = timedelta(minutes=6)
"""Longer than a replica of Entra ID is behind: for so long a read may show what is no longer true."""
SYNCED_AGAIN = timedelta(minutes=35)
"""Entra Connect runs every 30 minutes and may enable a synchronized account."""
BACK = "the account is back"
CLOCK_SKEW = timedelta(minutes=5)
ROOM = 20
"""Operations left in a transaction that records the effect of another step, which takes six."""


def observe(draft: Draft, kind: StepKind, account: Account | None) -> None:
    """Record a directory read and its consequences for every incident that wants the control."""
    control = draft.case.control(kind)
    if account is None:
        _absent(draft, kind, control)
        return
    _want_auditing_again(draft)
    seen = Observed.ENABLED if account.account_enabled else Observed.DISABLED
    control = control.model_copy(
        update={"observed": seen, "observed_at": draft.now, "absent_since": None, "absent_reads": 0, "next_at": None}
    )
    if control.lease_until is not None and control.lease_until <= draft.now:
        control = control.model_copy(update={"token": None, "calling": None, "lease_until": None})
    wants = wanting(draft.case, kind)
    if kind is REVOKE:
        _observe_revocation(draft, control, wants, account)
    elif seen is Observed.DISABLED:
        _observe_disabled(draft, control, wants, account)
    else:
        _observe_enabled(draft, control, wants)
    for step in wants:
        draft.settle_status(step.incident_id)


def _want_auditing_again(draft: Draft) -> None:
    """Plan the removal of a bypass again that was not proven off because the account was gone: it is back."""
    for step in draft.case.rows(Step):
        incident = draft.case.incident(step.incident_id)
        gone = step.step is StepKind.DISABLE_BYPASS and step.state is StepState.DONE and step.detail == GONE
        if not gone or incident is None or incident.restored_at is not None or step.row_key in draft.case.kept:
            continue
        if incident.closed_at is None or incident.status is IncidentStatus.RELEASED:
            planned = {"state": StepState.PLANNED, "effect": None, "next_at": draft.now, "detail": BACK}
            draft.put(step.model_copy(update=planned))
            draft.log("retry", f"{step.step.value}: {BACK}", incident=incident.id, step=step.step.value)
            draft.settle_status(incident.id)


def _observe_disabled(draft: Draft, control: Control, wants: Sequence[Step], account: Account) -> None:
    ours = draft.case.head.prior is not None  # we have called, and do not always know how that ended
    effect, detail = Effect.NOT_NEEDED, "sign-in was blocked already"
    if ours and account.on_premises_sync_enabled:
        effect, detail = Effect.TEMPORARY, "blocked until the next directory synchronization undoes it"
    elif ours:
        effect, detail = Effect.EFFECTIVE, "sign-in is blocked"
    draft.put(
        control.model_copy(
            update={
                "shown_at": draft.now if ours else None,
                "enabled_since": None,
                "reads": 0,
                "next_at": _next_read(wants, account, ours=ours, now=draft.now),
            }
        )
    )
    held = [
        step
        for step in draft.case.rows(Step)
        if ours and step.step is BLOCK and _waits_or_was_withheld(step) and _open_and_resolved(draft.case, step)
    ]
    _finish(draft, BLOCK, (*wants, *held), effect, detail)


def _next_read(wants: Sequence[Step], account: Account, *, ours: bool, now: datetime) -> datetime | None:
    """Return when a disabled account is read again; None if it was read often enough for the newest want.

    What somebody else is seen to have done may be over, and a replica late: our own release, or an attacker's enabling.
    """
    running = any(step.state.running for step in wants)
    since = now if running else max((step.acted_at for step in wants if step.acted_at), default=now)
    looks = [] if ours else [since + REPLICATED]
    looks += [since + SYNCED_AGAIN] if account.on_premises_sync_enabled else []
    return min((at for at in looks if at > now and wants), default=None)


def _waits_or_was_withheld(step: Step) -> bool:
    return step.state in {HELD, WITHHELD} or (step.state is StepState.CANCELED and step.reason == Rule.PROTECTED)


def _open_and_resolved(case: Case, step: Step) -> bool:
    """Return True when no one has ended the incident, and its account is certain."""
    incident = case.incident(step.incident_id)
    return incident is not None and not ended(case, incident) and incident.account is not None


def _observe_enabled(draft: Draft, control: Control, wants: Sequence[Step]) -> None:
    shown = control.shown_at is not None and control.reverted_at is None
    if not wants:
        if effect_is_unknown(control):
            reads = control.reads + 1
            again = draft.now + READ_BACK_AFTER * 2**reads
            control = control.model_copy(update={"reads": reads, "next_at": again})
        draft.put(control)
    elif not shown and control.acted_at is not None and any(step.state is StepState.ACTED for step in wants):
        _not_shown_yet(draft, BLOCK, control, wants, STILL_ALLOWED)
    else:
        undone = [step for step in wants if shown or step.effect in SHOWN]
        draft.put(control)
        block_again_or_hold(draft, [step for step in wants if step not in undone])
        if undone:
            _observe_undone(draft, control, undone)


def _observe_undone(draft: Draft, control: Control, undone: Sequence[Step]) -> None:
    """Record that a block of ours, which a read had shown, is undone: two reads make it certain."""
    since = control.enabled_since or draft.now
    certain = draft.now - since >= READ_AGAIN_AFTER
    draft.put(
        control.model_copy(
            update={
                "enabled_since": since,
                "next_at": None if certain else since + READ_AGAIN_AFTER,
                "reverted_at": draft.now if certain else None,
                "acted_at": None if certain else control.acted_at,
            }
        )
    )
    if certain:
        report_reverted(draft, undone)
        if any(step.effect in SHOWN for step in wanting(draft.case, BLOCK)):  # more than are shown in one go
            draft.put(draft.case.control(BLOCK).model_copy(update={"next_at": draft.now}))


def _not_shown_yet(draft: Draft, kind: StepKind, control: Control, wants: Sequence[Step], why: str) -> None:
    """Read again, later each time; then call again, because somebody may have undone the call at once."""
    running = [step for step in wants if step.state.running]
    reads = control.reads + 1
    if reads < READS_BEFORE_CALLING_AGAIN:
        draft.put(control.model_copy(update={"reads": reads, "next_at": draft.now + READ_BACK_AFTER * 2**reads}))
        project(draft, kind, running, StepState.ACTED, readbacks=reads, detail=why)
        return
    if control.attempts >= UNVERIFIED_AFTER_ATTEMPTS:
        draft.put(control.model_copy(update={"reads": 0, "next_at": None}))
        _finish(draft, kind, wants, Effect.UNVERIFIED, why)
        return
    draft.put(control.model_copy(update={"reads": 0, "next_at": draft.now}))
    project(draft, kind, running, StepState.PLANNED, detail=why)
    for step in running:
        draft.log("retry", f"{kind.value}: {why}; called again", incident=step.incident_id, step=kind.value)


def _absent(draft: Draft, kind: StepKind, control: Control) -> None:
    """Record that the account was not found: a stale replica, or deleted and restorable."""
    since, reads = control.absent_since or draft.now, control.absent_reads + 1
    certain = reads >= ABSENT_READS and draft.now - since >= READ_AGAIN_AFTER
    wait = READ_DAILY if certain else READ_AGAIN_AFTER / 2
    again = None if certain and draft.now + wait > since + DELETED_FOR else draft.now + wait
    draft.put(
        control.model_copy(
            update={
                "observed": Observed.ABSENT,
                "observed_at": draft.now,
                "absent_since": since,
                "absent_reads": reads,
                "next_at": again,
                "reads": READS_BEFORE_CALLING_AGAIN if again is None else control.reads,
                "token": None,
                "calling": None,
                "lease_until": None,
            }
        )
    )
    if again is None:  # nobody can restore it any more
        for release in releases(draft.case):
            finish(draft, release, Effect.NOT_NEEDED, GONE)
    if certain:
        _finish(draft, kind, wanting(draft.case, kind), Effect.NOT_NEEDED, GONE)
        return
    running = [step for step in wanting(draft.case, kind) if step.state.running]
    project(draft, kind, running, StepState.PLANNED, detail="the directory does not find the account yet")


def _observe_revocation(draft: Draft, control: Control, wants: Sequence[Step], account: Account) -> None:
    acted = [step for step in wants if step.state is StepState.ACTED]
    back = [step for step in wants if step.state is StepState.DONE and step.detail == GONE]
    if back:  # the account was restored
        project(draft, REVOKE, back, StepState.PLANNED, detail=BACK)
    if not acted:
        draft.put(control)
        return
    valid_from, first = account.sessions_valid_from, control.first_attempt_at
    if account.guest:
        draft.put(control)
        _finish(draft, REVOKE, acted, Effect.INEFFECTIVE, "sessions of a guest cannot be revoked from this tenant")
    elif valid_from is None or first is None or valid_from < first - CLOCK_SKEW:
        _not_shown_yet(draft, REVOKE, control, acted, "the directory does not show the revocation yet")
    else:
        draft.put(control)
        text = f"sessions from before {valid_from:%Y-%m-%d %H:%M:%SZ} are invalid"
        _finish(draft, REVOKE, acted, Effect.EFFECTIVE, text)


def _finish(draft: Draft, kind: StepKind, wants: Sequence[Step], effect: Effect, detail: str) -> None:
    """Record the effect with every step that does not have it, as many as one transaction takes."""
    for step in wants:
        if not draft.has_room(ROOM):
            draft.put(draft.case.control(kind).model_copy(update={"next_at": draft.now}))
            return
        if step.state is StepState.DONE and step.effect is effect and step.detail == detail:
            continue
        if step.state is StepState.DONE and kind is BLOCK and effect is Effect.NOT_NEEDED and detail != GONE:
            continue
        control = draft.case.control(kind)
        draft.put(
            step.model_copy(
                update={
                    "state": StepState.DONE,
                    "effect": effect,
                    "detail": detail,
                    "acted_at": step.acted_at or control.acted_at or draft.now,
                    "attempts": max(step.attempts, control.attempts),
                    "lease_until": None,
                    "next_at": None,
                }
            )
        )
        text = f"{kind.value}: {effect.value}, {detail}"
        draft.log("effect", text, incident=step.incident_id, step=kind.value, effect=effect.value)
        if effect in {Effect.TEMPORARY, Effect.INEFFECTIVE, Effect.UNVERIFIED}:
            done = draft.case.step(step.incident_id, kind)
            notify_failure(draft, done or step, "step_ineffective", detail)
        after_change(draft, step.incident_id)
    if any(step.state is StepState.ACTED for step in wanting(draft.case, kind)):  # more than are shown in one go
        draft.put(draft.case.control(kind).model_copy(update={"next_at": draft.now}))


def observe_release(draft: Draft, step: Step, account: Account | None) -> None:
    """Record the effect of a release that was accepted."""
    current = draft.case.row(Step, step.row_key)
    if current is None or current.state is not StepState.ACTED:
        return
    reads = current.readbacks + 1
    if account is not None:
        _want_auditing_again(draft)
        seen = Observed.ENABLED if account.account_enabled else Observed.DISABLED
        draft.put(draft.case.control(BLOCK).model_copy(update={"observed": seen, "observed_at": draft.now}))
    if account is not None and account.account_enabled:
        finish(draft, current, Effect.EFFECTIVE, "sign-in is allowed again, as before")
    elif reads < READS_BEFORE_CALLING_AGAIN:
        again = draft.now + READ_BACK_AFTER * 2**reads
        draft.put(current.model_copy(update={"readbacks": reads, "next_at": again}))
    elif account is None:
        finish(draft, current, Effect.NOT_NEEDED, GONE)
    else:
        finish(draft, current, Effect.UNVERIFIED, "the directory does not show that sign-in is allowed")
        notify_failure(draft, current, "step_ineffective", "the directory does not show that sign-in is allowed")
