"""The reads of mailboxes, in memory and on Azurite."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.adapters.posture_table import TABLE, PostureTable
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import InputError
from bypass_responder.operating.posture.overview import overview_of
from bypass_responder.ports import PostureReads
from bypass_responder.posture.stored import PostureRead
from tests.fakes import FakePosture
from tests.operating.posture.reports import report_of
from tests.operating.posture.scenes import read_of
from tests.posture.mailboxes import CASES
from tests.world import START, World

DAY = timedelta(days=1)


def a_stored(number: int = 0) -> PostureRead:
    overview = overview_of(report_of(*CASES * 20))
    return read_of(World(), CASES[0], id=f"read-{number}", read_at=START + number * DAY, overview=overview)


@pytest.fixture(params=["fake", "azurite"])
def store(request: pytest.FixtureRequest, tenant_id: str) -> PostureReads:
    if request.param == "fake":
        return FakePosture()
    clients: StorageClients = request.getfixturevalue("clients")
    return PostureTable(clients.tables, tenant_id)


async def test_there_is_none_before_the_first(store: PostureReads) -> None:
    assert await store.newest(30) == []


async def test_a_read_comes_back_as_it_was_kept(store: PostureReads) -> None:
    await store.keep(a_stored())

    assert await store.newest(30) == [a_stored()]


async def test_the_newest_come_first(store: PostureReads) -> None:
    for number in (1, 3, 2):
        await store.keep(a_stored(number))

    assert [each.id for each in await store.newest(2)] == ["read-3", "read-2"]


async def test_a_read_replaces_itself(store: PostureReads) -> None:
    await store.keep(a_stored())
    await store.keep(a_stored().model_copy(update={"problems": ("throttled",)}))

    assert [each.problems for each in await store.newest(30)] == [("throttled",)]


async def test_a_damaged_row_is_refused_with_its_place(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": f"{tenant_id}_posture", "RowKey": "1", "Body": b"no gzip"}
    await clients.tables.get_table_client(TABLE).create_entity(row)

    with pytest.raises(InputError, match="_posture / 1"):
        await PostureTable(clients.tables, tenant_id).newest(1)


async def test_a_large_one_comes_back_from_several_columns(clients: StorageClients, tenant_id: str) -> None:
    problems = tuple(f"{START + number * DAY}{number**40}" for number in range(5000))
    read = a_stored().model_copy(update={"problems": problems})
    await PostureTable(clients.tables, tenant_id).keep(read)

    assert await PostureTable(clients.tables, tenant_id).newest(1) == [read]


async def test_one_that_is_too_large_is_refused(clients: StorageClients, tenant_id: str) -> None:
    problems = tuple(f"{START + number * DAY}{number**40}" for number in range(20_000))

    with pytest.raises(InputError, match="posture_read"):
        await PostureTable(clients.tables, tenant_id).keep(a_stored().model_copy(update={"problems": problems}))
