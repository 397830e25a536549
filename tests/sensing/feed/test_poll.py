"""One poll: blobs that are listed late, the cursor, and any order of faults and crashes."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bypass_responder.errors import FeedError, TransientError
from bypass_responder.model.feed import FeedCursor, PendingBlob, Window
from bypass_responder.sensing.feed.poll import BlobRecords, poll
from bypass_responder.sensing.feed.windows import OVERLAP, earlier
from tests.sensing.feed.polled import DAY, HOUR, MINUTE, NOW, Tenant, a_blob, a_body


async def polled_hourly(tenant: Tenant, hours: int) -> None:
    for hour in range(1, hours + 1):
        await tenant.poll(NOW + hour * HOUR)


@pytest.mark.parametrize("hours_late", [1, 3, 12, 23])
async def test_a_blob_that_is_listed_hours_late_is_read_within_the_hour(hours_late: int) -> None:
    tenant = Tenant()
    await tenant.poll()
    tenant.publish("late", a_body("r1"), created=NOW - hours_late * HOUR + MINUTE)
    await polled_hourly(tenant, 1)

    assert tenant.kept_ids == {"r1"}


@pytest.mark.parametrize("days_late", [1, 2, 4, 6])
async def test_a_blob_that_is_listed_days_late_is_read_within_half_a_day(days_late: int) -> None:
    tenant = Tenant()
    await tenant.poll()
    tenant.publish("late", a_body("r1"), created=NOW - days_late * DAY)
    await polled_hourly(tenant, 12)

    assert tenant.kept_ids == {"r1"}


async def test_a_blob_that_was_read_is_not_read_again_when_its_day_is_listed_again() -> None:
    tenant = Tenant()
    tenant.publish("early", a_body("r1"))
    await polled_hourly(tenant, 30)

    assert len(tenant.kept) == 1


async def test_a_pending_blob_is_not_read_before_its_time_when_its_day_is_listed_again() -> None:
    tenant = Tenant()
    blob = tenant.publish("broken", a_body("r1"), created=NOW - 5 * HOUR)
    await tenant.store.set_pending(PendingBlob(blob=blob, attempts=9, next_at=NOW + DAY, reason="503"))
    await polled_hourly(tenant, 2)

    assert tenant.kept == []


async def test_what_is_listed_again_fails_alone() -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", FeedError("AF50000", "an internal error"), about=(NOW + HOUR - DAY).isoformat())
    report = await tenant.poll(NOW + HOUR)

    assert report.error is not None
    assert tenant.cursor.listed_through == NOW + HOUR


@given(st.integers(min_value=0, max_value=7 * 24 * 60))
def test_half_a_day_lists_again_six_and_a_half_days(minutes: int) -> None:
    now = NOW + minutes * MINUTE
    windows = [window for hour in range(12) for window in earlier(now + hour * HOUR)]
    moments = [now - OVERLAP - number * HOUR for number in range(1, 24 * 6 + 11)]

    assert all(any(window.start <= moment < window.end for window in windows) for moment in moments)
    assert all(timedelta() < window.end - window.start <= DAY for window in windows)


async def test_cursor_stays_when_listing_fails_and_what_was_listed_is_kept() -> None:
    tenant = Tenant()
    tenant.publish("one", a_body("r1"))
    tenant.feed.fail("list_content", TransientError("cut"), about="the end")
    report = await tenant.poll()

    assert tenant.cursor.listed_through == NOW - MINUTE
    assert tenant.cursor.failing_since == NOW
    assert tenant.kept_ids == {"r1"}
    assert report.error == TransientError("cut").diagnostics()


async def test_cursor_never_moves_back() -> None:
    tenant = Tenant(listed=NOW + HOUR)
    await tenant.poll()

    assert tenant.cursor.listed_through == NOW + HOUR


@pytest.mark.parametrize("method", ["mark_read", "blobs_read", "set_pending", "pending", "cursor"])
async def test_an_error_of_the_store_ends_the_poll_and_the_cursor_stays(method: str) -> None:
    tenant = Tenant()
    tenant.publish("one", a_body("r1"))
    tenant.publish("two", a_body("r2"))
    tenant.feed.fail("read", TransientError("cut"), about="two")
    tenant.store.fail(method, TransientError("storage is down"))
    before = tenant.store.saved
    with pytest.raises(TransientError, match="storage is down"):
        await tenant.poll()

    assert tenant.store.saved == before


async def test_the_later_of_two_polls_says_so_and_changes_nothing() -> None:
    tenant = Tenant()
    other = FeedCursor.model_copy(tenant.cursor, update={"listed_through": NOW + MINUTE, "etag": "9"})

    async def keep(part: BlobRecords) -> None:
        tenant.store.saved = other

    tenant.publish("one", a_body("r1"))
    report = await poll(feed=tenant.feed, store=tenant.store, keep=keep, report_gap=tenant.report_gap, now=NOW)

    assert tenant.store.saved == other
    assert "another poll" in (report.error or "")


async def test_a_failing_backlog_does_not_hold_back_the_newest_window() -> None:
    tenant = Tenant(listed=NOW - 40 * HOUR)
    tenant.publish("old", a_body("r1"), created=NOW - 30 * HOUR)
    tenant.publish("new", a_body("r2"))
    tenant.feed.fail("list_content", TransientError("cut"), about=(NOW - 42 * HOUR).isoformat())
    report = await tenant.poll()

    assert tenant.kept_ids == {"r2"}
    assert tenant.cursor.listed_through == NOW
    assert tenant.cursor.backlog == (Window(start=NOW - 42 * HOUR, end=NOW - DAY),)
    assert report.error is not None


async def test_old_memory_is_forgotten_once_an_hour() -> None:
    tenant = Tenant(listed=NOW - 2 * MINUTE)
    old = a_blob("old", created=NOW - 9 * DAY)
    tenant.store.read = {"old": old, "young": a_blob("young")}
    await tenant.poll(NOW - MINUTE)
    within = set(tenant.store.read)
    await tenant.poll(NOW)

    assert within == {"old", "young"}
    assert tenant.store.read.keys() == {"young"}


async def test_a_poll_with_nothing_new_makes_one_call_to_the_feed_and_three_to_the_store() -> None:
    tenant = Tenant(listed=NOW)
    await tenant.poll(NOW + MINUTE)

    assert [name for name, about in tenant.feed.calls if about != "the end"] == ["list_content"]
    assert [name for name, _ in tenant.store.calls] == ["cursor", "pending", "save_cursor"]


class Killed(BaseException):
    """The process dies here."""


FAULTS = st.sampled_from(
    [("store", name) for name in ("save_cursor", "blobs_read", "mark_read", "set_pending", "pending", "cursor")]
    + [("feed", name) for name in ("list_content", "read", "subscription")]
    + [("keep", name) for name in "abcdef"]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.sampled_from("abcdef"), st.integers(0, 110)),
        st.tuples(st.just("fault"), FAULTS, st.booleans()),
        st.tuples(st.just("poll"), st.integers(-90, 1500), st.none()),
    ),
    max_size=25,
)


async def play(steps: list[tuple[str, object, object]]) -> None:
    tenant = Tenant(started=None)
    now = NOW
    expected: set[str] = set()
    for what, first, second in steps:
        match what, first, second:
            case "publish", str(name), int(minutes) if name not in tenant.feed.published:
                record = "r" + min(name, "e")  # the last two blobs hold the same record
                tenant.publish(name, a_body(record), created=now - minutes * MINUTE)
                expected.add(record)
            case "fault", ("keep", str(name)), _:
                tenant.keep_fails[name] = TransientError("keep")
            case "fault", (str(place), str(method)), bool(kills):
                broken = tenant.store if place == "store" else tenant.feed
                broken.fail(method, Killed() if kills else TransientError(method))  # type: ignore[arg-type]
            case "poll", int(seconds), _:
                now += timedelta(seconds=seconds)
                await survive(tenant, now)
                assert_nothing_passed(tenant)
    tenant.feed.recover()
    tenant.store.recover()
    tenant.keep_fails.clear()
    for hours in (0, 1, 2, 3):
        await tenant.poll(now + 10 * MINUTE + hours * HOUR / 2)

    assert tenant.kept_ids == expected
    assert tenant.store.waiting == {}
    assert tenant.store.read.keys() == tenant.feed.published.keys()


async def survive(tenant: Tenant, now: datetime) -> None:
    before = tenant.store.saved
    try:
        report = await tenant.poll(now)
        if report.error is None:
            there = {
                name for name, (blob, _) in tenant.feed.published.items() if blob.created < now.replace(microsecond=0)
            }
            assert there <= tenant.store.read.keys() | tenant.store.waiting.keys()
    except (Killed, TransientError):
        pass
    except BaseExceptionGroup as group:
        if other := group.split((Killed, TransientError))[1]:
            raise other from None
    if before and tenant.store.saved:
        assert tenant.store.saved.listed_through >= before.listed_through


def assert_nothing_passed(tenant: Tenant) -> None:
    """Every blob that was there when the cursor moved past it was handed over, or is pending."""
    cursor = tenant.store.saved
    if cursor is None:
        return
    accounted = tenant.store.read.keys() | tenant.store.waiting.keys()
    listed = {
        name
        for name, (blob, _) in tenant.feed.published.items()
        if blob.created < cursor.listed_through - OVERLAP
        and not any(window.start <= blob.created < window.end for window in cursor.backlog)
    }
    assert listed <= accounted
    assert {part.blob.content_id for part in tenant.kept} >= tenant.store.read.keys()


@given(STEPS)
@settings(max_examples=150)
def test_any_order_of_blobs_polls_faults_and_crashes_keeps_the_same_records(
    steps: list[tuple[str, object, object]],
) -> None:
    asyncio.run(play(steps))
