"""What every memory of the sweeps does: the fake that other tests trust, and tables and blobs in Azurite."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.adapters.sweep_store import ROW, TABLE, SweepStore
from bypass_responder.errors import ConflictError, InputError, NotFoundError
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
        GUIDS[0]: BaselineEntry(GUIDS[1], "", NOON - timedelta(days=1), covered=True),
        GUIDS[1]: BaselineEntry(None, "Zoë 界", NOON, covered=False),
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


async def test_a_baseline_is_replaced_only_by_whoever_read_it_last(store: Port) -> None:
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
