"""The controls of an account: what its incidents want, and what comes next. Pure.

Sign-in has one desired state per account, whatever its incidents are: blocked while one of them wants it, as before our
first block after a release, and otherwise whatever it is. ``case.directory_call`` claims a call with a token, and
``case.observation`` records the effect, which is what a later read shows.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.model.step import Control, Observed, Step, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case
    from bypass_responder.model.incident import Incident

BLOCK, REVOKE, RELEASE = StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS, StepKind.RELEASE
WANTED = frozenset({StepState.PLANNED, StepState.CLAIMED, StepState.ACTED, StepState.DONE})
READS_BEFORE_CALLING_AGAIN = 6
"""Read-backs at growing intervals, about five minutes in all, before the call is made again."""
READ_DAILY = timedelta(days=1)
"""How often the account of a finished block is read, and a deleted one, which may be restored."""
MOST_PROJECTED = 20


class Next(StrEnum):
    """What a control needs now."""

    ACT = "act"
    READ = "read"
    WAIT = "wait"
    NOTHING = "nothing"


def wanting(case: Case, kind: StepKind) -> list[Step]:
    """Return the steps by which the incidents of the account want a control, newest incident last.

    No more than are changed in one transaction: those that are not finished come before the others.

    Incidents of the history, read besides for late evidence, want nothing: newer ones want the same, or nobody does.
    """
    steps = [
        step
        for step in case.rows(Step)
        if step.step is kind and step.state in WANTED and step.row_key not in case.kept
        if (found := case.incident(step.incident_id)) is not None
        if kind is RELEASE or not ended(case, found)
    ]
    steps.sort(key=lambda step: (case.opened_at(step.incident_id), step.incident_id))
    shown = {step.row_key for step in sorted(steps, key=lambda step: step.state.running)[-MOST_PROJECTED:]}
    return [step for step in steps if step.row_key in shown]


def ended(case: Case, incident: Incident) -> bool:
    """Return True when a person ended the incident, or released its account since."""
    released = case.head.released_through
    return incident.closed_at is not None or (released is not None and incident.opened_at <= released)


def next_of(control: Control, wants: Sequence[Step], now: datetime) -> tuple[Next, datetime | None]:
    """Return what the control needs now; for WAIT, also until when. Total.

    The effect of a call is read until it is known, even if nothing wants the control any more. While a block is wanted,
    its account is read daily, because somebody may enable it.
    """
    if control.lease_until is not None and control.lease_until > now:
        return Next.WAIT, control.lease_until
    if not wants and (control.token or (control.next_at is None and effect_is_unknown(control))):
        return Next.READ, None
    planned = [step for step in wants if step.state in {StepState.PLANNED, StepState.CLAIMED}]
    if control.next_at is not None and control.next_at > now:
        return Next.WAIT, control.next_at
    if planned:
        return Next.ACT, None
    if control.next_at is not None:
        return Next.READ, None
    read_at = _daily_read_at(control) if wants else None
    if read_at is None:
        return Next.NOTHING, None
    return (Next.WAIT, read_at) if read_at > now else (Next.READ, None)


def _daily_read_at(control: Control) -> datetime | None:
    """Return when the account of a block is read next; None for a revocation, or if it can no longer be restored."""
    if control.control is not BLOCK or control.observed_at is None or control.observed is Observed.ABSENT:
        return None
    return control.observed_at + READ_DAILY


def effect_is_unknown(control: Control) -> bool:
    """Return True for a block that was called, as long as it may still show in a read."""
    never_shown = control.attempts > 0 and control.shown_at is None
    return control.control is BLOCK and never_shown and control.reads < READS_BEFORE_CALLING_AGAIN


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
    """Return the wanted release as a list of at most one; none under a newer want to block."""
    found = [step for step in wanting(case, RELEASE) if step.state in {StepState.PLANNED, StepState.CLAIMED}]
    return found[-1:]


def renew(draft: Draft, kind: StepKind) -> None:
    """Record a new reason to act: end waits and give-ups, supersede an unfinished release."""
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
            draft.put(step.model_copy(update={"state": StepState.CANCELED, "next_at": None, "reason": why}))
            draft.log("withheld", f"release: {why}", incident=step.incident_id, step="release")


def look_for_older_wants(draft: Draft) -> None:
    """Mark that an incident of the history may want the block, when no loaded one does any more."""
    if draft.case.head.filed_through is not None and not wanting(draft.case, BLOCK):
        draft.move_head(taking_over=True)


def row_of(kind: StepKind) -> StepKind:
    """Return the kind of the row: a release has no row."""
    return BLOCK if kind is RELEASE else kind


def project(draft: Draft, kind: StepKind, steps: Iterable[Step], state: StepState, **changes: object) -> None:
    """Show in the steps how far the control is."""
    control = draft.case.control(row_of(kind))
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
