"""The allowlist: put, get, remove, and everything that people do to rows by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr

from bypass_responder.adapters.allowlist_table import TABLE, TableAllowlist
from bypass_responder.adapters.storage_clients import StorageClients, connect
from bypass_responder.errors import TransientError
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.ports import Allowlist
from bypass_responder.settings import Storage
from tests.fakes import FakeAllowlist

SERVICE = "aaaaaaaa-0000-4000-8000-00000000000a"
ROW = {"ReasonClass": "backup", "Justification": "j", "Owner": "o", "Ticket": "T-1", "ExpiresAt": "2027-01-31"}


def an_entry(object_id: str = SERVICE) -> AllowlistEntry:
    return AllowlistEntry(
        object_id=object_id,
        display_name="Backup",
        reason_class="backup",
        justification="reads every mailbox",
        owner="owner@contoso.com",
        ticket="CHG-1",
        approved_by="approver@contoso.com",
        expires_at=datetime(2027, 1, 31, tzinfo=UTC),
    )


@pytest.fixture(params=["fake", "azurite"])
def allowlist(request: pytest.FixtureRequest, tenant_id: str) -> Allowlist:
    if request.param == "fake":
        return FakeAllowlist()
    clients: StorageClients = request.getfixturevalue("clients")
    return TableAllowlist(clients.tables, tenant_id)


async def test_a_missing_row_is_none(allowlist: Allowlist) -> None:
    assert await allowlist.get(SERVICE) is None


async def test_an_entry_comes_back_with_the_moment_of_its_last_edit(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())
    entry = await allowlist.get(SERVICE)

    assert isinstance(entry, AllowlistEntry)
    assert entry.model_copy(update={"edited_at": None}) == an_entry()
    assert entry.edited_at is not None
    assert abs(datetime.now(UTC) - entry.edited_at) < timedelta(minutes=5)


async def test_nobody_can_set_the_moment_of_the_edit(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry().model_copy(update={"edited_at": datetime(2020, 1, 1, tzinfo=UTC)}))
    entry = await allowlist.get(SERVICE)

    assert entry is not None
    assert entry.edited_at is not None
    assert entry.edited_at.year > 2020


async def test_a_removed_entry_is_gone(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())

    assert await allowlist.remove(SERVICE)
    assert not await allowlist.remove(SERVICE)
    assert await allowlist.get(SERVICE) is None


async def test_entries_are_all_rows(allowlist: Allowlist) -> None:
    other = str(uuid4())
    await allowlist.put(an_entry())
    await allowlist.put(an_entry(other))

    assert {entry.object_id async for entry in allowlist.entries()} == {SERVICE, other}


async def by_hand(clients: StorageClients, tenant: str, row: str, columns: Mapping[str, object]) -> None:
    await clients.tables.get_table_client(TABLE).create_entity({"PartitionKey": tenant, "RowKey": row, **columns})


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T10:00:00", datetime(2027, 1, 31, 10, tzinfo=UTC)),
        ("2027-01-31T10:00:00Z", datetime(2027, 1, 31, 10, tzinfo=UTC)),
        (" 2027-01-31T10:00:00+02:00 ", datetime(2027, 1, 31, 8, tzinfo=UTC)),
        (datetime(2027, 1, 31, 10, tzinfo=UTC), datetime(2027, 1, 31, 10, tzinfo=UTC)),
    ],
)
async def test_an_expiry_is_read_however_a_tool_wrote_it(
    clients: StorageClients, tenant_id: str, given: object, moment: datetime
) -> None:
    await by_hand(clients, tenant_id, SERVICE, ROW | {"ExpiresAt": given, "Note": "an extra column", "Count": 3})
    entry = await TableAllowlist(clients.tables, tenant_id).get(SERVICE)

    assert isinstance(entry, AllowlistEntry)
    assert entry.expires_at == moment


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"ExpiresAt": "31.01.2027"}, "ExpiresAt"),
        ({"ExpiresAt": 20270131}, "ExpiresAt"),
        ({"ExpiresAt": None}, "ExpiresAt"),
        ({"ReasonClass": ""}, "ReasonClass is missing"),
        ({"Justification": "  "}, "Justification is empty"),
        ({"Owner": True}, "Owner is not text"),
        ({"Ticket": 12345}, "Ticket is not text"),
        ({"Ticket": None}, "Ticket is missing"),
        ({"ApprovedBy": 5}, "ApprovedBy is not text"),
    ],
)
async def test_a_wrong_column_is_malformed_and_named(
    clients: StorageClients, tenant_id: str, wrong: dict[str, object], problem: str
) -> None:
    await by_hand(clients, tenant_id, SERVICE, ROW | wrong)
    entry = await TableAllowlist(clients.tables, tenant_id).get(SERVICE)

    assert isinstance(entry, MalformedEntry)
    assert problem in entry.problem
    assert entry.edited_at is not None


@pytest.mark.parametrize("row", [SERVICE.upper(), f"{{{SERVICE}}}", f"{{{SERVICE.upper()}}}"])
async def test_a_row_key_typed_in_another_form_is_malformed_not_missed(
    clients: StorageClients, tenant_id: str, row: str
) -> None:
    await by_hand(clients, tenant_id, row, ROW)
    allowlist = TableAllowlist(clients.tables, tenant_id)
    found, listed = await allowlist.get(SERVICE), [entry async for entry in allowlist.entries()]

    assert isinstance(found, MalformedEntry)
    assert "lower case" in found.problem
    assert listed == [found]


async def test_a_tenant_id_typed_in_capitals_is_malformed_not_missed(clients: StorageClients, tenant_id: str) -> None:
    await by_hand(clients, tenant_id.upper(), SERVICE, ROW)
    allowlist = TableAllowlist(clients.tables, tenant_id)

    assert isinstance(await allowlist.get(SERVICE), MalformedEntry)
    assert [type(entry) async for entry in allowlist.entries()] == [MalformedEntry]


async def test_a_name_as_row_key_is_listed_as_malformed(clients: StorageClients, tenant_id: str) -> None:
    await by_hand(clients, tenant_id, "svc@contoso.com", ROW)
    entries = [entry async for entry in TableAllowlist(clients.tables, tenant_id).entries()]

    assert [(type(entry), entry.object_id) for entry in entries] == [(MalformedEntry, "svc@contoso.com")]


NOWHERE = ";".join(
    ["DefaultEndpointsProtocol=http;AccountName=a;AccountKey=QUFBQQ=="]
    + [f"{service}Endpoint=http://127.0.0.1:9/a" for service in ("Table", "Queue", "Blob")]
)


async def test_a_storage_that_does_not_answer_is_neither_an_entry_nor_none(tenant_id: str) -> None:
    clients = connect(Storage(connection_string=SecretStr(NOWHERE)))
    with pytest.raises(TransientError):
        await TableAllowlist(clients.tables, tenant_id).get(SERVICE)
    await clients.close()
