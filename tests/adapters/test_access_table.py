"""The contract of MailboxAccesses, for the fake that other tests trust and the table in Azurite."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bypass_responder.adapters.access_table import TABLE, AccessTable
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import ConflictError, InputError
from bypass_responder.model.mailbox_access import AccessDay, AccessFilter, AccessLogon, AccessState, midnight
from bypass_responder.ports import MailboxAccesses
from tests.fakes import FakeAccesses
from tests.sensing.access.records import APP, CEO, CEO_BOX, CEO_ID, EVE, an_access

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> MailboxAccesses:
    if request.param == "fake":
        return FakeAccesses()
    clients: StorageClients = request.getfixturevalue("clients")
    return AccessTable(clients.tables, request.getfixturevalue("tenant_id"))


def a_day(day: date, **fields: Any) -> AccessDay:
    return AccessDay(day=day, read_at=NOW, source="hunting", mailboxes=(CEO,), **fields)


def asked(**fields: Any) -> AccessFilter:
    return AccessFilter(**({"since": NOW - 90 * DAY, "until": NOW} | fields))


async def test_the_state_is_saved_by_one_of_two_runs(store: MailboxAccesses) -> None:
    first = await store.state()
    saved = await store.save(first.model_copy(update={"problem": "403", "next_at": NOW}))

    assert (first, await store.state()) == (AccessState(), saved)
    with pytest.raises(ConflictError):
        await store.save(first)


async def test_a_day_that_is_read_again_changes_nothing(store: MailboxAccesses) -> None:
    rows = [an_access(TODAY), an_access(TODAY, operation="Send")]
    await store.keep(a_day(TODAY), [*rows, *rows])
    await store.keep(a_day(TODAY, unreadable=1), rows)

    assert sorted(await store.newest(asked(), 10), key=str) == sorted(rows, key=str)
    assert await store.days(TODAY) == [a_day(TODAY, unreadable=1)]


async def test_days_come_from_the_first_that_is_asked_for(store: MailboxAccesses) -> None:
    for number in range(3):
        await store.keep(a_day(TODAY - number * DAY), [])

    assert [each.day for each in await store.days(TODAY - DAY)] == [TODAY - DAY, TODAY]


async def test_the_newest_come_first_up_to_the_limit(store: MailboxAccesses) -> None:
    rows = [an_access(TODAY - number * DAY) for number in range(4)]
    for row in rows:
        await store.keep(a_day(row.day), [row])

    assert await store.newest(asked(), 2) == rows[:2]
    assert await store.newest(asked(since=midnight(rows[2].day) + DAY / 2, until=midnight(TODAY)), 9) == rows[1:3]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"mailbox": CEO.upper()}, "ceo app"),
        ({"mailbox": CEO_ID}, "ceo app"),
        ({"mailbox": CEO_BOX}, "ceo app"),
        ({"mailbox": "ceo"}, ""),
        ({"actor": EVE}, "ceo cfo"),
        ({"actor": APP}, "app"),
        ({"logon": AccessLogon.ADMIN}, "cfo"),
        ({"actor": EVE, "logon": AccessLogon.ADMIN, "mailbox": "cfo@contoso.com"}, "cfo"),
        ({"actor": "x' or 'a' eq 'a"}, ""),
    ],
)
async def test_rows_are_filtered_by_whole_names(store: MailboxAccesses, fields: dict[str, Any], found: str) -> None:
    other: dict[str, Any] = {"mailbox": "cfo@contoso.com", "mailbox_id": "", "object_id": "", "logon": "admin"}
    rows = {
        "ceo": an_access(TODAY),
        "app": an_access(TODAY, actor="", app_id=APP),
        "cfo": an_access(TODAY, **other),
    }
    await store.keep(a_day(TODAY), list(rows.values()))
    wanted = [rows[name] for name in found.split()]

    assert sorted(await store.newest(asked(**fields), 9), key=str) == sorted(wanted, key=str)


async def test_a_pair_is_known_by_an_earlier_day_only(store: MailboxAccesses) -> None:
    old, new = an_access(TODAY - DAY), an_access(TODAY, actor="new@contoso.com")
    await store.keep(a_day(old.day), [old])
    await store.keep(a_day(TODAY), [new])

    assert await store.known({old.pair, new.pair}, TODAY) == {old.pair}
    assert await store.known({old.pair}, old.day) == set()


async def test_old_days_are_forgotten_with_their_pairs(store: MailboxAccesses) -> None:
    old, kept = (an_access(TODAY - number * DAY) for number in (40, 39))
    for row in (old, kept):
        await store.keep(a_day(row.day), [row])

    assert await store.forget_before(kept.day) == 1
    assert await store.newest(asked(), 9) == [kept]
    assert await store.known({old.pair}, kept.day) == set()
    assert [each.day for each in await store.days(old.day)] == [kept.day]


async def test_more_than_a_transaction_holds_are_kept_and_forgotten(store: MailboxAccesses) -> None:
    await store.keep(a_day(TODAY), [an_access(TODAY, actor=f"{number}@contoso.com") for number in range(120)])

    assert len(await store.newest(asked(), 1000)) == 120
    assert await store.forget_before(TODAY + DAY) == 120
    assert await store.newest(asked(), 10) == []


async def test_a_corrupt_row_names_itself(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": f"{tenant_id}_access", "RowKey": "state", "Body": "{}x"}
    await clients.tables.get_table_client(TABLE).upsert_entity(row)

    with pytest.raises(InputError, match="state"):
        await AccessTable(clients.tables, tenant_id).state()
