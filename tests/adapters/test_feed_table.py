"""What every memory of the feed does: the fake that other tests trust, and the table in Azurite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.feed_table import TABLE, FeedTable
from bypass_responder.errors import ConflictError, InputError, TransientError
from bypass_responder.model.feed import ContentBlob, FeedCursor, FeedGap, PendingBlob, Window
from bypass_responder.model.record import Unreadable
from bypass_responder.ports import FeedStore
from tests.fakes.feed import FakeFeedStore

NOW = datetime(2026, 5, 20, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
async def service(azurite: str) -> AsyncIterator[TableServiceClient]:
    async with TableServiceClient.from_connection_string(azurite) as client:
        await client.create_table_if_not_exists(TABLE)
        yield client


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> FeedStore:
    if request.param == "fake":
        return FakeFeedStore()
    return FeedTable(request.getfixturevalue("service"), tenant_id=str(uuid4()))


def a_blob(name: str = "20260520$a/b\\c#d?e\u0085", *, created: datetime = NOW) -> ContentBlob:
    return ContentBlob(
        content_id=name, uri=f"https://manage.office.com/{name}", created=created, expires=created + 168 * HOUR
    )


def a_pending(blob: ContentBlob, *, attempts: int = 1) -> PendingBlob:
    return PendingBlob(blob=blob, attempts=attempts, next_at=NOW, reason="cut")


def a_gap(*, content_id: str = "", found_at: datetime = NOW) -> FeedGap:
    return FeedGap(start=NOW - HOUR, end=NOW, reason="lost", content_id=content_id, found_at=found_at)


def an_unreadable(where: str = "record 1", excerpt: str = "{") -> Unreadable:
    return Unreadable(reason="not_json", detail="cut", source="blob x", where=where, excerpt=excerpt)


async def test_there_is_no_cursor_before_the_first_save(store: FeedStore) -> None:
    assert await store.cursor() is None


async def test_a_saved_cursor_comes_back_as_it_was(store: FeedStore) -> None:
    cursor = FeedCursor(
        first_start=NOW, listed_through=NOW, backlog=(Window(start=NOW - HOUR, end=NOW),), failing_since=NOW
    )
    saved = await store.save_cursor(cursor)

    assert await store.cursor() == saved
    assert saved.model_copy(update={"etag": None}) == cursor


async def test_a_cursor_is_replaced_by_its_etag(store: FeedStore) -> None:
    first = await store.save_cursor(FeedCursor(first_start=NOW, listed_through=NOW))
    second = await store.save_cursor(first.model_copy(update={"listed_through": NOW + HOUR}))

    assert await store.cursor() == second


async def test_a_second_first_cursor_conflicts(store: FeedStore) -> None:
    await store.save_cursor(FeedCursor(first_start=NOW, listed_through=NOW))
    with pytest.raises(ConflictError):
        await store.save_cursor(FeedCursor(first_start=NOW, listed_through=NOW))


async def test_a_cursor_that_was_read_before_another_save_conflicts(store: FeedStore) -> None:
    old = await store.save_cursor(FeedCursor(first_start=NOW, listed_through=NOW))
    new = await store.save_cursor(old.model_copy(update={"listed_through": NOW + HOUR}))
    with pytest.raises(ConflictError):
        await store.save_cursor(old)

    assert await store.cursor() == new


DAY = Window(start=NOW - 12 * HOUR, end=NOW + 12 * HOUR)


async def test_blobs_read_are_those_created_in_the_window(store: FeedStore) -> None:
    for number in range(4):
        await store.mark_read(a_blob(f"b{number}", created=NOW + number * HOUR))

    assert await store.blobs_read(Window(start=NOW + HOUR, end=NOW + 3 * HOUR)) == {"b1", "b2"}


async def test_marking_twice_is_marking_once(store: FeedStore) -> None:
    await store.mark_read(a_blob())
    await store.mark_read(a_blob())

    assert await store.blobs_read(DAY) == {a_blob().content_id}


async def test_a_pending_blob_comes_back_whole(store: FeedStore) -> None:
    pending = a_pending(a_blob(), attempts=3)
    await store.set_pending(a_pending(a_blob()))
    await store.set_pending(pending)

    assert await store.pending() == [pending]
    assert await store.blobs_read(DAY) == set()


async def test_a_blob_that_was_read_is_not_pending_any_more(store: FeedStore) -> None:
    await store.set_pending(a_pending(a_blob()))
    await store.set_pending(a_pending(a_blob("other")))
    await store.mark_read(a_blob())

    assert await store.pending() == [a_pending(a_blob("other"))]


async def test_a_gap_is_recorded_once_per_bounds(store: FeedStore) -> None:
    await store.add_gap(a_gap())
    await store.add_gap(a_gap(found_at=NOW + HOUR))

    assert await store.gaps() == [a_gap()]


async def test_two_blobs_lost_at_one_moment_are_two_gaps(store: FeedStore) -> None:
    await store.add_gap(a_gap(content_id="a/b"))
    await store.add_gap(a_gap(content_id="c#d"))

    assert {gap.content_id for gap in await store.gaps()} == {"a/b", "c#d"}


async def test_a_gap_ends_the_waiting_of_the_blob_it_names(store: FeedStore) -> None:
    await store.set_pending(a_pending(a_blob()))
    await store.set_pending(a_pending(a_blob("other")))
    await store.add_gap(a_gap(content_id=a_blob().content_id))

    assert await store.pending() == [a_pending(a_blob("other"))]


async def test_unreadable_input_is_kept_once(store: FeedStore) -> None:
    first = await store.keep_unreadable([an_unreadable(), an_unreadable("record 2")], received_at=NOW)
    again = await store.keep_unreadable([an_unreadable(), an_unreadable("record 3")], received_at=NOW + HOUR)

    assert (first, again) == (2, 1)
    assert len(await store.unreadable(10)) == 3


async def test_the_newest_unreadable_input_comes_first_and_no_more_than_asked(store: FeedStore) -> None:
    for number in range(4):
        await store.keep_unreadable([an_unreadable(f"record {number}")], received_at=NOW + number * HOUR)

    assert await store.unreadable(2) == [
        (NOW + 3 * HOUR, an_unreadable("record 3")),
        (NOW + 2 * HOUR, an_unreadable("record 2")),
    ]


async def test_unreadable_input_of_the_greatest_length_is_kept(store: FeedStore) -> None:
    item = an_unreadable(excerpt="\U0001f600" * 4000)
    await store.keep_unreadable([item], received_at=NOW)

    assert await store.unreadable(1) == [(NOW, item)]


async def test_forgetting_spares_what_is_young_pending_or_lost(store: FeedStore) -> None:
    await store.mark_read(a_blob("old", created=NOW - HOUR))
    await store.mark_read(a_blob("young"))
    await store.set_pending(a_pending(a_blob("pending", created=NOW - HOUR)))
    await store.add_gap(a_gap())
    forgotten = await store.forget_before(NOW)

    assert forgotten == 1
    assert await store.blobs_read(DAY) == {"young"}
    assert [pending.blob.content_id for pending in await store.pending()] == ["pending"]
    assert len(await store.gaps()) == 1


async def test_more_rows_are_forgotten_than_one_transaction_holds(service: TableServiceClient) -> None:
    table = FeedTable(service, tenant_id=str(uuid4()))
    for number in range(130):
        await table.mark_read(a_blob(f"b{number}"))

    assert await table.forget_before(NOW + HOUR) == 130
    assert await table.blobs_read(DAY) == set()


async def test_tenants_do_not_see_each_other(service: TableServiceClient) -> None:
    one, other = (FeedTable(service, tenant_id=str(uuid4())) for _ in range(2))
    await one.save_cursor(FeedCursor(first_start=NOW, listed_through=NOW))
    await one.set_pending(a_pending(a_blob()))

    assert (await other.cursor(), await other.pending()) == (None, [])


async def test_a_cursor_that_somebody_broke_is_reported(service: TableServiceClient) -> None:
    tenant_id = str(uuid4())
    row = {"PartitionKey": tenant_id, "RowKey": "cursor", "Body": "{"}
    await service.get_table_client(TABLE).create_entity(row)
    with pytest.raises(InputError, match="corrupt_row"):
        await FeedTable(service, tenant_id=tenant_id).cursor()


async def test_storage_that_does_not_answer_is_transient() -> None:
    nowhere = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:9/a"
    async with TableServiceClient.from_connection_string(nowhere, retry_total=0) as service:
        with pytest.raises(TransientError):
            await FeedTable(service, tenant_id=str(uuid4())).pending()
