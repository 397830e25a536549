"""The containment limit: the same facts hold for the fake and for the table."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.adapters import limit_table
from bypass_responder.adapters.limit_table import TableHourlyLimit
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import InputError
from bypass_responder.ports import Slots
from tests.adapters.conftest import Counted
from tests.fakes import FakeLimit

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(params=["fake", "azurite"])
def limit(request: pytest.FixtureRequest, tenant_id: str) -> Slots:
    if request.param == "fake":
        return FakeLimit()
    clients: StorageClients = request.getfixturevalue("clients")
    return TableHourlyLimit(clients.tables, tenant_id)


async def test_runs_of_one_host_lose_no_races_to_each_other(counted: Counted, tenant_id: str) -> None:
    limit = TableHourlyLimit(counted.tables, tenant_id)
    taken = await asyncio.gather(*(limit.take(f"i{number}", limit=9, now=NOON) for number in range(8)))

    assert all(taken)
    assert len(counted.requests) == 9


async def test_no_more_slots_than_the_limit(limit: Slots) -> None:
    taken = [await limit.take(f"i{number}", limit=2, now=NOON) for number in range(4)]

    assert taken == [True, True, False, False]


async def test_an_incident_that_has_a_slot_keeps_it(limit: Slots) -> None:
    await limit.take("i1", limit=1, now=NOON)

    assert await limit.take("i1", limit=1, now=LATER)


async def test_a_slot_is_free_again_after_an_hour(limit: Slots) -> None:
    await limit.take("i1", limit=1, now=NOON)

    assert not await limit.take("i2", limit=1, now=NOON + timedelta(minutes=59))
    assert await limit.take("i2", limit=1, now=NOON + timedelta(minutes=60, seconds=1))


async def test_a_slot_that_is_given_back_is_free_at_once(limit: Slots) -> None:
    await limit.take("i1", limit=1, now=NOON)
    await limit.give_back("i1")

    assert await limit.take("i2", limit=1, now=NOON)


async def test_giving_back_a_slot_leaves_those_of_others(limit: Slots) -> None:
    await limit.take("i1", limit=1, now=NOON)
    await limit.give_back("i2")

    assert not await limit.take("i2", limit=1, now=NOON)


async def test_slots_that_many_give_back_at_once_are_all_free(limit: Slots) -> None:
    keys = [f"i{number}" for number in range(5)]
    await asyncio.gather(*(limit.take(key, limit=5, now=NOON) for key in keys))
    await asyncio.gather(*(limit.give_back(key) for key in keys))

    assert all([await limit.take(f"other {key}", limit=5, now=NOON) for key in keys])


async def test_no_slots_when_the_limit_is_nought(limit: Slots) -> None:
    assert not await limit.take("i1", limit=0, now=NOON)


async def test_the_limit_is_exact_when_many_ask_at_once(limit: Slots) -> None:
    taken = await asyncio.gather(*(limit.take(f"i{n}", limit=5, now=NOON) for n in range(12)))

    assert sum(taken) == 5


async def test_a_thousand_slots_fit(clients: StorageClients, tenant_id: str) -> None:
    limit = TableHourlyLimit(clients.tables, tenant_id)
    slots = {f"{n:036d}": NOON for n in range(999)}
    await limit._write(slots, None)

    assert await limit.take("last", limit=1000, now=NOON)
    assert not await limit.take("one more", limit=1000, now=NOON)


async def test_two_workers_that_remember_what_they_saw_stay_within_the_limit(
    clients: StorageClients, tenant_id: str
) -> None:
    first, second = (TableHourlyLimit(clients.tables, tenant_id) for _ in range(2))
    taken = [await worker.take(f"i{n}", limit=3, now=NOON) for n in range(3) for worker in (first, second)]

    assert taken == [True, True, True, True, True, True]
    assert not await first.take("i3", limit=3, now=NOON)
    assert not await second.take("i3", limit=3, now=NOON)


async def test_a_slot_that_another_worker_gave_back_is_not_remembered_as_taken(
    clients: StorageClients, tenant_id: str
) -> None:
    first, second = (TableHourlyLimit(clients.tables, tenant_id) for _ in range(2))
    await first.take("i1", limit=1, now=NOON)
    await second.give_back("i1")
    await second.take("i2", limit=1, now=NOON)

    assert not await first.take("i1", limit=1, now=NOON)


async def test_a_limit_that_a_person_reset_gives_slots_again(clients: StorageClients, tenant_id: str) -> None:
    limit = TableHourlyLimit(clients.tables, tenant_id)
    await limit.take("i1", limit=1, now=NOON)
    await clients.tables.get_table_client(limit_table.TABLE).delete_entity(f"{tenant_id}_limit", "slots")

    assert await limit.take("i2", limit=1, now=NOON)


async def test_a_limit_that_cannot_be_read_gives_no_slot(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": f"{tenant_id}_limit", "RowKey": "slots", "Slots00": "[1"}
    await clients.tables.get_table_client(limit_table.TABLE).create_entity(row)
    with pytest.raises(InputError, match="corrupt_row"):
        await TableHourlyLimit(clients.tables, tenant_id).take("i1", limit=5, now=NOON)
