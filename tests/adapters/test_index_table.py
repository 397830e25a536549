"""The case index: the same facts hold for the fake and for the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from bypass_responder.adapters import index_keys, index_table
from bypass_responder.adapters.index_table import TableIndex
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import InputError
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import IndexEntry, IndexFilter
from bypass_responder.ports import Index
from tests.fakes import FakeIndex

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(params=["fake", "azurite"])
def listing(request: pytest.FixtureRequest, tenant_id: str) -> Index:
    if request.param == "fake":
        return FakeIndex()
    clients: StorageClients = request.getfixturevalue("clients")
    return TableIndex(clients.tables, tenant_id)


def a_line(entry_id: str, *, minutes: int = 0, **fields: Any) -> IndexEntry:
    defaults: dict[str, Any] = {
        "id": entry_id,
        "target": "t1",
        "kind": "incident",
        "status": "open",
        "at": NOON + timedelta(minutes=minutes),
        "account": "adele@contoso.com",
        "actor": "mallory@contoso.com",
        "reason": "not allowlisted",
    }
    return IndexEntry.model_validate(defaults | fields)


async def test_the_listing_is_newest_first(listing: Index) -> None:
    for entry_id, minutes in (("b", 1), ("a", 0), ("c", 2)):
        await listing.put([a_line(entry_id, minutes=minutes)])

    assert [entry.id async for entry in listing.newest()] == ["c", "b", "a"]


async def test_an_entry_is_replaced_in_its_place(listing: Index) -> None:
    await listing.put([a_line("a")])
    await listing.put([a_line("a", status="contained")])

    assert [entry async for entry in listing.newest()] == [a_line("a", status="contained")]


async def test_entries_of_one_account_are_put_together(listing: Index) -> None:
    await listing.put([a_line(f"e{number}", minutes=number) for number in range(120)])

    assert len([entry async for entry in listing.newest()]) == 120


async def test_a_listing_of_some_kinds(listing: Index) -> None:
    for number, kind in enumerate(("incident", "attempt", "stood_down")):
        await listing.put([a_line(kind, kind=kind, minutes=number)])

    some = [entry.id async for entry in listing.newest(kinds=["incident", "stood_down"])]

    assert some == ["stood_down", "incident"]
    assert [entry.id async for entry in listing.newest(kinds=[])] == []


@pytest.mark.parametrize(
    ("asked", "found"), [("abc", "abc"), ("abcd", "abcd"), ("abcde", "abcdef"), ("x", None), ("ab", None), ("", None)]
)
async def test_an_entry_is_found_by_its_id_or_a_beginning_that_only_it_has(
    listing: Index, asked: str, found: str | None
) -> None:
    for entry_id in ("abc", "abcd", "abcdef"):
        await listing.put([a_line(entry_id)])
    entry = await listing.get(asked)

    assert (entry and entry.id) == found


async def test_an_incident_is_found_by_what_follows_the_date(listing: Index) -> None:
    await listing.put([a_line("20260302-ca12beef"), a_line("20260302-ca99beef")])
    entry = await listing.get("ca12")

    assert entry == a_line("20260302-ca12beef")


async def test_the_ids_that_a_part_stands_for(listing: Index) -> None:
    await listing.put([a_line("20260302-ca12beef"), a_line("20260303-ca99beef"), a_line("20260303-00000000")])

    assert await listing.matching("ca", 10) == ["20260302-ca12beef", "20260303-ca99beef"]
    assert await listing.matching("20260303", 10) == ["20260303-00000000", "20260303-ca99beef"]
    assert await listing.matching("ca", 1) == ["20260302-ca12beef"]
    assert await listing.matching("", 10) == []


async def ids(listing: Index, *, limit: int = 100, **wanted: Any) -> list[str]:
    page = await listing.page(IndexFilter(**wanted), limit=limit)
    return [entry.id for entry in page.entries]


async def test_incidents_of_some_statuses_are_newest_first(listing: Index) -> None:
    for number, status in enumerate(("held", "contained", "failed", "held")):
        await listing.put([a_line(f"i{number}", minutes=number, status=status)], was={f"i{number}": ""})

    assert await ids(listing, statuses=("held", "failed")) == ["i3", "i2", "i0"]


STATUSES = tuple(IncidentStatus)


@pytest.mark.parametrize(
    "statuses",
    [
        STATUSES[:5],
        STATUSES[4:],
        STATUSES[::2],
        (*STATUSES[:1], *STATUSES[3:]),
        STATUSES[:8],
        STATUSES[1:],
        STATUSES,
    ],
    ids=lambda statuses: f"{len(statuses)} from {statuses[0]}",
)
async def test_incidents_of_many_statuses_are_newest_first(
    listing: Index, statuses: tuple[IncidentStatus, ...]
) -> None:
    """Also after each has changed into the next status."""
    for number, status in enumerate((*STATUSES, *STATUSES)):
        await listing.put([a_line(f"i{number:02}", minutes=number, status=status)], was={f"i{number:02}": ""})
    for number, status in enumerate(STATUSES[1:]):
        was = {f"i{number:02}": STATUSES[number]}
        await listing.put([a_line(f"i{number:02}", minutes=number, status=status)], was=was)
    now = [*STATUSES[1:], STATUSES[-1], *STATUSES]
    expected = [f"i{number:02}" for number, status in enumerate(now) if status in statuses]

    assert await ids(listing, statuses=statuses) == expected[::-1]


def test_any_statuses_are_at_most_four_lists_that_hold_nothing_else() -> None:
    sets = (some for size in range(1, len(STATUSES) + 1) for some in combinations(STATUSES, size))
    for some in sets:
        lists = [each.list.removesuffix("~") for each in index_keys.ranges_of(IndexFilter(statuses=some))]

        assert len(lists) <= 4
        assert sorted(name for each in lists for name in each.removeprefix("status-").split(".")) == sorted(some)


async def test_incidents_that_need_a_decision_can_be_oldest_first(listing: Index) -> None:
    for number, status in enumerate(("held", "contained", "failed", "held")):
        await listing.put([a_line(f"i{number}", minutes=number, status=status)])

    assert await ids(listing, statuses=("held", "failed"), oldest_first=True) == ["i0", "i2", "i3"]
    assert await ids(listing, statuses=("held",), oldest_first=True) == ["i0", "i3"]


@pytest.mark.parametrize(
    "was", [{"a": "held"}, {}, {"a": ""}, {"a": "failed"}], ids=["known", "unknown", "new", "wrong"]
)
async def test_an_incident_leaves_the_list_of_its_old_status(listing: Index, was: dict[str, str]) -> None:
    """Whatever the ledger thinks that the index has."""
    await listing.put([a_line("a", status="held")], was={"a": ""})
    await listing.put([a_line("a", status="contained")], was=was)

    assert await ids(listing, statuses=("contained",)) == ["a"]
    assert await ids(listing, statuses=("held", "failed"), oldest_first=True) == []
    assert [entry.status async for entry in listing.newest()] == ["contained"]


async def test_an_incident_leaves_the_lists_of_its_old_names(listing: Index) -> None:
    await listing.put([a_line("a", accounts=("old@contoso.com",))])
    await listing.put([a_line("a", accounts=("new@contoso.com",))])

    assert await ids(listing, account="old@contoso.com") == []
    assert await ids(listing, account="new@contoso.com") == ["a"]


async def test_a_status_that_stays_is_written_in_its_place(listing: Index) -> None:
    await listing.put([a_line("a", status="held")], was={"a": ""})
    await listing.put([a_line("a", status="held", reason="later")], was={"a": "held"})

    assert [entry.reason async for entry in listing.newest(statuses=[IncidentStatus.HELD])] == ["later"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"account": "ADELE@contoso.com"}, ["b", "a"]),
        ({"account": "adele@contoso"}, []),
        ({"account": "ade"}, ["b", "a"]),
        ({"account": "AAAAAAAA-0000-4000-8000-000000000001"}, ["a"]),
        ({"actor": "mallory@contoso.com"}, ["c", "a"]),
        ({"person": "mallory@contoso.com"}, ["c", "b", "a"]),
        ({"account": "adele@contoso.com", "actor": "mallory"}, ["a"]),
        ({"account": "adele@contoso.com", "statuses": ("held",)}, ["b"]),
        ({"person": "nobody@contoso.com"}, []),
    ],
)
async def test_entries_are_found_by_the_names_of_target_and_actor(
    listing: Index, wanted: dict[str, Any], found: list[str]
) -> None:
    adele, mallory = "adele@contoso.com", "mallory@contoso.com"
    guid = "aaaaaaaa-0000-4000-8000-000000000001"
    await listing.put(
        [
            a_line("a", accounts=(adele, guid), actors=(mallory,)),
            a_line("b", minutes=1, status="held", accounts=(adele, mallory), actors=("trent@contoso.com",)),
            a_line("c", minutes=2, accounts=("blake@contoso.com",), actors=(mallory,)),
        ]
    )

    assert await ids(listing, **wanted) == found


async def test_entries_between_two_moments(listing: Index) -> None:
    for minutes in range(5):
        await listing.put([a_line(f"i{minutes}", minutes=minutes, status="held", accounts=("adele@contoso.com",))])
    between: dict[str, Any] = {"since": NOON + timedelta(minutes=1), "until": NOON + timedelta(minutes=3)}

    assert await ids(listing, **between) == ["i2", "i1"]
    assert await ids(listing, account="adele@contoso.com", **between) == ["i2", "i1"]
    assert await ids(listing, account="adele", **between) == ["i2", "i1"]
    assert await ids(listing, statuses=("held",), oldest_first=True, **between) == ["i1", "i2"]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"kinds": ("incident",)},
        {"statuses": ("held", "failed")},
        {"statuses": ("held", "failed"), "oldest_first": True},
        {"person": "adele@contoso.com"},
        {"account": "adele"},
    ],
)
async def test_pages_hold_every_entry_once(listing: Index, wanted: dict[str, Any]) -> None:
    """Also those of one moment, and those whose id is the beginning of another."""
    lines = [
        a_line(
            f"i{number // 3}{'x' * (number % 3)}", minutes=number // 4, status="held", accounts=("adele@contoso.com",)
        )
        for number in range(23)
    ]
    await listing.put(lines)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await listing.page(IndexFilter(**wanted), after=after, limit=4)
        seen += [entry.id for entry in page.entries]
        after = page.next

    assert sorted(seen) == sorted(line.id for line in lines)


async def test_entries_are_counted_up_to_a_limit(listing: Index) -> None:
    await listing.put([a_line(f"i{number}", minutes=number, status="held") for number in range(5)])
    wanted = IndexFilter(statuses=(IncidentStatus.HELD, IncidentStatus.FAILED), oldest_first=True)

    assert await listing.count(wanted, 5) == 5
    assert await listing.count(wanted, 4) is None


async def test_a_cursor_that_is_none_is_refused(listing: Index) -> None:
    with pytest.raises(InputError, match="wrong_cursor"):
        await listing.page(IndexFilter(), after="' or 1 eq 1", limit=4)


async def test_an_odd_id_is_found_again(listing: Index) -> None:
    await listing.put([a_line("a/b#c?é")])
    entry = await listing.get("a/b#c?é")

    assert entry == a_line("a/b#c?é")


async def test_an_index_line_that_cannot_be_read_is_named(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": tenant_id, "RowKey": "incidents~0-x", "Body": "{}"}
    await clients.tables.get_table_client(index_table.TABLE).create_entity(row)
    with pytest.raises(InputError, match="corrupt_row"):
        [entry async for entry in TableIndex(clients.tables, tenant_id).newest()]
