"""The row of the app's self-check: the same facts hold for the fake and for the table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bypass_responder.adapters.self_check_table import ROW, TABLE, SelfCheckTable
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import InputError
from bypass_responder.model.self_check import LogVerification, SelfCheck
from bypass_responder.operating.self_check import SelfCheckStore
from tests.fakes.self_check import FakeSelfCheckStore

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def a_check(**fields: Any) -> SelfCheck:
    return SelfCheck(**({"at": NOON, "version": "1", "mode": "observe", "schedules": {"A": "* * * * * *"}} | fields))


def a_verification(**fields: Any) -> LogVerification:
    about = {"seconds": 1.0, "since": NOON.date(), "logs": 1, "entries": 2, "checkpoints": 3}
    return LogVerification(**({"at": NOON, "last_checkpoint_at": NOON, "intact_at": NOON} | about | fields))


@pytest.fixture(params=["fake", "azurite"])
def store(request: pytest.FixtureRequest, tenant_id: str) -> SelfCheckStore:
    if request.param == "fake":
        return FakeSelfCheckStore()
    clients: StorageClients = request.getfixturevalue("clients")
    return SelfCheckTable(clients.tables, tenant_id)


async def test_the_last_run_of_each_timer_is_kept(store: SelfCheckStore) -> None:
    await store.save(a_check())
    await store.save_run("read_posture", NOON)
    await store.save_run("gather_evidence", NOON)
    await store.save_run("read_posture", NOON + timedelta(minutes=10))

    assert await store.runs() == {"gather_evidence": NOON, "read_posture": NOON + timedelta(minutes=10)}


async def test_there_is_none_before_the_first(store: SelfCheckStore) -> None:
    assert await store.last() is None


async def test_the_last_one_is_kept(store: SelfCheckStore) -> None:
    await store.save(a_check())
    await store.save(a_check(mode="enforce"))

    assert await store.last() == a_check(mode="enforce")


async def test_the_last_verification_is_kept_beside_it(store: SelfCheckStore) -> None:
    none = await store.last_verification()
    await store.save(a_check())
    await store.save_verification(a_verification(found=1, problems=("one",)))
    await store.save_verification(a_verification())

    assert none is None
    assert await store.last_verification() == a_verification()
    assert await store.last() == a_check()


async def test_what_a_newer_app_says_more_is_left_out(clients: StorageClients, tenant_id: str) -> None:
    body = json.dumps({"at": "2026-03-01T12:00:00Z", "version": "9", "mode": "enforce", "of_tomorrow": 1})
    await clients.tables.get_table_client(TABLE).upsert_entity({"PartitionKey": tenant_id, "RowKey": ROW, "Body": body})
    check = await SelfCheckTable(clients.tables, tenant_id).last()

    assert check is not None
    assert check.version == "9"


async def test_a_row_that_somebody_changed_is_unreadable(clients: StorageClients, tenant_id: str) -> None:
    await clients.tables.get_table_client(TABLE).upsert_entity({"PartitionKey": tenant_id, "RowKey": ROW, "Body": "x"})
    with pytest.raises(InputError, match=r"table Feed, \S+ / self-check"):
        await SelfCheckTable(clients.tables, tenant_id).last()
