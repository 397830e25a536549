from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bypass_responder.errors import (
    FeedError,
    NotFoundError,
    PermissionMissingError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.feed import ContentBlob, FeedCursor, PendingBlob, Window
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.feed.poll import BlobRecords, PollReport, poll
from bypass_responder.sensing.feed.windows import LOOK_BACK, OVERLAP, earlier, plan
from tests.fakes.feed import FakeAuditFeed, FakeFeedStore

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FORBIDDEN = PermissionMissingError("AF10001.", permission="ActivityFeed.Read")


def a_body(*ids: str, operation: str = "Set-MailboxAuditBypassAssociation") -> bytes:
    common = {
        "CreationTime": "2026-05-20T10:00:00",
        "Operation": operation,
        "Workload": "Exchange",
        "ResultStatus": "True",
        "ObjectId": "a88ae17c-f562-4c1f-a377-8910b6847d76",
        "Parameters": [{"Name": "AuditBypassEnabled", "Value": "True"}],
    }
    return json.dumps([{"Id": record_id} | common for record_id in ids]).encode()


def a_blob(name: str = "blob", *, created: datetime = NOW - HOUR) -> ContentBlob:
    return ContentBlob(
        content_id=name, uri=f"https://manage.office.com/{name}", created=created, expires=created + 7 * DAY
    )


class Tenant:
    """A feed, its memory and what was kept of it, with a clock that a test moves."""

    def __init__(self, *, started: datetime | None = NOW - 10 * DAY, listed: datetime = NOW - MINUTE) -> None:
        self.feed = FakeAuditFeed()
        self.store = FakeFeedStore()
        self.kept: list[BlobRecords] = []
        self.keep_fails: dict[str, Exception] = {}
        if started:
            self.store.saved = FeedCursor(
                first_start=started,
                listed_through=listed,
                worked_before=True,
                last_success_at=listed,
                last_new_blob_at=listed,
                etag="0",
            )

    @property
    def cursor(self) -> FeedCursor:
        assert self.store.saved
        return self.store.saved

    @property
    def kept_ids(self) -> set[str]:
        return {item.id for part in self.kept for item in part.records if isinstance(item, AuditRecord)}

    def publish(self, name: str, body: bytes, *, created: datetime = NOW - HOUR) -> ContentBlob:
        return self.feed.publish(a_blob(name, created=created), body)

    async def keep(self, part: BlobRecords) -> None:
        if part.blob.content_id in self.keep_fails:
            raise self.keep_fails.pop(part.blob.content_id)
        self.kept.append(part)

    async def poll(self, now: datetime = NOW) -> PollReport:
        return await poll(feed=self.feed, store=self.store, keep=self.keep, now=now)


def ids_of(report: PollReport) -> set[str]:
    return {problem.id for problem in report.problems}


# ---- blobs that are listed late ---------------------------------------------------------------------------------


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


# ---- windows ---------------------------------------------------------------------------------------------------------
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


# ---- reading ---------------------------------------------------------------------------------------------------------
async def test_relevant_records_reach_keep_and_the_blob_counts_as_read() -> None:
    tenant = Tenant()
    blob = tenant.publish("one", a_body("r1", "r2"))
    report = await tenant.poll()

    assert tenant.kept_ids == {"r1", "r2"}
    assert tenant.store.read == {"one": blob}
    assert (report.listed, report.read, report.records) == (1, 1, 2)


async def test_a_blob_without_anything_of_interest_is_not_handed_over() -> None:
    tenant = Tenant()
    tenant.publish("one", a_body("r1", operation="New-InboxRule").replace(b"AuditBypassEnabled", b"Name"))
    report = await tenant.poll()

    assert tenant.kept == []
    assert (report.read, report.records) == (1, 0)


async def test_a_blob_that_was_read_is_not_read_again() -> None:
    tenant = Tenant()
    tenant.publish("one", a_body("r1"))
    await tenant.poll()
    again = await tenant.poll(NOW + MINUTE)

    assert (again.listed, again.read) == (1, 0)
    assert len(tenant.kept) == 1


class StutteringFeed(FakeAuditFeed):
    """Lists everything twice, the second time on later pages."""

    async def list_content(self, window: Window) -> AsyncIterator[ContentBlob]:
        for _ in range(2):
            async for blob in super().list_content(window):
                yield blob


async def test_a_blob_that_is_listed_twice_is_read_once() -> None:
    tenant = Tenant()
    tenant.feed = StutteringFeed()
    for number in range(70):
        tenant.publish(f"b{number}", a_body(f"r{number}"))
    report = await tenant.poll()

    assert (report.listed, report.read, len(tenant.kept)) == (140, 70, 70)


async def test_a_late_blob_within_the_overlap_is_found() -> None:
    tenant = Tenant()
    await tenant.poll()
    tenant.publish("late", a_body("r1"), created=NOW - 100 * MINUTE)
    await tenant.poll(NOW + MINUTE)

    assert tenant.kept_ids == {"r1"}


async def test_blobs_from_before_the_first_start_are_first_run() -> None:
    tenant = Tenant(started=None)
    tenant.publish("old", a_body("r1"), created=NOW - HOUR)
    tenant.publish("new", a_body("r2"), created=NOW + 30 * timedelta(seconds=1))
    await tenant.poll()
    await tenant.poll(NOW + MINUTE)

    assert {part.blob.content_id: part.first_run for part in tenant.kept} == {"old": True, "new": False}


async def test_cursor_is_saved_before_anything_is_read() -> None:
    tenant = Tenant(started=None)
    tenant.feed.fail("subscription", RuntimeError("killed"))
    with pytest.raises(RuntimeError):
        await tenant.poll()

    assert tenant.cursor.first_start == NOW


async def test_a_huge_blob_comes_in_several_parts() -> None:
    tenant = Tenant()
    tenant.publish("huge", a_body(*(f"r{number}" for number in range(450))))
    await tenant.poll()

    assert [len(part.records) for part in tenant.kept] == [200, 200, 50]


async def test_keep_that_fails_leaves_only_its_blob_pending() -> None:
    tenant = Tenant()
    tenant.publish("bad", a_body("r1"))
    tenant.publish("good", a_body("r2"))
    tenant.keep_fails["bad"] = TransientError("the ledger is away")
    report = await tenant.poll()

    assert tenant.store.waiting.keys() == {"bad"}
    assert tenant.store.read.keys() == {"good"}
    assert report.pending == 1


async def test_unreadable_records_are_kept_and_counted_once() -> None:
    tenant = Tenant()
    tenant.publish("odd", a_body("r1").replace(b'"r1"', b'"r1", "CreationTime": 5').replace(b"2026-05-20T10", b"soon"))
    report = await tenant.poll()

    assert report.unreadable == len(tenant.store.kept) > 0
    assert tenant.store.read.keys() == {"odd"}


# ---- pending ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("about", ["one", "the rest of one"])
async def test_a_blob_that_cannot_be_read_is_pending_and_read_when_due(about: str) -> None:
    tenant = Tenant()
    tenant.publish("one", a_body("r1"))
    tenant.feed.fail("read", TransientError("cut"), about=about)
    await tenant.poll()
    waiting = dict(tenant.store.waiting)
    early = await tenant.poll(NOW + MINUTE / 2)
    later = await tenant.poll(NOW + MINUTE)

    assert waiting["one"].attempts == 1
    assert (early.read, later.read) == (0, 1)
    assert tenant.kept_ids == {"r1"}
    assert tenant.store.waiting == {}


async def test_half_a_blob_is_never_handed_over() -> None:
    tenant = Tenant()
    tenant.publish("one", a_body("r1", "r2"))
    tenant.feed.fail("read", TransientError("cut"), about="the rest of one")
    await tenant.poll()

    assert tenant.kept == []


async def test_cursor_moves_past_a_pending_blob() -> None:
    tenant = Tenant()
    tenant.publish("one", a_body("r1"))
    tenant.feed.fail("read", TransientError("cut"))
    await tenant.poll()

    assert tenant.cursor.listed_through == NOW


async def test_a_blob_that_never_comes_ends_as_a_gap_after_about_twenty_tries() -> None:
    tenant = Tenant()
    blob = tenant.publish("one", a_body("r1"))
    tenant.feed.fail("read", TransientError("cut"), always=True)
    report = await tenant.poll()
    tries = 1
    while tenant.store.waiting:
        tries += 1
        report = await tenant.poll(tenant.store.waiting["one"].next_at)
    (gap,) = await tenant.store.gaps()

    assert 15 <= tries <= 27
    assert (gap.start, gap.content_id, gap.found_at) == (blob.created, "one", blob.expires)
    assert "gap" in ids_of(report)


async def test_a_blob_that_is_gone_is_a_gap_after_three_tries() -> None:
    tenant = Tenant()
    tenant.publish("one", a_body("r1"))
    tenant.feed.fail("read", NotFoundError("AF20051"), always=True)
    reports = [await tenant.poll(NOW + minutes * MINUTE) for minutes in (0, 1, 3)]

    assert [report.gaps for report in reports] == [0, 0, 1]
    assert tenant.store.waiting == {}


async def test_a_broken_blob_counts_at_once_and_is_read_three_times_more() -> None:
    tenant = Tenant()
    tenant.publish("cut", a_body("r1", "r2")[:-30])
    reads = []
    for minutes in (0, 1, 3, 7, 15):
        report = await tenant.poll(NOW + minutes * MINUTE)
        reads.append((report.read, report.pending, report.unreadable))

    assert tenant.kept_ids == {"r1"}
    assert reads == [(0, 1, 1), (0, 1, 0), (0, 1, 0), (1, 0, 0), (0, 0, 0)]


async def test_a_blob_cut_only_the_first_time_is_whole_the_second_time() -> None:
    tenant = Tenant()
    blob = tenant.publish("cut", a_body("r1", "r2")[:-30])
    await tenant.poll()
    tenant.feed.publish(blob, a_body("r1", "r2"))
    await tenant.poll(NOW + MINUTE)

    assert tenant.kept_ids == {"r1", "r2"}
    assert tenant.store.read.keys() == {"cut"}


async def test_an_empty_body_is_not_taken_for_an_empty_blob() -> None:
    tenant = Tenant()
    tenant.publish("empty", b"")
    report = await tenant.poll()

    assert (report.unreadable, report.pending) == (1, 1)


# ---- the cursor ------------------------------------------------------------------------------------------------------
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
    report = await poll(feed=tenant.feed, store=tenant.store, keep=keep, now=NOW)

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


# ---- health ----------------------------------------------------------------------------------------------------------
async def test_first_poll_starts_the_subscription_when_the_list_shows_none() -> None:
    tenant = Tenant(started=None)
    tenant.feed.status = None
    report = await tenant.poll()

    assert (report.subscription, ids_of(report)) == ("started", set())
    assert tenant.cursor.subscription_started_at == NOW


async def test_first_poll_leaves_a_subscription_alone_that_is_there() -> None:
    tenant = Tenant(started=None)
    await tenant.poll()

    assert ("start_subscription", "") not in tenant.feed.calls


async def test_first_poll_does_not_start_what_an_administrator_disabled() -> None:
    tenant = Tenant(started=None)
    tenant.feed.status = "disabled"
    report = await tenant.poll()

    assert (tenant.feed.status, ids_of(report)) == ("disabled", {"subscription_disabled"})


async def test_a_subscription_that_somebody_stopped_is_started_again_and_told() -> None:
    tenant = Tenant()
    tenant.feed.status = None
    tenant.feed.fail("list_content", FeedError("AF20022", "No subscription"))
    report = await tenant.poll()

    assert tenant.feed.status == "enabled"
    assert (report.subscription, ids_of(report)) == ("started", {"subscription_missing"})


async def test_a_subscription_is_started_at_most_every_fifteen_minutes() -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", FeedError("AF20022", "No subscription"), always=True)
    told = []
    for minutes in (0, 5, 14, 15, 16):
        tenant.feed.status = None
        report = await tenant.poll(NOW + minutes * MINUTE)
        told.append((report.subscription, "subscription_missing" in ids_of(report)))

    assert told == [("started", True), (None, True), (None, True), ("started", True), (None, True)]


async def test_af20022_does_not_start_what_the_list_shows() -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", FeedError("AF20022", "No subscription"))
    await tenant.poll()

    assert ("start_subscription", "") not in tenant.feed.calls


async def test_a_disabled_subscription_is_told_and_not_started() -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", FeedError("AF20023", "disabled"))
    report = await tenant.poll()

    assert "subscription_disabled" in ids_of(report)
    assert ("start_subscription", "") not in tenant.feed.calls


@pytest.mark.parametrize(("started", "problem"), [(NOW - DAY, "permission_lost"), (None, "permission_missing")])
async def test_a_right_that_worked_before_is_lost_one_that_never_did_is_missing(
    started: datetime | None, problem: str
) -> None:
    tenant = Tenant(started=started)
    tenant.feed.fail("list_content", FORBIDDEN)
    report = await tenant.poll()

    assert ids_of(report) == {problem}
    assert report.error == FORBIDDEN.diagnostics()


@pytest.mark.parametrize("error", [TransientError("down"), ThrottledError("wait", retry_after_seconds=9), FORBIDDEN])
async def test_polls_that_fail_for_fifteen_minutes_are_a_problem(error: ResponderError) -> None:
    tenant = Tenant()
    tenant.feed.fail("list_content", error, always=True)
    told = []
    for minutes in (0, 14, 15, 16, 17):
        if minutes == 17:
            tenant.feed.recover()
        report = await tenant.poll(NOW + minutes * MINUTE)
        told.append("poll_failing" in ids_of(report))

    assert told == [False, False, True, True, False]
    assert tenant.cursor.failing_since is None


async def test_a_feed_without_new_blobs_is_silent_after_the_given_time() -> None:
    tenant = Tenant(listed=NOW)
    within = await tenant.poll(NOW + 6 * HOUR)
    after = await tenant.poll(NOW + 6 * HOUR + MINUTE)

    assert (ids_of(within), ids_of(after)) == (set(), {"feed_silent"})


async def test_a_new_blob_ends_the_silence() -> None:
    tenant = Tenant(listed=NOW)
    tenant.publish("one", a_body("r1"), created=NOW + 6 * HOUR)

    assert ids_of(await tenant.poll(NOW + 6 * HOUR + MINUTE)) == set()


async def test_a_subscription_just_started_has_twelve_hours_of_grace() -> None:
    tenant = Tenant(started=None)
    tenant.feed.status = None
    await tenant.poll()
    within = await tenant.poll(NOW + 12 * HOUR - MINUTE)
    after = await tenant.poll(NOW + 12 * HOUR)

    assert (ids_of(within), ids_of(after)) == (set(), {"feed_silent"})


# ---- whatever happens, in whatever order ---------------------------------------------------------------------------
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
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_blobs_polls_faults_and_crashes_keeps_the_same_records(
    steps: list[tuple[str, object, object]],
) -> None:
    asyncio.run(play(steps))


async def test_a_pending_blob_that_expired_is_lost_even_if_it_was_never_due_before() -> None:
    tenant = Tenant()
    blob = a_blob("one", created=NOW - 8 * DAY)
    tenant.store.waiting = {"one": PendingBlob(blob=blob, attempts=1, next_at=NOW - HOUR, reason="cut")}
    report = await tenant.poll()

    assert report.gaps == 1
    assert ("read", "one") not in tenant.feed.calls
