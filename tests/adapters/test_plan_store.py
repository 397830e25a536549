"""Plans and what became of their mailboxes, in memory and on Azurite."""

from __future__ import annotations

import pytest

from bypass_responder.adapters.plan_store import TABLE, StoragePlans
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.case.plan_answer import ended
from bypass_responder.errors import InputError, NotFoundError
from bypass_responder.model.plan_run import ChangeOutcome
from bypass_responder.ports import PlanStore
from tests.case.plans import RUN, SHA256, a_change, asked
from tests.fakes import FakePlans


@pytest.fixture(params=["fake", "azurite"])
def store(request: pytest.FixtureRequest, tenant_id: str) -> PlanStore:
    if request.param == "fake":
        return FakePlans()
    clients: StorageClients = request.getfixturevalue("clients")
    return StoragePlans(clients.tables, clients.blobs, tenant_id)


async def test_a_plan_comes_back_as_it_was_saved(store: PlanStore) -> None:
    await store.save(SHA256, b"a plan")

    assert await store.read(SHA256) == b"a plan"


async def test_a_plan_that_is_there_stays_as_it_is(store: PlanStore) -> None:
    await store.save(SHA256, b"a plan")
    await store.save(SHA256, b"another")

    assert await store.read(SHA256) == b"a plan"


async def test_a_plan_is_downloaded_once(clients: StorageClients, tenant_id: str) -> None:
    """It is asked for at each answer of the worker."""
    store = StoragePlans(clients.tables, clients.blobs, tenant_id)
    await store.save(SHA256, b"a plan")
    await store.read(SHA256)
    await clients.blobs.get_blob_client("plans", f"{tenant_id}/{SHA256}.json").delete_blob()

    assert await store.read(SHA256) == b"a plan"


async def test_a_plan_that_nobody_saved_is_not_found(store: PlanStore) -> None:
    with pytest.raises(NotFoundError):
        await store.read("b" * 64)


async def test_mailboxes_come_back_in_order_from_a_number_on(store: PlanStore) -> None:
    for number in (10, 2, 1):
        await store.put(RUN, asked(number))

    assert await store.changes(RUN, since=2, limit=9) == [asked(2), asked(10)]
    assert await store.changes(RUN, limit=1) == [asked(1)]


async def test_the_runs_are_apart(store: PlanStore) -> None:
    await store.put(RUN, asked())

    assert await store.changes("00000000-0000-4000-8000-0000000000ab", limit=9) == []


async def test_an_outcome_replaces_an_undo_entry_and_never_the_other_way_round(store: PlanStore) -> None:
    done = ended(asked(), ChangeOutcome.DONE)
    for change in (asked(), done, asked()):
        await store.put(RUN, change)

    assert await store.changes(RUN, limit=9) == [done]


async def test_an_undo_entry_stays_as_it_was_written_first(store: PlanStore) -> None:
    await store.put(RUN, asked())
    await store.put(RUN, a_change())

    assert await store.changes(RUN, limit=9) == [asked()]


async def test_a_damaged_row_is_refused_with_its_place(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": f"{tenant_id}_plan_{RUN}", "RowKey": "000001", "Body": "{"}
    await clients.tables.get_table_client(TABLE).create_entity(row)

    with pytest.raises(InputError, match="000001"):
        await StoragePlans(clients.tables, clients.blobs, tenant_id).changes(RUN, limit=9)
