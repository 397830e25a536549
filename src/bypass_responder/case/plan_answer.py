"""What an answer of the worker, or none in time, means for one mailbox of a plan. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.base import backoff
from bypass_responder.model.exchange_read import ReadOutcome
from bypass_responder.model.plan_run import ChangeOutcome, Stage

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.exchange_read import ReadResult
    from bypass_responder.model.plan_run import MailboxChange

MOST_ATTEMPTS = 3
ANSWER_WITHIN = timedelta(hours=1)
"""Then the worker refuses the question."""
GIVEN_UP_AFTER = ANSWER_WITHIN + timedelta(minutes=10)
"""A change that began before its question ended takes at most ten minutes more."""
ASKED_AGAIN = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=10)

_NOT_THERE = {ReadOutcome.NOT_FOUND, ReadOutcome.AMBIGUOUS}
NO_ANSWER = "the worker did not answer"


def overdue(change: MailboxChange, now: datetime) -> bool:
    """Return True when no answer can come any more."""
    return bool(change.command_id and change.asked_at and change.asked_at + GIVEN_UP_AFTER <= now)


def may_be_ours(change: MailboxChange, result: ReadResult) -> bool:
    """Return True when this answer, or an attempt before it, may have set the mailbox."""
    if result.outcome is ReadOutcome.ALREADY:
        return change.uncertain or not result.first
    return result.outcome is ReadOutcome.APPLIED


def judged(change: MailboxChange, result: ReadResult | None, now: datetime) -> MailboxChange:
    """Return the mailbox after an answer; ``result`` None: there was none in time."""
    if change.stage is Stage.RECORD:
        return _recorded(change, result, now)
    if result is None:
        return _again(_perhaps_set(change), NO_ANSWER, now)
    return _set(change if result.first else _perhaps_set(change), result, now)


def ended(change: MailboxChange, outcome: ChangeOutcome, problem: str = "") -> MailboxChange:
    """Return the mailbox with its outcome."""
    update = {"stage": Stage.ENDED, "command_id": "", "not_before": None, "outcome": outcome, "problem": problem}
    return change.model_copy(update=update)


def unasked(change: MailboxChange) -> MailboxChange:
    """Return a mailbox whose question was stored, never sent, and is refused by now: it is asked anew."""
    return change.model_copy(update={"command_id": "", "attempts": change.attempts - 1})


def _recorded(change: MailboxChange, result: ReadResult | None, now: datetime) -> MailboxChange:
    if result is None:
        return _again(change, NO_ANSWER, now)
    if result.outcome is ReadOutcome.RECORDED and result.before is not None:
        recorded = {"before": result.before, "record": result.record, "exchange_guid": result.exchange_guid}
        found = change.model_copy(update=recorded)
        if found.wanted is not None and result.before.same_as(found.wanted):
            return ended(found, ChangeOutcome.ALREADY)
        if not result.before.same_as(change.expected):
            return ended(found, ChangeOutcome.SKIPPED, "its settings have changed since the plan was made")
        update = {"stage": Stage.CHANGE, "command_id": "", "attempts": 0}
        return found.model_copy(update=update)
    return _not_set(change, result, now)


def _set(change: MailboxChange, result: ReadResult, now: datetime) -> MailboxChange:
    """Judge the answer to a change. ``already`` is ours only where an earlier attempt may have set it."""
    match result.outcome:
        case ReadOutcome.APPLIED | ReadOutcome.ALREADY:
            outcome = ChangeOutcome.DONE if may_be_ours(change, result) else ChangeOutcome.ALREADY
            return ended(change.model_copy(update={"after": result.after}), outcome)
        case ReadOutcome.REVERTED:
            return ended(change.model_copy(update={"after": result.after}), ChangeOutcome.REVERTED, result.error or "")
        case ReadOutcome.LESS:
            return ended(change.model_copy(update={"after": result.after}), ChangeOutcome.LESS, result.error or "")
        case ReadOutcome.UNVERIFIED:
            return _again(_perhaps_set(change), "it was set, and not read back in time", now)
        case ReadOutcome.CHANGED:
            return _certain(change, ChangeOutcome.SKIPPED, "its settings were changed by somebody else")
    refused = result.outcome is ReadOutcome.REFUSED or result.error_class == "permission"
    if result.after is not None or (result.before is not None and not refused):
        change = _perhaps_set(change)  # the error may have come after the change
    return _not_set(change, result, now)


def _perhaps_set(change: MailboxChange) -> MailboxChange:
    return change.model_copy(update={"uncertain": True})


def _not_set(change: MailboxChange, result: ReadResult, now: datetime) -> MailboxChange:
    why = result.error or f"the worker answered {result.outcome}"
    if result.outcome in _NOT_THERE:
        return _certain(change, ChangeOutcome.GONE, why)
    if result.error_class == "permission":
        return _certain(change, ChangeOutcome.FAILED, why)
    if result.outcome is ReadOutcome.REFUSED and result.error_class != "transient":
        return _certain(change, ChangeOutcome.REFUSED, why)
    return _again(change, why, now)


def _certain(change: MailboxChange, outcome: ChangeOutcome, why: str) -> MailboxChange:
    """Return how it ended, which is unknown where an earlier attempt may have set it."""
    return ended(change, ChangeOutcome.UNKNOWN if change.uncertain else outcome, why)


def _again(change: MailboxChange, why: str, now: datetime) -> MailboxChange:
    if change.attempts >= MOST_ATTEMPTS:
        return _certain(change, ChangeOutcome.FAILED, why)
    pause = backoff(change.attempts - 1, first=ASKED_AGAIN, longest=LONGEST_PAUSE)
    return change.model_copy(update={"command_id": "", "not_before": now + pause, "problem": why})
