"""Work list, containment limit and index: the same facts hold for the fakes and for the tables."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any, NamedTuple

import pytest

from bypass_responder.adapters import index_keys, index_table, limit_table
from bypass_responder.adapters.index_table import TableIndex
from bypass_responder.adapters.limit_table import TableHourlyLimit
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.adapters.work_table import TableWorkList
from bypass_responder.errors import InputError, RefusedError
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import IndexEntry, IndexFilter
from bypass_responder.ports import Finished, Index, Slots, WorkItem, WorkList
from tests.adapters.conftest import Counted
from tests.fakes import FakeIndex, FakeLimit, FakeWorkList

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


class Ports(NamedTuple):
    """One of each, all fake or all real."""

    work: WorkList
    limit: Slots
    listing: Index


@pytest.fixture(params=["fake", "azurite"])
def ports(request: pytest.FixtureRequest, tenant_id: str) -> Ports:
    if request.param == "fake":
        return Ports(FakeWorkList(), FakeLimit(), FakeIndex())
    clients: StorageClients = request.getfixturevalue("clients")
    return Ports(
        TableWorkList(clients.tables, tenant_id),
        TableHourlyLimit(clients.tables, tenant_id),
        TableIndex(clients.tables, tenant_id),
    )


# ---- work list


async def test_a_touched_target_is_due_and_changed(ports: Ports) -> None:
    item = await ports.work.touch("t1", NOON)

    assert await ports.work.items() == [item]
    assert (item.target, item.due_at, item.changed) == ("t1", NOON, True)


async def test_many_targets_are_touched_together(ports: Ports) -> None:
    """More than one transaction of them, and each item is the one that a finish replaces."""
    touched = await ports.work.touch_all({f"t{number}" for number in range(101)}, NOON)
    await ports.work.finish(touched[100], LATER)

    due = {item.target: item.due_at for item in await ports.work.items()}
    assert due == {item.target: NOON for item in touched[:100]} | {touched[100].target: LATER}


async def test_finish_sets_when_it_is_next_due(ports: Ports) -> None:
    await ports.work.finish(await ports.work.touch("t1", NOON), LATER)

    assert [(item.due_at, item.changed) for item in await ports.work.items()] == [(LATER, True)]


async def test_a_finished_target_stays_until_its_log_is_checkpointed(ports: Ports) -> None:
    await ports.work.finish(await ports.work.touch("t1", NOON), None)
    [item] = await ports.work.items()

    assert (item.due_at, item.changed) == (None, True)

    await ports.work.checkpointed([item])

    assert await ports.work.items() == []


async def test_a_checkpointed_target_that_is_due_is_only_unchanged(ports: Ports) -> None:
    await ports.work.checkpointed([await ports.work.touch("t1", NOON)])

    assert [(item.due_at, item.changed) for item in await ports.work.items()] == [(NOON, False)]


async def test_a_checkpoint_of_an_item_that_changed_does_nothing(ports: Ports) -> None:
    old = await ports.work.touch("t1", NOON)
    new = await ports.work.touch("t1", LATER)
    await ports.work.checkpointed([old])

    assert await ports.work.items() == [new]


async def test_a_late_checkpoint_deletes_no_item_that_changed(ports: Ports) -> None:
    await ports.work.finish(await ports.work.touch("t1", NOON), None)
    [old] = await ports.work.items()
    new = await ports.work.touch("t1", LATER)
    await ports.work.checkpointed([old])

    assert await ports.work.items() == [new]


async def test_a_late_finish_never_clears_what_another_has_due(ports: Ports) -> None:
    old = await ports.work.touch("t1", NOON)
    await ports.work.touch("t1", LATER)
    await ports.work.finish(old, None)

    assert [item.due_at for item in await ports.work.items()] == [LATER]


async def test_a_late_finish_may_bring_the_target_forward(ports: Ports) -> None:
    old = await ports.work.touch("t1", NOON)
    await ports.work.touch("t1", LATER)
    await ports.work.finish(old, NOON)

    assert [item.due_at for item in await ports.work.items()] == [NOON]


async def test_a_late_finish_puts_nothing_off(ports: Ports) -> None:
    old = await ports.work.touch("t1", NOON)
    await ports.work.touch("t1", NOON)
    await ports.work.finish(old, LATER)

    assert [item.due_at for item in await ports.work.items()] == [NOON]


async def test_whoever_stores_a_finding_beside_a_commit_is_not_forgotten(ports: Ports) -> None:
    """One worker has read the case; another touches, stores and finishes; the first then has nothing left to do."""
    storing = await ports.work.touch("t1", NOON)
    committing = await ports.work.touch("t1", LATER)
    await ports.work.finish(storing, NOON)
    await ports.work.finish(committing, None)

    assert [item.due_at for item in await ports.work.items()] == [NOON]


async def test_a_finish_after_the_item_went_away_brings_it_back(ports: Ports) -> None:
    old = await ports.work.touch("t1", NOON)
    await ports.work.finish(old, None)
    [cleared] = await ports.work.items()
    await ports.work.checkpointed([cleared])
    await ports.work.finish(old, LATER)

    assert [item.due_at for item in await ports.work.items()] == [LATER]


async def test_a_run_says_how_far_the_log_goes(ports: Ports) -> None:
    items = await ports.work.touch_all({"t1", "t2"}, NOON)
    await ports.work.finish_all([Finished(items[0], None, (7, "ab")), Finished(items[1], LATER, (8, "cd"))])

    assert {(each.target, each.due_at, each.changed, each.head) for each in await ports.work.items()} == {
        ("t1", None, True, (7, "ab")),
        ("t2", LATER, True, (8, "cd")),
    }


async def test_a_touched_item_no_longer_says_how_far_the_log_goes(ports: Ports) -> None:
    await ports.work.finish_all([Finished(await ports.work.touch("t1", NOON), LATER, (7, "ab"))])
    await ports.work.touch("t1", NOON)

    assert [item.head for item in await ports.work.items()] == [None]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_runs_at_once_neither_says_how_far_the_log_goes(ports: Ports, order: tuple[int, int]) -> None:
    """Either may have committed last."""
    runs = [await ports.work.touch("t1", NOON), await ports.work.touch("t1", NOON)]
    for number in order:
        await ports.work.finish_all([Finished(runs[number], None, (number, "ab"))])

    assert [item.head for item in await ports.work.items()] == [None]


async def test_one_item_that_changed_holds_back_no_other(ports: Ports) -> None:
    first, second = await ports.work.touch_all({"t1", "t2"}, NOON)
    await ports.work.touch("t1", NOON)
    await ports.work.finish_all([Finished(first, LATER, (1, "ab")), Finished(second, LATER, (2, "cd"))])

    assert {(each.target, each.due_at, each.head) for each in await ports.work.items()} == {
        ("t1", NOON, None),
        ("t2", LATER, (2, "cd")),
    }


async def test_one_changed_item_keeps_no_other_from_its_checkpoint(ports: Ports) -> None:
    old, second = await ports.work.touch_all({"t1", "t2"}, NOON)
    await ports.work.touch("t1", NOON)
    await ports.work.checkpointed([old, second])

    assert {(each.target, each.changed) for each in await ports.work.items()} == {("t1", True), ("t2", False)}


async def test_a_hundred_targets_take_one_call_each_time(counted: Counted, tenant_id: str) -> None:
    work = TableWorkList(counted.tables, tenant_id)
    items = await work.touch_all({f"t{number}" for number in range(100)}, NOON)
    await work.finish_all([Finished(item, None, (1, "ab")) for item in items])
    await work.checkpointed(await work.items())

    assert counted.requests == ["POST", "POST", "GET", "POST"]
    assert await work.items() == []


async def test_an_error_of_storage_is_returned_and_finishes_nothing(clients: StorageClients, tenant_id: str) -> None:
    work = TableWorkList(clients.tables, f"{tenant_id}#")
    item = WorkItem("t1", NOON, changed=True, etag='W/"old"')

    assert [type(each) for each in await work.finish_all([Finished(item, None, (1, "ab"))])] == [RefusedError]


# ---- limit


async def test_runs_of_one_host_lose_no_races_to_each_other(counted: Counted, tenant_id: str) -> None:
    limit = TableHourlyLimit(counted.tables, tenant_id)
    taken = await asyncio.gather(*(limit.take(f"i{number}", limit=9, now=NOON) for number in range(8)))

    assert all(taken)
    assert len(counted.requests) == 9


async def test_no_more_slots_than_the_limit(ports: Ports) -> None:
    taken = [await ports.limit.take(f"i{number}", limit=2, now=NOON) for number in range(4)]

    assert taken == [True, True, False, False]


async def test_an_incident_that_has_a_slot_keeps_it(ports: Ports) -> None:
    await ports.limit.take("i1", limit=1, now=NOON)

    assert await ports.limit.take("i1", limit=1, now=LATER)


async def test_a_slot_is_free_again_after_an_hour(ports: Ports) -> None:
    await ports.limit.take("i1", limit=1, now=NOON)

    assert not await ports.limit.take("i2", limit=1, now=NOON + timedelta(minutes=59))
    assert await ports.limit.take("i2", limit=1, now=NOON + timedelta(minutes=60, seconds=1))


async def test_a_slot_that_is_given_back_is_free_at_once(ports: Ports) -> None:
    await ports.limit.take("i1", limit=1, now=NOON)
    await ports.limit.give_back("i1")

    assert await ports.limit.take("i2", limit=1, now=NOON)


async def test_giving_back_a_slot_leaves_those_of_others(ports: Ports) -> None:
    await ports.limit.take("i1", limit=1, now=NOON)
    await ports.limit.give_back("i2")

    assert not await ports.limit.take("i2", limit=1, now=NOON)


async def test_slots_that_many_give_back_at_once_are_all_free(ports: Ports) -> None:
    keys = [f"i{number}" for number in range(5)]
    await asyncio.gather(*(ports.limit.take(key, limit=5, now=NOON) for key in keys))
    await asyncio.gather(*(ports.limit.give_back(key) for key in keys))

    assert all([await ports.limit.take(f"other {key}", limit=5, now=NOON) for key in keys])


async def test_no_slots_when_the_limit_is_nought(ports: Ports) -> None:
    assert not await ports.limit.take("i1", limit=0, now=NOON)


async def test_the_limit_is_exact_when_many_ask_at_once(ports: Ports) -> None:
    taken = await asyncio.gather(*(ports.limit.take(f"i{n}", limit=5, now=NOON) for n in range(12)))

    assert sum(taken) == 5


async def test_a_thousand_slots_fit(clients: StorageClients, tenant_id: str) -> None:
    limit = TableHourlyLimit(clients.tables, tenant_id)
    slots = {f"{n:036d}": NOON for n in range(999)}
    await limit._write(slots, None)

    assert await limit.take("last", limit=1000, now=NOON)
    assert not await limit.take("one more", limit=1000, now=NOON)


async def test_two_workers_that_remember_what_they_saw_stay_within_the_limit(
    clients: StorageClients, tenant_id: str
) -> None:
    first, second = (TableHourlyLimit(clients.tables, tenant_id) for _ in range(2))
    taken = [await worker.take(f"i{n}", limit=3, now=NOON) for n in range(3) for worker in (first, second)]

    assert taken == [True, True, True, True, True, True]
    assert not await first.take("i3", limit=3, now=NOON)
    assert not await second.take("i3", limit=3, now=NOON)


async def test_a_slot_that_another_worker_gave_back_is_not_remembered_as_taken(
    clients: StorageClients, tenant_id: str
) -> None:
    first, second = (TableHourlyLimit(clients.tables, tenant_id) for _ in range(2))
    await first.take("i1", limit=1, now=NOON)
    await second.give_back("i1")
    await second.take("i2", limit=1, now=NOON)

    assert not await first.take("i1", limit=1, now=NOON)


async def test_a_limit_that_a_person_reset_gives_slots_again(clients: StorageClients, tenant_id: str) -> None:
    limit = TableHourlyLimit(clients.tables, tenant_id)
    await limit.take("i1", limit=1, now=NOON)
    await clients.tables.get_table_client(limit_table.TABLE).delete_entity(f"{tenant_id}_limit", "slots")

    assert await limit.take("i2", limit=1, now=NOON)


async def test_a_limit_that_cannot_be_read_gives_no_slot(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": f"{tenant_id}_limit", "RowKey": "slots", "Slots00": "[1"}
    await clients.tables.get_table_client(limit_table.TABLE).create_entity(row)
    with pytest.raises(InputError, match="corrupt_row"):
        await TableHourlyLimit(clients.tables, tenant_id).take("i1", limit=5, now=NOON)


# ---- index


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


async def test_the_listing_is_newest_first(ports: Ports) -> None:
    for entry_id, minutes in (("b", 1), ("a", 0), ("c", 2)):
        await ports.listing.put([a_line(entry_id, minutes=minutes)])

    assert [entry.id async for entry in ports.listing.newest()] == ["c", "b", "a"]


async def test_an_entry_is_replaced_in_its_place(ports: Ports) -> None:
    await ports.listing.put([a_line("a")])
    await ports.listing.put([a_line("a", status="contained")])

    assert [entry async for entry in ports.listing.newest()] == [a_line("a", status="contained")]


async def test_entries_of_one_account_are_put_together(ports: Ports) -> None:
    await ports.listing.put([a_line(f"e{number}", minutes=number) for number in range(120)])

    assert len([entry async for entry in ports.listing.newest()]) == 120


async def test_a_listing_of_some_kinds(ports: Ports) -> None:
    for number, kind in enumerate(("incident", "attempt", "stood_down")):
        await ports.listing.put([a_line(kind, kind=kind, minutes=number)])

    some = [entry.id async for entry in ports.listing.newest(kinds=["incident", "stood_down"])]

    assert some == ["stood_down", "incident"]
    assert [entry.id async for entry in ports.listing.newest(kinds=[])] == []


@pytest.mark.parametrize(
    ("asked", "found"), [("abc", "abc"), ("abcd", "abcd"), ("abcde", "abcdef"), ("x", None), ("ab", None), ("", None)]
)
async def test_an_entry_is_found_by_its_id_or_a_beginning_that_only_it_has(
    ports: Ports, asked: str, found: str | None
) -> None:
    for entry_id in ("abc", "abcd", "abcdef"):
        await ports.listing.put([a_line(entry_id)])
    entry = await ports.listing.get(asked)

    assert (entry and entry.id) == found


async def test_an_incident_is_found_by_what_follows_the_date(ports: Ports) -> None:
    await ports.listing.put([a_line("20260302-ca12beef"), a_line("20260302-ca99beef")])
    entry = await ports.listing.get("ca12")

    assert entry == a_line("20260302-ca12beef")


async def test_the_ids_that_a_part_stands_for(ports: Ports) -> None:
    await ports.listing.put([a_line("20260302-ca12beef"), a_line("20260303-ca99beef"), a_line("20260303-00000000")])

    assert await ports.listing.matching("ca", 10) == ["20260302-ca12beef", "20260303-ca99beef"]
    assert await ports.listing.matching("20260303", 10) == ["20260303-00000000", "20260303-ca99beef"]
    assert await ports.listing.matching("ca", 1) == ["20260302-ca12beef"]
    assert await ports.listing.matching("", 10) == []


async def ids(ports: Ports, *, limit: int = 100, **wanted: Any) -> list[str]:
    page = await ports.listing.page(IndexFilter(**wanted), limit=limit)
    return [entry.id for entry in page.entries]


async def test_incidents_of_some_statuses_are_newest_first(ports: Ports) -> None:
    for number, status in enumerate(("held", "contained", "failed", "held")):
        await ports.listing.put([a_line(f"i{number}", minutes=number, status=status)], was={f"i{number}": ""})

    assert await ids(ports, statuses=("held", "failed")) == ["i3", "i2", "i0"]


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
async def test_incidents_of_many_statuses_are_newest_first(ports: Ports, statuses: tuple[IncidentStatus, ...]) -> None:
    """Also after each has changed into the next status."""
    for number, status in enumerate((*STATUSES, *STATUSES)):
        await ports.listing.put([a_line(f"i{number:02}", minutes=number, status=status)], was={f"i{number:02}": ""})
    for number, status in enumerate(STATUSES[1:]):
        was = {f"i{number:02}": STATUSES[number]}
        await ports.listing.put([a_line(f"i{number:02}", minutes=number, status=status)], was=was)
    now = [*STATUSES[1:], STATUSES[-1], *STATUSES]
    expected = [f"i{number:02}" for number, status in enumerate(now) if status in statuses]

    assert await ids(ports, statuses=statuses) == expected[::-1]


def test_any_statuses_are_at_most_four_lists_that_hold_nothing_else() -> None:
    sets = (some for size in range(1, len(STATUSES) + 1) for some in combinations(STATUSES, size))
    for some in sets:
        lists = [each.list.removesuffix("~") for each in index_keys.ranges_of(IndexFilter(statuses=some))]

        assert len(lists) <= 4
        assert sorted(name for each in lists for name in each.removeprefix("status-").split(".")) == sorted(some)


async def test_incidents_that_need_a_decision_can_be_oldest_first(ports: Ports) -> None:
    for number, status in enumerate(("held", "contained", "failed", "held")):
        await ports.listing.put([a_line(f"i{number}", minutes=number, status=status)])

    assert await ids(ports, statuses=("held", "failed"), oldest_first=True) == ["i0", "i2", "i3"]
    assert await ids(ports, statuses=("held",), oldest_first=True) == ["i0", "i3"]


@pytest.mark.parametrize(
    "was", [{"a": "held"}, {}, {"a": ""}, {"a": "failed"}], ids=["known", "unknown", "new", "wrong"]
)
async def test_an_incident_leaves_the_list_of_its_old_status(ports: Ports, was: dict[str, str]) -> None:
    """Whatever the ledger thinks that the index has."""
    await ports.listing.put([a_line("a", status="held")], was={"a": ""})
    await ports.listing.put([a_line("a", status="contained")], was=was)

    assert await ids(ports, statuses=("contained",)) == ["a"]
    assert await ids(ports, statuses=("held", "failed"), oldest_first=True) == []
    assert [entry.status async for entry in ports.listing.newest()] == ["contained"]


async def test_an_incident_leaves_the_lists_of_its_old_names(ports: Ports) -> None:
    await ports.listing.put([a_line("a", accounts=("old@contoso.com",))])
    await ports.listing.put([a_line("a", accounts=("new@contoso.com",))])

    assert await ids(ports, account="old@contoso.com") == []
    assert await ids(ports, account="new@contoso.com") == ["a"]


async def test_a_status_that_stays_is_written_in_its_place(ports: Ports) -> None:
    await ports.listing.put([a_line("a", status="held")], was={"a": ""})
    await ports.listing.put([a_line("a", status="held", reason="later")], was={"a": "held"})

    assert [entry.reason async for entry in ports.listing.newest(statuses=[IncidentStatus.HELD])] == ["later"]


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
    ports: Ports, wanted: dict[str, Any], found: list[str]
) -> None:
    adele, mallory = "adele@contoso.com", "mallory@contoso.com"
    guid = "aaaaaaaa-0000-4000-8000-000000000001"
    await ports.listing.put(
        [
            a_line("a", accounts=(adele, guid), actors=(mallory,)),
            a_line("b", minutes=1, status="held", accounts=(adele, mallory), actors=("trent@contoso.com",)),
            a_line("c", minutes=2, accounts=("blake@contoso.com",), actors=(mallory,)),
        ]
    )

    assert await ids(ports, **wanted) == found


async def test_entries_between_two_moments(ports: Ports) -> None:
    for minutes in range(5):
        await ports.listing.put(
            [a_line(f"i{minutes}", minutes=minutes, status="held", accounts=("adele@contoso.com",))]
        )
    between: dict[str, Any] = {"since": NOON + timedelta(minutes=1), "until": NOON + timedelta(minutes=3)}

    assert await ids(ports, **between) == ["i2", "i1"]
    assert await ids(ports, account="adele@contoso.com", **between) == ["i2", "i1"]
    assert await ids(ports, account="adele", **between) == ["i2", "i1"]
    assert await ids(ports, statuses=("held",), oldest_first=True, **between) == ["i1", "i2"]


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
async def test_pages_hold_every_entry_once(ports: Ports, wanted: dict[str, Any]) -> None:
    """Also those of one moment, and those whose id is the beginning of another."""
    lines = [
        a_line(
            f"i{number // 3}{'x' * (number % 3)}", minutes=number // 4, status="held", accounts=("adele@contoso.com",)
        )
        for number in range(23)
    ]
    await ports.listing.put(lines)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await ports.listing.page(IndexFilter(**wanted), after=after, limit=4)
        seen += [entry.id for entry in page.entries]
        after = page.next

    assert sorted(seen) == sorted(line.id for line in lines)


async def test_entries_are_counted_up_to_a_limit(ports: Ports) -> None:
    await ports.listing.put([a_line(f"i{number}", minutes=number, status="held") for number in range(5)])
    wanted = IndexFilter(statuses=(IncidentStatus.HELD, IncidentStatus.FAILED), oldest_first=True)

    assert await ports.listing.count(wanted, 5) == 5
    assert await ports.listing.count(wanted, 4) is None


async def test_a_cursor_that_is_none_is_refused(ports: Ports) -> None:
    with pytest.raises(InputError, match="wrong_cursor"):
        await ports.listing.page(IndexFilter(), after="' or 1 eq 1", limit=4)


async def test_an_odd_id_is_found_again(ports: Ports) -> None:
    await ports.listing.put([a_line("a/b#c?é")])
    entry = await ports.listing.get("a/b#c?é")

    assert entry == a_line("a/b#c?é")


async def test_an_index_line_that_cannot_be_read_is_named(clients: StorageClients, tenant_id: str) -> None:
    row = {"PartitionKey": tenant_id, "RowKey": "incidents~0-x", "Body": "{}"}
    await clients.tables.get_table_client(index_table.TABLE).create_entity(row)
    with pytest.raises(InputError, match="corrupt_row"):
        [entry async for entry in TableIndex(clients.tables, tenant_id).newest()]
