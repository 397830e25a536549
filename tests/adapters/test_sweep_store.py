"""The contract of SweepStore, for the fake that other tests trust and the adapter on Azurite.

The adapter uses tables and blobs.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bypass_responder import bootstrap
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.adapters.sweep_list import MOST_LISTED, ROW, TABLE, SweepList
from bypass_responder.adapters.sweep_store import SweepStore
from bypass_responder.errors import ConflictError, InputError, NotFoundError, PermissionMissingError
from bypass_responder.model.sweep import Baseline, BaselineEntry
from bypass_responder.ports import SweepStore as Port
from tests.fakes import FakeSweeps

NOON = datetime(2026, 5, 20, 12, 0, 0, 123456, tzinfo=UTC)
GUIDS = [f"00000000-0000-4000-8000-{number:012d}" for number in range(3)]


@pytest.fixture(params=["fake", "storage"])
def store(request: pytest.FixtureRequest) -> Port:
    if request.param == "fake":
        return FakeSweeps()
    real: SweepStore = request.getfixturevalue("real")
    return real


@pytest.fixture
def real(clients: StorageClients, tenant_id: str) -> SweepStore:
    return SweepStore(clients.tables, clients.blobs, tenant_id)


def a_baseline(**fields: Any) -> Baseline:
    entries: dict[str, BaselineEntry] = {
        GUIDS[1]: BaselineEntry(GUIDS[1], "", NOON - timedelta(days=1), covered=True, exchange_guid=GUIDS[0]),
        GUIDS[2]: BaselineEntry(None, "Zoë 界", NOON, covered=False, exchange_guid=GUIDS[2]),
    }
    moments = {"started_at": NOON, "first_at": NOON - timedelta(days=9), "moved_at": NOON + timedelta(minutes=1)}
    given: dict[str, Any] = {"command_id": "c1", "scanned": 1000, "entries": entries} | moments | fields
    return Baseline(**given)


async def test_there_is_no_baseline_before_the_first(store: Port) -> None:
    assert await store.baseline() is None


async def test_a_baseline_comes_back_as_it_was(store: Port) -> None:
    await store.replace_baseline(a_baseline())
    kept = await store.baseline()

    assert kept
    assert kept.etag
    assert replace(kept, etag=None, blob="") == a_baseline()


async def test_a_second_first_baseline_is_a_conflict_and_changes_nothing(store: Port) -> None:
    await store.replace_baseline(a_baseline())
    with pytest.raises(ConflictError):
        await store.replace_baseline(a_baseline(scanned=7))
    kept = await store.baseline()

    assert kept
    assert kept.scanned == 1000


async def test_a_baseline_is_replaced_only_by_the_last_reader(store: Port) -> None:
    await store.replace_baseline(a_baseline())
    read = await store.baseline()
    assert read
    await store.replace_baseline(replace(read, scanned=1001, entries={}))
    with pytest.raises(ConflictError):
        await store.replace_baseline(replace(read, scanned=1002))
    kept = await store.baseline()

    assert kept
    assert (kept.scanned, kept.entries) == (1001, {})


async def test_a_list_that_is_not_there_is_not_found(store: Port) -> None:
    with pytest.raises(NotFoundError):
        await store.content("no-such.json")


async def test_a_list_is_given_as_the_worker_wrote_it(real: SweepStore, clients: StorageClients) -> None:
    await clients.blobs.get_blob_client("sweeps", "list-1.json").upload_blob(b'{"a": 1}', overwrite=True)

    assert await real.content("list-1.json") == b'{"a": 1}'


async def test_a_replaced_list_leaves_no_blob_behind(real: SweepStore, clients: StorageClients, tenant_id: str) -> None:
    for scanned in range(3):
        read = await real.baseline()
        await real.replace_baseline(
            a_baseline(
                scanned=scanned,
                entries={GUIDS[scanned]: BaselineEntry(GUIDS[0], "", NOON, covered=False)},
                etag=read.etag if read else None,
                blob=read.blob if read else "",
            )
        )
    blobs = clients.blobs.get_container_client("evidence").list_blobs(name_starts_with=f"{tenant_id}/")

    assert len([blob.name async for blob in blobs]) == 1


@pytest.mark.parametrize("change", [{"Body": "not JSON"}, {"Body": '{"blob": "gone"}'}, {"Body": "[]"}])
async def test_a_broken_baseline_is_an_input_error_and_no_empty_one(
    real: SweepStore, clients: StorageClients, tenant_id: str, change: dict[str, str]
) -> None:
    await real.replace_baseline(a_baseline())
    entity = {"PartitionKey": tenant_id, "RowKey": ROW} | change
    await clients.tables.get_table_client(TABLE).upsert_entity(entity)

    with pytest.raises(InputError, match="corrupt_row"):
        await real.baseline()


async def test_a_baseline_whose_list_was_changed_is_an_input_error(real: SweepStore, clients: StorageClients) -> None:
    await real.replace_baseline(a_baseline())
    kept = await real.baseline()
    assert kept
    await clients.blobs.get_blob_client("evidence", kept.blob).upload_blob(b"other", overwrite=True)

    with pytest.raises(InputError, match="corrupt_row"):
        await real.baseline()


# ---- the list for the console, which reads no blob


async def listed(clients: StorageClients, tenant_id: str) -> Baseline:
    found = await SweepList(clients.tables, tenant_id).baseline()
    assert found
    return found


async def test_the_console_reads_the_accounts_from_the_row(
    real: SweepStore, clients: StorageClients, tenant_id: str
) -> None:
    await real.replace_baseline(a_baseline())
    found = await listed(clients, tenant_id)
    stored = [entry._replace(exchange_guid="") for entry in a_baseline().entries.values()]

    assert sorted(found.entries.values(), key=str) == sorted(stored, key=str)
    assert replace(found, entries={}) == a_baseline(entries={})


async def test_the_console_knows_no_baseline_before_the_first(clients: StorageClients, tenant_id: str) -> None:
    assert await SweepList(clients.tables, tenant_id).baseline() is None


@pytest.mark.parametrize(("accounts", "name"), [(MOST_LISTED + 50, ""), (3000, "unpackable")])
async def test_the_list_for_the_console_is_bounded_and_says_how_many_it_leaves_out(
    real: SweepStore, clients: StorageClients, tenant_id: str, accounts: int, name: str
) -> None:
    """Accounts without an allowlist entry are never left out for others.

    Names of 256 random characters fill the row.
    """
    rng = random.Random(1)
    many = {
        str(number): BaselineEntry(
            str(UUID(int=rng.getrandbits(128))),
            "".join(rng.choices("abcdefghijklmnopqrstuvwxyz界é0123456789", k=256)) if name else "",
            NOON,
            covered=number > 0,
        )
        for number in range(accounts)
    }
    await real.replace_baseline(a_baseline(entries=many))
    found = await listed(clients, tenant_id)

    assert 0 < len(found.entries) == accounts - found.left_out <= MOST_LISTED
    assert found.left_out > 0
    assert many["0"] in found.entries.values()
    assert len((await real.baseline() or found).entries) == accounts


@pytest.mark.parametrize("change", [{"Body": "not JSON"}, {"Listed0": b"other"}, {"Listed0": b""}, {"On": "many"}])
async def test_a_broken_list_is_an_input_error_and_no_empty_one(
    real: SweepStore, clients: StorageClients, tenant_id: str, change: dict[str, Any]
) -> None:
    await real.replace_baseline(a_baseline())
    table = clients.tables.get_table_client(TABLE)
    await table.update_entity({"PartitionKey": tenant_id, "RowKey": ROW} | change)

    with pytest.raises(InputError, match="corrupt_row"):
        await listed(clients, tenant_id)


async def test_a_row_without_a_list_is_an_input_error(
    real: SweepStore, clients: StorageClients, tenant_id: str
) -> None:
    """A row from an earlier version has no list: until the next sweep, nothing is known.

    No account is assumed to be off.
    """
    await real.replace_baseline(a_baseline())
    table = clients.tables.get_table_client(TABLE)
    row = await table.get_entity(tenant_id, ROW)
    await table.upsert_entity({name: row[name] for name in ("PartitionKey", "RowKey", "Body", "On")}, mode="replace")

    with pytest.raises(InputError, match="corrupt_row"):
        await listed(clients, tenant_id)


async def test_the_console_is_built_with_the_list_and_without_the_blobs(real: SweepStore, azurite: str) -> None:
    await real.replace_baseline(a_baseline())
    console = bootstrap.build_console({"TENANT_ID": real._tenant, "ResponderStorage": azurite, "MODE": "observe"})
    sweeps = console.services.sweeps
    found = await sweeps.baseline()
    with pytest.raises(PermissionMissingError):
        await sweeps.content("list-1.json")
    await console.aclose()

    assert found
    assert len(found.entries) == 2
