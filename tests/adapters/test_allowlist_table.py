"""The allowlist: put, get, remove, and everything that people do to rows by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from pydantic import SecretStr

from bypass_responder.adapters import allowlist_table
from bypass_responder.adapters.allowlist_snapshot import BlobAllowlistSnapshot
from bypass_responder.adapters.allowlist_table import TABLE, TableAllowlist
from bypass_responder.adapters.storage_clients import StorageClients, connect
from bypass_responder.errors import ConflictError, TransientError
from bypass_responder.model.account import UNREAD, AllowlistEntry, MalformedEntry
from bypass_responder.model.allowlist import Snapshot
from bypass_responder.ports import Allowlist, AllowlistSnapshot
from bypass_responder.settings import Storage
from tests.fakes import FakeAllowlist, FakeAllowlistSnapshot

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
    assert entry.model_copy(update={"edited_at": None, "etag": ""}) == an_entry()
    assert entry.edited_at is not None
    assert abs(datetime.now(UTC) - entry.edited_at) < timedelta(minutes=5)


async def test_nobody_can_set_the_moment_of_the_edit(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry().model_copy(update={"edited_at": datetime(2020, 1, 1, tzinfo=UTC)}))
    entry = await allowlist.get(SERVICE)

    assert entry is not None
    assert entry.edited_at is not None
    assert entry.edited_at.year > 2020


async def test_an_entry_is_never_overwritten_unseen(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())

    with pytest.raises(ConflictError):
        await allowlist.put(an_entry())


async def test_an_entry_replaces_the_one_that_was_read(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())
    before = await allowlist.get(SERVICE)
    assert before is not None
    await allowlist.put(an_entry().model_copy(update={"owner": "new@contoso.com"}), replaces=before.etag)
    after = await allowlist.get(SERVICE)

    assert isinstance(after, AllowlistEntry)
    assert (after.owner, after.etag == before.etag) == ("new@contoso.com", False)


async def test_an_entry_that_changed_since_is_not_replaced(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())
    before = await allowlist.get(SERVICE)
    assert before is not None
    await allowlist.put(an_entry(), replaces=before.etag)

    with pytest.raises(ConflictError):
        await allowlist.put(an_entry(), replaces=before.etag)


@pytest.fixture(params=["fake", "azurite"])
def snapshots(request: pytest.FixtureRequest, tenant_id: str) -> AllowlistSnapshot:
    if request.param == "fake":
        return FakeAllowlistSnapshot()
    clients: StorageClients = request.getfixturevalue("clients")
    return BlobAllowlistSnapshot(clients.blobs, tenant_id)


async def test_before_the_first_run_there_is_no_snapshot(snapshots: AllowlistSnapshot) -> None:
    assert await snapshots.read() is None


async def test_a_snapshot_of_a_thousand_rows_comes_back(snapshots: AllowlistSnapshot) -> None:
    rows = {str(uuid4()): f"W/\"datetime'2026-03-02T09%3A00%3A{n:07d}Z'\"" for n in range(1000)}
    await snapshots.replace(Snapshot(rows))
    found = await snapshots.read()

    assert found is not None
    assert (found.rows, bool(found.etag)) == (rows, True)


async def test_a_snapshot_replaces_only_the_one_that_was_read(snapshots: AllowlistSnapshot) -> None:
    await snapshots.replace(Snapshot({SERVICE: "v1"}))
    before = await snapshots.read()
    assert before is not None
    await snapshots.replace(Snapshot({SERVICE: "v2"}, before.etag))

    for stale in (None, before.etag):
        with pytest.raises(ConflictError):
            await snapshots.replace(Snapshot({SERVICE: "v3"}, stale))


async def test_a_snapshot_keeps_its_digest_and_comparison(snapshots: AllowlistSnapshot) -> None:
    await snapshots.replace(Snapshot({SERVICE: "v1"}, None, datetime(2026, 11, 28, tzinfo=UTC), 7))
    kept = await snapshots.read()

    assert kept is not None
    assert (kept.rows, kept.digest_at, kept.comparison) == ({SERVICE: "v1"}, datetime(2026, 11, 28, tzinfo=UTC), 7)


async def test_a_stamp_that_is_no_text_counts_as_none(clients: StorageClients, tenant_id: str) -> None:
    await by_hand(clients, tenant_id, SERVICE, ROW | {"EditId": 5, "Via": True, "ReviewedAt": "yesterday"})
    entry = await TableAllowlist(clients.tables, tenant_id).get(SERVICE)

    assert isinstance(entry, AllowlistEntry)
    assert (entry.edit_id, entry.via, entry.reviewed_at) == ("", "", None)


async def test_a_damaged_snapshot_is_empty_and_can_be_replaced(clients: StorageClients, tenant_id: str) -> None:
    snapshots = BlobAllowlistSnapshot(clients.blobs, tenant_id)
    blob = clients.blobs.get_blob_client("evidence", f"{tenant_id}/allowlist-etags.json.gz")
    await blob.upload_blob(b"not gzipped")
    damaged = await snapshots.read()
    assert damaged is not None
    await snapshots.replace(Snapshot({SERVICE: "v1"}, damaged.etag))

    assert damaged.rows == {}


async def test_a_removed_entry_is_gone(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())

    stored = await allowlist.get(SERVICE)
    assert stored is not None
    await allowlist.remove(SERVICE, replaces=stored.etag)
    await allowlist.remove(SERVICE, replaces=stored.etag)

    assert await allowlist.get(SERVICE) is None


async def test_a_row_that_was_changed_meanwhile_is_not_removed(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())
    before = await allowlist.get(SERVICE)
    assert before is not None
    await allowlist.put(an_entry().model_copy(update={"ticket": "CHG-2"}), replaces=before.etag)

    with pytest.raises(ConflictError):
        await allowlist.remove(SERVICE, replaces=before.etag)
    assert await allowlist.get(SERVICE) is not None


async def test_a_row_that_is_gone_is_not_replaced(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())
    before = await allowlist.get(SERVICE)
    assert before is not None
    await allowlist.remove(SERVICE, replaces=before.etag)

    with pytest.raises(ConflictError):
        await allowlist.put(an_entry(), replaces=before.etag)
    with pytest.raises(ConflictError):
        await allowlist.put_all([(an_entry(), before.etag)])


async def test_a_hundred_rows_are_put_at_once(allowlist: Allowlist) -> None:
    await allowlist.put_all([(an_entry(str(uuid4())), None) for _ in range(100)])

    assert len([entry async for entry in allowlist.entries()]) == 100


async def test_rows_are_added_and_replaced_together(allowlist: Allowlist) -> None:
    await allowlist.put(an_entry())
    before = await allowlist.get(SERVICE)
    assert before is not None
    other = str(uuid4())
    await allowlist.put_all([(an_entry().model_copy(update={"ticket": "2"}), before.etag), (an_entry(other), None)])
    after = await allowlist.get(SERVICE)

    assert isinstance(after, AllowlistEntry)
    assert (after.ticket, await allowlist.get(other) is None) == ("2", False)


@pytest.mark.parametrize("replaces", [None, "W/\"datetime'2020-01-01T00%3A00%3A00.0000000Z'\""])
async def test_one_row_that_was_changed_keeps_all_others_out(allowlist: Allowlist, replaces: str | None) -> None:
    await allowlist.put(an_entry())
    other = str(uuid4())

    with pytest.raises(ConflictError):
        await allowlist.put_all([(an_entry(other), None), (an_entry(), replaces)])
    assert await allowlist.get(other) is None


async def test_the_stamps_and_the_review_come_back(allowlist: Allowlist) -> None:
    stamps = {"edit_id": "e", "edited_by": "adele@contoso.com", "via": "bypassctl"}
    review = {"reviewed_at": datetime(2026, 11, 28, tzinfo=UTC), "reviewed_by": "adele@contoso.com"}
    await allowlist.put(an_entry().model_copy(update=stamps | review | {"documentation": "https://contoso.com/x"}))
    entry = await allowlist.get(SERVICE)

    assert isinstance(entry, AllowlistEntry)
    assert entry.model_dump(include={*stamps, *review}) == stamps | review


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
        ("2027-01-31", datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC)),
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
        ({"Documentation": True}, "Documentation is not text"),
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


async def misspelled(tenant_id: str, allowlist: TableAllowlist) -> list[MalformedEntry]:
    """Rows of this test: other tests put theirs into the same table."""
    return [row for row in await allowlist.misspelled() if row.keys and tenant_id in row.keys[0].lower()]


@pytest.mark.parametrize(
    "row",
    [
        *(SERVICE.upper(), f"{{{SERVICE}}}", f"{{{SERVICE.upper()}}}", f"{SERVICE} ", f"\u00a0{SERVICE}"),
        *(f"{SERVICE}\u200b", f'"{SERVICE}"', "svc@contoso.com"),
    ],
)
async def test_a_row_key_typed_in_another_form_is_malformed_not_missed(
    clients: StorageClients, tenant_id: str, row: str
) -> None:
    await by_hand(clients, tenant_id, row, ROW)
    allowlist = TableAllowlist(clients.tables, tenant_id)
    [found], [listed] = await misspelled(tenant_id, allowlist), [entry async for entry in allowlist.entries()]

    assert "lower case" in found.problem
    assert (listed.row_id, listed.etag) == (found.row_id, found.etag)


async def test_a_tenant_id_typed_in_capitals_is_malformed_not_missed(clients: StorageClients, tenant_id: str) -> None:
    await by_hand(clients, tenant_id.upper(), SERVICE, ROW)
    allowlist = TableAllowlist(clients.tables, tenant_id)

    assert [row.object_id for row in await misspelled(tenant_id, allowlist)] == [SERVICE]
    assert [type(entry) async for entry in allowlist.entries()] == [MalformedEntry]


async def test_a_tenant_id_in_braces_is_malformed_not_missed(clients: StorageClients, tenant_id: str) -> None:
    await by_hand(clients, f"{{{tenant_id}}}", SERVICE, ROW)

    assert len(await misspelled(tenant_id, TableAllowlist(clients.tables, tenant_id))) == 1


async def test_a_row_under_another_tenant_id_is_not_listed_and_may_mean_the_account(
    clients: StorageClients, tenant_id: str
) -> None:
    other = str(uuid4())
    await by_hand(clients, other, SERVICE, ROW)
    allowlist = TableAllowlist(clients.tables, tenant_id)

    assert [entry async for entry in allowlist.entries()] == []
    assert [row.object_id for row in await misspelled(other, allowlist)] == [SERVICE]


@pytest.mark.parametrize("bound", ["MOST_READ", "MOST_MISSPELLED"])
async def test_rows_that_are_not_read_may_mean_any_account(
    clients: StorageClients, tenant_id: str, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    allowlist = TableAllowlist(clients.tables, tenant_id)
    await by_hand(clients, tenant_id, "first@contoso.com", ROW)
    await by_hand(clients, tenant_id, "second@contoso.com", ROW)
    monkeypatch.setattr(allowlist_table, bound, 1)

    assert UNREAD in await allowlist.misspelled()


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
