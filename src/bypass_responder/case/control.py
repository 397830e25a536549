"""The controls of an account: what its incidents want, what was observed, and what comes next.

Sign-in has one desired state per account, whatever its incidents are: blocked while one of them wants it, as before our
first block after a release, and otherwise whatever it is. A call is claimed with a token, and its effect is what a
later read shows. Pure; the calls are in ``handling.directory_calls``.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.case.step import (
    GONE,
    LEASE,
    after_change,
    backoff_of,
    finish,
    notify_failure,
    notify_retry,
)
from bypass_responder.errors import NotFoundError, PermissionMissingError, RefusedError, ResponderError, ThrottledError
from bypass_responder.model.base import latest
from bypass_responder.model.case import Case, PriorState
from bypass_responder.model.incident import Incident
from bypass_responder.model.step import Control, Effect, Observed, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account

BLOCK, REVOKE, RELEASE = StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS, StepKind.RELEASE
HELD, WITHHELD = StepState.HELD, StepState.WITHHELD
WANTED = frozenset({StepState.PLANNED, StepState.CLAIMED, StepState.ACTED, StepState.DONE})
READ_BACK_AFTER = timedelta(seconds=5)
READS_BEFORE_CALLING_AGAIN = 6
"""Read-backs at growing intervals, about five minutes in all, before the call is made again."""
UNVERIFIED_AFTER_ATTEMPTS = 4
READ_AGAIN_AFTER = timedelta(minutes=2)
"""One read that shows the account enabled, or absent, may be stale: the next one is this much later."""
ABSENT_READS = 3
LOOK_DAILY, DELETED_FOR = timedelta(days=1), timedelta(days=30)
"""A deleted account can be restored for 30 days."""
SYNCED_AGAIN = timedelta(minutes=35)
"""Entra Connect runs every 30 minutes and may enable a synchronized account."""
BLOCKED_BY_OTHERS = timedelta(hours=24)
"""For this long after the last evidence, an account that somebody else had disabled is blocked when it is enabled."""
CLOCK_SKEW = timedelta(minutes=5)
REFUSALS = (NotFoundError, PermissionMissingError, RefusedError)
"""The call was refused, and nothing changed."""
MOST_PROJECTED = 20
MOST_OPERATIONS = 80
"""Of one transaction, which holds 100, before the effect of another step is recorded: it takes six."""


class Next(StrEnum):
    """What a control needs now."""

    ACT = "act"
    READ = "read"
    WAIT = "wait"
    NOTHING = "nothing"


def wanting(case: Case, kind: StepKind) -> list[Step]:
    """Return the steps by which the incidents of the account want a control, newest incident last.

    Incidents of the history, read besides for late evidence, want nothing: newer ones want the same, or nobody does.
    """
    steps = [
        step
        for step in case.rows(Step)
        if step.step is kind and step.state in WANTED and step.row_key not in case.kept
        if (found := case.incident(step.incident_id)) is not None
        if kind is RELEASE or not ended(case, found)
    ]
    return sorted(steps, key=lambda step: (case.opened_at(step.incident_id), step.incident_id))[-MOST_PROJECTED:]


def ended(case: Case, incident: Incident) -> bool:
    """Return True when a person ended the incident, or released its account since."""
    released = case.head.released_through
    return incident.closed_at is not None or (released is not None and incident.opened_at <= released)


def next_of(control: Control, wants: Sequence[Step], now: datetime) -> tuple[Next, datetime | None]:
    """Return what the control needs now, and with WAIT until when. Total.

    A call of which the effect is not known yet is read back even if nothing wants the control any more.
    """
    if control.lease_until is not None and control.lease_until > now:
        return Next.WAIT, control.lease_until
    if not wants and control.token:
        return Next.READ, None
    planned = [step for step in wants if step.state in {StepState.PLANNED, StepState.CLAIMED}]
    if control.next_at is not None and control.next_at > now:
        return Next.WAIT, control.next_at
    if planned:
        return Next.ACT, None
    return (Next.READ, None) if control.next_at is not None else (Next.NOTHING, None)


def due_at(case: Case, now: datetime) -> list[datetime]:
    """Return when the controls of the account are due."""
    moments = []
    for kind in (BLOCK, REVOKE):
        step, until = next_of(case.control(kind), wanting(case, kind), now)
        if step is not Next.NOTHING:
            moments.append(until or now)
    if releases(case):
        moments.append(case.control(BLOCK).lease_until or case.control(BLOCK).next_at or now)
    return moments


def releases(case: Case) -> list[Step]:
    """Return the release that is wanted, as a list: there is one at most, and none under a newer want to block."""
    found = [step for step in wanting(case, RELEASE) if step.state in {StepState.PLANNED, StepState.CLAIMED}]
    return found[-1:]


def renew(draft: Draft, kind: StepKind) -> None:
    """A new reason to act: what was waited for, or given up, is over; a release that is not done is superseded."""
    control = draft.case.control(kind)
    draft.put(
        control.model_copy(
            update={
                "next_at": None,
                "attempts": 0,
                "first_attempt_at": None,
                "reads": 0,
                "shown_at": None,
                "enabled_since": None,
                "reverted_at": None,
            }
        )
    )
    if kind is not BLOCK:
        return
    why = "a newer bypass wants the block"
    for step in draft.case.rows(Step):
        if step.step is RELEASE and step.state.running:
            draft.put(step.model_copy(update={"state": StepState.CANCELLED, "next_at": None, "reason": why}))
            draft.log("withheld", f"release: {why}", incident=step.incident_id, step="release")


def claim(draft: Draft, kind: StepKind, *, account: Account | None, token: str) -> bool:
    """Take a call for this worker until the lease ends. ``account`` was read just before; the caller logs the claim.

    False: another call is under way, it is not due, or the account shows that nothing is left to do.
    """
    steps = _claimable(draft, kind)
    control = draft.case.control(_row_of(kind))
    if not steps:
        return False
    if account is None:
        observe(draft, _row_of(kind), None)
        return False
    if kind is BLOCK:
        if not account.account_enabled:
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
            }
        )
    )
    _project(draft, kind, steps, StepState.CLAIMED)
    return True


def _claimable(draft: Draft, kind: StepKind) -> list[Step]:
    control = draft.case.control(_row_of(kind))
    if kind is RELEASE:
        free = control.lease_until is None or control.lease_until <= draft.now
        return releases(draft.case) if free and (control.next_at is None or control.next_at <= draft.now) else []
    wants = wanting(draft.case, kind)
    if next_of(control, wants, draft.now)[0] is not Next.ACT:
        return []
    return [step for step in wants if step.state.running]


def _row_of(kind: StepKind) -> StepKind:
    return BLOCK if kind is RELEASE else kind


def give_up_claim(draft: Draft, kind: StepKind, token: str) -> list[Step]:
    """Undo a claim before its call was made. Only the holder of the token may. Returns the steps that were claimed."""
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
    control = draft.case.control(_row_of(kind))
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
            observe(draft, _row_of(kind), None)
        case PermissionMissingError() | RefusedError():
            again = " Then approve the incident again." if isinstance(error, PermissionMissingError) else ""
            _fail(draft, kind, steps, f"{error.diagnostics()}{again}")
        case _:
            _retry(draft, kind, control, steps, error)


def frees_the_slot(case: Case, token: str, error: ResponderError | None, now: datetime) -> bool:
    """Return True when the block under this claim was refused, and no call before it can have changed the account."""
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
    if not steps:
        draft.log("acted", f"{kind.value}: cancelled while under way, and it went through", step=kind.value)
        return
    _project(draft, kind, steps, StepState.ACTED, acted_at=draft.now)
    for step in steps:
        text = f"{kind.value}: accepted by the service"
        draft.log("acted", text, incident=step.incident_id, step=kind.value)
        after_change(draft, step.incident_id)


def _released(draft: Draft, steps: Sequence[Step]) -> None:
    draft.put(Control(control=BLOCK))
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
    due = draft.now + max(wait, timedelta(seconds=min(at_least, LOOK_DAILY.total_seconds())))
    draft.put(control.model_copy(update={"next_at": due}))
    _project(draft, kind, steps, StepState.PLANNED, detail=str(error))
    for step in steps:
        draft.log(
            "retry", f"{kind.value}: {error}", incident=step.incident_id, step=kind.value, next_at=due.isoformat()
        )
        notify_retry(draft, step, str(error), attempts=control.attempts, wait=wait)


def _fail(draft: Draft, kind: StepKind, steps: Sequence[Step], why: str) -> None:
    if kind is BLOCK and _is_first_call(draft.case):
        draft.move_head(prior=None)  # refused at the first call: nothing was changed
    _project(draft, kind, steps, StepState.FAILED, detail=why)
    for step in steps:
        draft.log("failed", f"{kind.value}: {why}", incident=step.incident_id, step=kind.value)
        notify_failure(draft, step, "step_failed", why)
        draft.settle_status(step.incident_id)


def observe(draft: Draft, kind: StepKind, account: Account | None) -> None:
    """Record what a read of the directory shows, and what follows for every incident that wants the control."""
    control = draft.case.control(kind)
    if account is None:
        _absent(draft, kind, control)
        return
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


def _observe_disabled(draft: Draft, control: Control, wants: Sequence[Step], account: Account) -> None:
    ours = draft.case.head.prior is not None  # we have called, and do not always know how that ended
    effect, detail = Effect.NOT_NEEDED, "sign-in was blocked already"
    if ours and account.on_premises_sync_enabled:
        effect, detail = Effect.TEMPORARY, "blocked until the next directory synchronization undoes it"
    elif ours:
        effect, detail = Effect.EFFECTIVE, "sign-in is blocked"
    first_look = account.on_premises_sync_enabled and any(step.state.running for step in wants)
    draft.put(
        control.model_copy(
            update={
                "shown_at": draft.now if ours else None,
                "enabled_since": None,
                "reads": 0,
                "next_at": draft.now + SYNCED_AGAIN if first_look else None,
            }
        )
    )
    held = [
        step
        for step in draft.case.rows(Step)
        if ours and step.step is BLOCK and step.state in {HELD, WITHHELD} and _open(draft.case, step)
    ]
    _finish(draft, BLOCK, (*wants, *held), effect, detail)


def _open(case: Case, step: Step) -> bool:
    incident = case.incident(step.incident_id)
    return incident is not None and not ended(case, incident)


def _observe_enabled(draft: Draft, control: Control, wants: Sequence[Step]) -> None:
    since = control.enabled_since or draft.now
    if not wants:
        unknown = control.acted_at is not None and control.shown_at is None
        if unknown and control.reads < READS_BEFORE_CALLING_AGAIN:
            reads = control.reads + 1
            again = draft.now + READ_BACK_AFTER * 2**reads
            control = control.model_copy(update={"reads": reads, "next_at": again})
        draft.put(control)
    elif control.shown_at is not None and control.reverted_at is None:
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
            _revert(draft, wants)
    elif control.acted_at is not None and any(step.state is StepState.ACTED for step in wants):
        _not_shown_yet(draft, BLOCK, control, wants, "the directory still allows sign-in")
    else:
        draft.put(control)
        _no_longer_blocked_by_others(draft, wants)


def _not_shown_yet(draft: Draft, kind: StepKind, control: Control, wants: Sequence[Step], why: str) -> None:
    """Read again, later each time; then call again, because somebody may have undone the call at once."""
    running = [step for step in wants if step.state.running]
    reads = control.reads + 1
    if reads < READS_BEFORE_CALLING_AGAIN:
        draft.put(control.model_copy(update={"reads": reads, "next_at": draft.now + READ_BACK_AFTER * 2**reads}))
        _project(draft, kind, running, StepState.ACTED, readbacks=reads, detail=why)
        return
    if control.attempts >= UNVERIFIED_AFTER_ATTEMPTS:
        draft.put(control.model_copy(update={"reads": 0, "next_at": None}))
        _finish(draft, kind, wants, Effect.UNVERIFIED, why)
        return
    draft.put(control.model_copy(update={"reads": 0, "next_at": draft.now}))
    _project(draft, kind, running, StepState.PLANNED, detail=why)
    for step in running:
        draft.log("retry", f"{kind.value}: {why}; called again", incident=step.incident_id, step=kind.value)


def _no_longer_blocked_by_others(draft: Draft, wants: Sequence[Step]) -> None:
    """Somebody else had disabled the account, and it is enabled: block it while the evidence is fresh, else ask."""
    for step in wants:
        if step.state is not StepState.DONE:
            continue
        _follow_later(draft)
        fresh = draft.now - _last_evidence(draft.case, step.incident_id) <= BLOCKED_BY_OTHERS
        state = StepState.PLANNED if fresh else StepState.HELD
        why = "the account, which somebody else had disabled, is enabled"
        draft.put(step.model_copy(update={"state": state, "effect": None, "detail": why, "next_at": None}))
        draft.log("reverted", why, incident=step.incident_id, step=step.step.value, state=state.value)
        incident = draft.settle_status(step.incident_id)
        if incident and not fresh:
            title = f"Waiting for a person: {incident.account or incident.target}"
            draft.notify_about("held", incident, title, f"{why}. Held: block_sign_in.", key="enabled")


def _last_evidence(case: Case, incident_id: str) -> datetime:
    incident = case.incident(incident_id)
    return latest(incident.last_evidence_at, incident.opened_at) if incident else case.opened_at(incident_id)


def _absent(draft: Draft, kind: StepKind, control: Control) -> None:
    """The account was not found: an observation, not an end. It can be a stale replica, or be restored later."""
    since, reads = control.absent_since or draft.now, control.absent_reads + 1
    certain = reads >= ABSENT_READS and draft.now - since >= READ_AGAIN_AFTER
    wait = LOOK_DAILY if certain else READ_AGAIN_AFTER / 2
    again = draft.now + wait if draft.now + wait <= since + DELETED_FOR else None
    draft.put(
        control.model_copy(
            update={
                "observed": Observed.ABSENT,
                "observed_at": draft.now,
                "absent_since": since,
                "absent_reads": reads,
                "next_at": again,
                "token": None,
                "calling": None,
                "lease_until": None,
            }
        )
    )
    if certain:
        _finish(draft, kind, wanting(draft.case, kind), Effect.NOT_NEEDED, GONE)
        return
    running = [step for step in wanting(draft.case, kind) if step.state.running]
    _project(draft, kind, running, StepState.PLANNED, detail="the directory does not find the account yet")


def _observe_revocation(draft: Draft, control: Control, wants: Sequence[Step], account: Account) -> None:
    acted = [step for step in wants if step.state is StepState.ACTED]
    back = [step for step in wants if step.state is StepState.DONE and step.detail == GONE]
    if back:  # the account was restored
        _project(draft, REVOKE, back, StepState.PLANNED, detail="the account is back")
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


def _revert(draft: Draft, wants: Iterable[Step]) -> None:
    """The account is enabled, and not by us. The block is not made again without a new reason."""
    _follow_later(draft)
    for step in wants:
        incident = _show_reverted(draft, step)
        if incident is not None:
            draft.notify_about(
                "step_ineffective",
                incident,
                f"Sign-in is open again: {incident.account}",
                "Somebody, or the directory synchronization, enabled the account after we blocked it. "
                f"To block it again: bypassctl incidents approve {incident.id} --reason …",
                key="reverted",
            )


def _show_reverted(draft: Draft, step: Step) -> Incident | None:
    why = "the account was enabled again"
    reverted = {"state": StepState.FAILED, "effect": Effect.REVERTED, "detail": why, "next_at": None}
    draft.put(step.model_copy(update=reverted))
    draft.log("reverted", why, incident=step.incident_id)
    return draft.settle_status(step.incident_id)


def _follow_later(draft: Draft) -> None:
    """Mark that incidents of the history are to show that the account is enabled."""
    if draft.case.head.filed_through is not None:
        draft.move_head(enabled_again_at=draft.now)


def show_reverted(draft: Draft) -> None:
    """Show in incidents of the history that the block was undone, as many as one transaction takes."""
    since = draft.case.head.enabled_again_at
    if since is None:
        return
    kept = [
        step
        for step in draft.case.rows(Step)
        if step.row_key in draft.case.kept
        and (step.step, step.state) == (BLOCK, StepState.DONE)
        and draft.case.opened_at(step.incident_id) <= since
        and _open(draft.case, step)
    ]
    for step in kept[:MOST_PROJECTED]:
        _show_reverted(draft, step)
    if len(kept) <= MOST_PROJECTED:
        draft.move_head(enabled_again_at=None)


def _finish(draft: Draft, kind: StepKind, wants: Sequence[Step], effect: Effect, detail: str) -> None:
    """Record the effect with every step that does not have it, as many as one transaction takes."""
    for step in wants:
        if draft.size > MOST_OPERATIONS:
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


def _project(draft: Draft, kind: StepKind, steps: Iterable[Step], state: StepState, **changes: object) -> None:
    """Show in the steps how far the control is."""
    control = draft.case.control(_row_of(kind))
    shown = {
        "state": state,
        "attempts": control.attempts,
        "first_attempt_at": control.first_attempt_at,
        "lease_until": control.lease_until,
        "next_at": control.next_at,
    }
    for step in steps:
        now = draft.case.row(Step, step.row_key) or step
        draft.put(now.model_copy(update=shown | changes))
        draft.settle_status(step.incident_id)


def observe_release(draft: Draft, step: Step, account: Account | None) -> None:
    """Record the effect of a release that was accepted."""
    current = draft.case.row(Step, step.row_key)
    if current is None or current.state is not StepState.ACTED:
        return
    reads = current.readbacks + 1
    if account is not None:
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
