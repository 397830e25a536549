"""Which windows of the feed a poll asks for."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.errors import TransientError
from bypass_responder.model.feed import FeedCursor, Window
from bypass_responder.sensing.feed.windows import LOOK_BACK, OVERLAP, plan
from tests.sensing.feed.polled import DAY, HOUR, MINUTE, NOW, Tenant


def planned(listed_through: datetime, *backlog: Window, now: datetime = NOW) -> list[Window]:
    cursor = FeedCursor(first_start=NOW - 30 * DAY, listed_through=listed_through, backlog=backlog)
    made = plan(cursor, now)
    return [made.newest, *made.backlog]


def test_asks_again_for_two_hours_before_the_cursor() -> None:
    assert planned(NOW - MINUTE) == [Window(start=NOW - MINUTE - 2 * HOUR, end=NOW)]


def test_newest_window_has_at_most_24_hours_and_the_rest_is_backlog() -> None:
    windows = planned(NOW - 30 * HOUR)

    assert windows == [Window(start=NOW - DAY, end=NOW), Window(start=NOW - 32 * HOUR, end=NOW - DAY)]


def test_backlog_is_newest_first_what_was_owed_before_last() -> None:
    owed = Window(start=NOW - 5 * DAY, end=NOW - 4 * DAY)
    starts = [window.start for window in planned(NOW - 3 * DAY, owed)]

    assert starts == sorted(starts, reverse=True)


@given(st.integers(-3000, 30 * 24 * 3600), st.integers(0, 999_999))
def test_windows_leave_nothing_out_and_none_is_longer_than_a_day(seconds: int, microseconds: int) -> None:
    cursor = FeedCursor(first_start=NOW, listed_through=NOW - timedelta(seconds=seconds))
    made = plan(cursor, NOW.replace(microsecond=microseconds))
    windows = sorted([made.newest, *made.backlog, *made.lost], key=lambda window: window.start)

    assert all(window.end - window.start <= DAY for window in windows)
    assert [window.start for window in windows[1:]] == [window.end for window in windows[:-1]]
    assert (windows[0].start, windows[-1].end) == (min(cursor.listed_through, NOW) - OVERLAP, NOW)


def test_a_clock_that_went_back_a_little_asks_for_the_overlap_before_it() -> None:
    assert planned(NOW + HOUR) == [Window(start=NOW - 2 * HOUR, end=NOW)]


def test_a_cursor_far_in_the_future_is_not_believed() -> None:
    assert planned(NOW + DAY)[0].start == NOW - DAY


async def test_first_poll_owes_seven_days() -> None:
    tenant = Tenant(started=None)
    await tenant.poll()

    assert min(window.start for window in tenant.cursor.backlog) == NOW - LOOK_BACK
    assert tenant.feed.windows[0] == Window(start=NOW - DAY, end=NOW)


async def test_each_poll_lists_one_window_of_backlog_until_none_is_left() -> None:
    tenant = Tenant(started=None)
    for minutes in range(7):
        await tenant.poll(NOW + minutes * MINUTE)
    behind = [window for window in tenant.feed.windows if window.end <= NOW - DAY]

    assert tenant.cursor.backlog == ()
    assert behind == sorted(behind, key=lambda window: window.end, reverse=True)
    assert (len(behind), behind[-1].start) == (6, NOW - LOOK_BACK)


async def test_the_first_polls_leave_no_gap() -> None:
    tenant = Tenant(started=None)
    for minutes in range(7):
        await tenant.poll(NOW + minutes * MINUTE)

    assert tenant.store.found_gaps == {}


async def test_never_asks_for_more_than_a_day_nor_for_more_than_seven_days_ago() -> None:
    tenant = Tenant(listed=NOW - 20 * DAY)
    for minutes in range(9):
        await tenant.poll(NOW + minutes * MINUTE)

    assert all(window.end - window.start <= DAY for window in tenant.feed.windows)
    assert min(window.start for window in tenant.feed.windows) >= NOW - 7 * DAY


async def test_backlog_older_than_seven_days_is_a_gap_with_its_bounds() -> None:
    tenant = Tenant(listed=NOW - 9 * DAY)
    for minutes in range(9):
        await tenant.poll(NOW + minutes * MINUTE)
    gaps = await tenant.store.gaps()

    assert gaps[0].start == NOW - 9 * DAY - OVERLAP
    assert gaps[-1].end == min(window.start for window in tenant.feed.windows)
    assert [gap.start for gap in gaps[1:]] == [gap.end for gap in gaps[:-1]]
    assert {gap.reason for gap in gaps} == {"not_asked_in_time"}


async def test_a_gap_is_recorded_once_however_long_listing_fails() -> None:
    tenant = Tenant(listed=NOW - 9 * DAY)
    tenant.feed.fail("list_content", TransientError("down"), always=True)
    for minutes in range(3):
        await tenant.poll(NOW + minutes * MINUTE)

    assert tenant.store.found_gaps == {}
