"""Which days are read, and when again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from bypass_responder.model.mailbox_access import AccessDay, midnight
from bypass_responder.sensing.access.days import BACK, due_days, known_since
from tests.sensing.access.records import CEO, EVE

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


def a_day(day: date, *, read_after: timedelta, **fields: Any) -> AccessDay:
    """A day that was read so long after its beginning."""
    defaults: dict[str, Any] = {"source": "hunting", "mailboxes": (CEO,)}
    return AccessDay(day=day, read_at=midnight(day) + read_after, **(defaults | fields))


def settled(*, but: date | None = None) -> dict[date, AccessDay]:
    """Every day was read when it was settled."""
    days = [TODAY - number * DAY for number in range(BACK.days + 1)]
    return {day: a_day(day, read_after=9 * DAY) for day in days if day != but}


def test_at_first_every_day_that_hunting_has_is_due_the_oldest_first() -> None:
    due = due_days({}, {CEO}, NOW)

    assert (due[0], due[-1], len(due)) == (TODAY - BACK, TODAY, 30)


def test_a_day_that_was_missed_is_due() -> None:
    missed = TODAY - 20 * DAY

    assert due_days(settled(but=missed), {CEO}, NOW) == [missed]


def test_a_mailbox_that_is_newly_watched_makes_all_days_due() -> None:
    assert len(due_days(settled(), {CEO, EVE}, NOW)) == 30


def test_a_mailbox_that_is_watched_no_more_makes_none_due() -> None:
    assert due_days(settled(), set(), NOW) == []


def test_a_day_is_read_again_each_day_until_two_days_after_its_end() -> None:
    yesterday = TODAY - DAY
    read = {hours: a_day(yesterday, read_after=hours * timedelta(hours=1)) for hours in (10, 13, 71, 72)}
    now = midnight(yesterday) + timedelta(hours=36)
    due = {hours: bool(due_days(settled() | {yesterday: day}, {CEO}, now)) for hours, day in read.items()}

    assert due == {10: True, 13: False, 71: False, 72: False}
    assert due_days(settled() | {yesterday: read[71]}, {CEO}, now + 3 * DAY)[0] == yesterday
    assert yesterday not in due_days(settled() | {yesterday: read[72]}, {CEO}, now + 3 * DAY)


def test_a_mailbox_is_known_since_its_first_day_with_any_record() -> None:
    days = [
        a_day(TODAY - 3 * DAY, read_after=DAY, silent=True),
        a_day(TODAY - 2 * DAY, read_after=DAY),
        a_day(TODAY, read_after=DAY),
    ]

    assert (known_since(days, CEO), known_since(days, EVE)) == (TODAY - 2 * DAY, None)
