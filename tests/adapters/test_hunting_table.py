"""The contract of HuntingStore, for the fake that other tests trust and the table in Azurite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.adapters.hunting_table import HuntingTable
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import ConflictError, InputError
from bypass_responder.model.feed import Window
from bypass_responder.model.hunting import Arrival, HuntingState
from bypass_responder.ports import HuntingStore
from tests.adapters.conftest import Counted
from tests.fakes.hunting import FakeHuntingStore

NOW = datetime(2026, 5, 20, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALWAYS = Window(start=NOW - 1000 * HOUR, end=NOW + HOUR)


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> HuntingStore:
    if request.param == "fake":
        return FakeHuntingStore()
    clients: StorageClients = request.getfixturevalue("clients")
    return HuntingTable(clients.tables, request.getfixturevalue("tenant_id"))


def an_arrival(record: str = "a/b\\c#d?e", *, ago: timedelta = HOUR, sensor: str = "feed") -> Arrival:
    return Arrival(record_id=record, sensor=sensor, occurred_at=NOW - ago, arrived_at=NOW)


async def test_before_the_first_run_the_state_is_fresh(store: HuntingStore) -> None:
    assert await store.state() == HuntingState()


async def test_a_saved_state_comes_back_as_it_was(store: HuntingStore) -> None:
    state = HuntingState(off_because="403", off_since=NOW, next_at=NOW + HOUR)
    await store.save(state)

    assert (await store.state()).model_copy(update={"etag": None}) == state


async def test_of_two_runs_the_first_one_saves(store: HuntingStore) -> None:
    await store.save(HuntingState())
    state = await store.state()
    await store.save(state.model_copy(update={"last_success_at": NOW}))

    with pytest.raises(ConflictError):
        await store.save(state)


async def test_an_arrival_comes_back_as_it_was(store: HuntingStore) -> None:
    await store.note([an_arrival()])

    assert await store.arrivals(ALWAYS) == [an_arrival()]


async def test_the_first_arrival_of_a_record_by_a_sensor_stands(store: HuntingStore) -> None:
    await store.note([an_arrival()])
    later = an_arrival().model_copy(update={"arrived_at": NOW + HOUR})
    await store.note([later, an_arrival("another")])

    assert {(each.record_id, each.arrived_at) for each in await store.arrivals(ALWAYS)} == {
        (an_arrival().record_id, NOW),
        ("another", NOW),
    }


async def test_known_arrivals_among_new_ones_take_three_requests(counted: Counted, tenant_id: str) -> None:
    """The insert that fails, the read of what is known, the insert of what is not."""
    store = HuntingTable(counted.tables, tenant_id)
    await store.note([an_arrival(str(number)) for number in range(0, 100, 2)])
    counted.requests.clear()
    await store.note([an_arrival(str(number)) for number in range(100)])

    assert counted.requests == ["POST", "GET", "POST"]
    assert len(await store.arrivals(ALWAYS)) == 100


async def test_arrivals_that_are_all_known_are_not_written(counted: Counted, tenant_id: str) -> None:
    store = HuntingTable(counted.tables, tenant_id)
    await store.note([an_arrival()])
    counted.requests.clear()
    await store.note([an_arrival()])

    assert counted.requests == ["POST", "GET"]


async def test_each_sensor_has_its_own_arrival(store: HuntingStore) -> None:
    await store.note([an_arrival(), an_arrival(sensor="hunting")])

    assert {each.sensor for each in await store.arrivals(ALWAYS)} == {"feed", "hunting"}


async def test_arrivals_are_found_by_the_time_of_the_event(store: HuntingStore) -> None:
    await store.note([an_arrival(str(hours), ago=hours * HOUR) for hours in range(4)])
    found = await store.arrivals(Window(start=NOW - 2 * HOUR, end=NOW))

    assert [each.record_id for each in found] == ["2", "1"]


async def test_more_arrivals_than_one_transaction_holds_are_noted(store: HuntingStore) -> None:
    await store.note([an_arrival(str(number)) for number in range(150)])

    assert len(await store.arrivals(ALWAYS)) == 150


async def test_old_arrivals_are_forgotten(store: HuntingStore) -> None:
    await store.note([an_arrival("old", ago=10 * HOUR), an_arrival("new")])
    forgotten = await store.forget_before(NOW - 5 * HOUR)

    assert (forgotten, [each.record_id for each in await store.arrivals(ALWAYS)]) == (1, ["new"])


async def test_a_state_that_somebody_edited_is_named(clients: StorageClients, tenant_id: str) -> None:
    table = clients.tables.get_table_client("Feed")
    await table.upsert_entity({"PartitionKey": tenant_id, "RowKey": "hunting", "Body": "{"})

    with pytest.raises(InputError, match="corrupt_row"):
        await HuntingTable(clients.tables, tenant_id).state()
