"""What every memory of permissions does: the fake that other tests trust, and the table in Azurite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.adapters.permission_table import TABLE, PermissionTable
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import InputError
from bypass_responder.ports import Permissions
from tests.fakes import FakePermissions
from tests.tampering.test_permissions import a_change

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> Permissions:
    if request.param == "fake":
        return FakePermissions()
    clients: StorageClients = request.getfixturevalue("clients")
    return PermissionTable(clients.tables, request.getfixturevalue("tenant_id"))


async def test_a_change_comes_back_as_it_was(store: Permissions) -> None:
    change = a_change(granted=True, at=NOW, target="ceo:\\Inbox", detail="Editor")
    await store.note([change, change])
    await store.note([change])

    assert await store.newest(NOW - DAY, 10) == await store.of(change.object, 9) == [change]


async def test_a_pair_has_its_own_changes_only(store: Permissions) -> None:
    mine = [a_change(granted=granted, at=NOW) for granted in (True, False)]
    await store.note([*mine, a_change(granted=True, at=NOW, target="other")])

    assert sorted(each.granted for each in await store.of(mine[0].object, 9)) == [False, True]


async def test_the_newest_come_first_up_to_the_limit(store: Permissions) -> None:
    changes = [a_change(granted=True, at=NOW - days * DAY, record_id=f"r{days}") for days in range(4)]
    await store.note(changes)

    assert await store.newest(NOW - 2 * DAY, 10) == changes[:3]
    assert await store.newest(NOW - 9 * DAY, 2) == changes[:2]


async def test_old_changes_are_forgotten_under_both_keys(store: Permissions) -> None:
    old, new = (a_change(granted=True, at=NOW - days * DAY, record_id=f"r-{days}") for days in (40, 1))
    await store.note([old, new])

    assert await store.forget_before(NOW - 30 * DAY) == 1
    assert await store.of(old.object, 9) == await store.newest(NOW - 90 * DAY, 10) == [new]


async def test_more_than_a_transaction_holds_are_kept_and_forgotten(store: Permissions) -> None:
    await store.note([a_change(granted=True, at=NOW, record_id=f"r{number}") for number in range(120)])

    assert len(await store.newest(NOW - DAY, 1000)) == 120
    assert await store.forget_before(NOW + DAY) == 120
    assert await store.newest(NOW - DAY, 10) == []


async def test_the_newest_of_one_object_come_first_up_to_the_limit(store: Permissions) -> None:
    changes = [a_change(granted=True, at=NOW - days * DAY, record_id=f"r{days}") for days in range(4)]
    await store.note(changes)

    assert await store.of(changes[0].object, 2) == changes[:2]


async def test_what_is_deferred_comes_back_oldest_first_until_it_is_dropped(store: Permissions) -> None:
    old, new = (a_change(granted=True, at=NOW, record_id=f"r{number}") for number in range(2))
    await store.defer([new, old], NOW)
    await store.defer([old], NOW - DAY)
    [first] = await store.deferred(1)
    for _ in range(2):
        await store.drop_deferred(first.key)

    assert first.changes == (old,)
    assert [each.changes for each in await store.deferred(9)] == [(new, old)]


async def test_more_than_a_row_holds_is_deferred_in_several(clients: StorageClients, tenant_id: str) -> None:
    store = PermissionTable(clients.tables, tenant_id)
    changes = [a_change(granted=True, at=NOW, record_id=f"r{number}", detail="x" * 500) for number in range(400)]
    await store.defer(changes, NOW)
    rows = await store.deferred(9)

    assert 1 < len(rows) < 5
    assert {change.record_id for each in rows for change in each.changes} == {each.record_id for each in changes}


async def test_a_corrupt_row_names_itself(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": f"{tenant_id}_permissions", "RowKey": "at-0000000001-x-y", "Body": "{}"}
    await clients.tables.get_table_client(TABLE).upsert_entity(row)

    with pytest.raises(InputError, match="at-0000000001"):
        await PermissionTable(clients.tables, tenant_id).newest(NOW, 10)
