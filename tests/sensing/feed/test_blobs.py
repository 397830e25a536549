"""Which blobs are read, and when one that cannot be read is tried again or lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bypass_responder.errors import NotFoundError, TransientError
from bypass_responder.model.feed import ContentBlob, PendingBlob, Window
from tests.fakes.feed import FakeAuditFeed
from tests.sensing.feed.polled import DAY, HOUR, MINUTE, NOW, Tenant, a_blob, a_body


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
    await tenant.poll()
    tries = 1
    while tenant.store.waiting:
        tries += 1
        await tenant.poll(tenant.store.waiting["one"].next_at)
    (gap,) = await tenant.store.gaps()

    assert 15 <= tries <= 27
    assert (gap.start, gap.content_id, gap.found_at) == (blob.created, "one", blob.expires)
    assert tenant.reported == [gap]


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


async def test_a_pending_blob_that_expired_is_lost_even_if_it_was_never_due_before() -> None:
    tenant = Tenant()
    blob = a_blob("one", created=NOW - 8 * DAY)
    tenant.store.waiting = {"one": PendingBlob(blob=blob, attempts=1, next_at=NOW - HOUR, reason="cut")}
    report = await tenant.poll()

    assert report.gaps == 1
    assert ("read", "one") not in tenant.feed.calls
