"""The work list: the same facts hold for the fake and for the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.adapters.work_table import TableWorkList
from bypass_responder.errors import RefusedError
from bypass_responder.ports import Finished, WorkItem, WorkList
from tests.adapters.conftest import Counted
from tests.fakes import FakeWorkList

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(params=["fake", "azurite"])
def work(request: pytest.FixtureRequest, tenant_id: str) -> WorkList:
    if request.param == "fake":
        return FakeWorkList()
    clients: StorageClients = request.getfixturevalue("clients")
    return TableWorkList(clients.tables, tenant_id)


async def test_a_touched_target_is_due_and_changed(work: WorkList) -> None:
    item = await work.touch("t1", NOON)

    assert await work.items() == [item]
    assert (item.target, item.due_at, item.changed) == ("t1", NOON, True)


async def test_many_targets_are_touched_together(work: WorkList) -> None:
    """More than one transaction of them, and each item is the one that a finish replaces."""
    touched = await work.touch_all(dict.fromkeys({f"t{number}" for number in range(101)}, NOON))
    await work.finish(touched[100], LATER)

    due = {item.target: item.due_at for item in await work.items()}
    assert due == {item.target: NOON for item in touched[:100]} | {touched[100].target: LATER}


async def test_each_of_many_keeps_its_own_time(work: WorkList) -> None:
    await work.touch_all({"t1": NOON, "t2": LATER})

    assert {item.target: item.due_at for item in await work.items()} == {"t1": NOON, "t2": LATER}


async def test_finish_sets_when_it_is_next_due(work: WorkList) -> None:
    await work.finish(await work.touch("t1", NOON), LATER)

    assert [(item.due_at, item.changed) for item in await work.items()] == [(LATER, True)]


async def test_a_finished_target_stays_until_its_log_is_checkpointed(work: WorkList) -> None:
    await work.finish(await work.touch("t1", NOON), None)
    [item] = await work.items()

    assert (item.due_at, item.changed) == (None, True)

    await work.checkpointed([item])

    assert await work.items() == []


async def test_a_checkpointed_target_that_is_due_is_only_unchanged(work: WorkList) -> None:
    await work.checkpointed([await work.touch("t1", NOON)])

    assert [(item.due_at, item.changed) for item in await work.items()] == [(NOON, False)]


async def test_a_checkpoint_of_an_item_that_changed_does_nothing(work: WorkList) -> None:
    old = await work.touch("t1", NOON)
    new = await work.touch("t1", LATER)
    await work.checkpointed([old])

    assert await work.items() == [new]


async def test_a_late_checkpoint_deletes_no_item_that_changed(work: WorkList) -> None:
    await work.finish(await work.touch("t1", NOON), None)
    [old] = await work.items()
    new = await work.touch("t1", LATER)
    await work.checkpointed([old])

    assert await work.items() == [new]


async def test_a_late_finish_never_clears_what_another_has_due(work: WorkList) -> None:
    old = await work.touch("t1", NOON)
    await work.touch("t1", LATER)
    await work.finish(old, None)

    assert [item.due_at for item in await work.items()] == [LATER]


async def test_a_late_finish_may_bring_the_target_forward(work: WorkList) -> None:
    old = await work.touch("t1", NOON)
    await work.touch("t1", LATER)
    await work.finish(old, NOON)

    assert [item.due_at for item in await work.items()] == [NOON]


async def test_a_late_finish_puts_nothing_off(work: WorkList) -> None:
    old = await work.touch("t1", NOON)
    await work.touch("t1", NOON)
    await work.finish(old, LATER)

    assert [item.due_at for item in await work.items()] == [NOON]


async def test_a_finding_stored_beside_a_commit_keeps_its_target_due(work: WorkList) -> None:
    """One worker has read the case while another touches, stores and finishes.

    The first worker then has nothing left to do.
    """
    storing = await work.touch("t1", NOON)
    committing = await work.touch("t1", LATER)
    await work.finish(storing, NOON)
    await work.finish(committing, None)

    assert [item.due_at for item in await work.items()] == [NOON]


async def test_a_finish_after_the_item_went_away_brings_it_back(work: WorkList) -> None:
    old = await work.touch("t1", NOON)
    await work.finish(old, None)
    [cleared] = await work.items()
    await work.checkpointed([cleared])
    await work.finish(old, LATER)

    assert [item.due_at for item in await work.items()] == [LATER]


async def test_a_run_says_how_far_the_log_goes(work: WorkList) -> None:
    items = await work.touch_all(dict.fromkeys({"t1", "t2"}, NOON))
    await work.finish_all([Finished(items[0], None, (7, "ab")), Finished(items[1], LATER, (8, "cd"))])

    assert {(each.target, each.due_at, each.changed, each.head) for each in await work.items()} == {
        ("t1", None, True, (7, "ab")),
        ("t2", LATER, True, (8, "cd")),
    }


async def test_a_touched_item_no_longer_says_how_far_the_log_goes(work: WorkList) -> None:
    await work.finish_all([Finished(await work.touch("t1", NOON), LATER, (7, "ab"))])
    await work.touch("t1", NOON)

    assert [item.head for item in await work.items()] == [None]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_of_two_runs_at_once_neither_says_how_far_the_log_goes(work: WorkList, order: tuple[int, int]) -> None:
    """Either may have committed last."""
    runs = [await work.touch("t1", NOON), await work.touch("t1", NOON)]
    for number in order:
        await work.finish_all([Finished(runs[number], None, (number, "ab"))])

    assert [item.head for item in await work.items()] == [None]


async def test_one_item_that_changed_holds_back_no_other(work: WorkList) -> None:
    first, second = await work.touch_all(dict.fromkeys({"t1", "t2"}, NOON))
    await work.touch("t1", NOON)
    await work.finish_all([Finished(first, LATER, (1, "ab")), Finished(second, LATER, (2, "cd"))])

    assert {(each.target, each.due_at, each.head) for each in await work.items()} == {
        ("t1", NOON, None),
        ("t2", LATER, (2, "cd")),
    }


async def test_one_changed_item_keeps_no_other_from_its_checkpoint(work: WorkList) -> None:
    old, second = await work.touch_all(dict.fromkeys({"t1", "t2"}, NOON))
    await work.touch("t1", NOON)
    await work.checkpointed([old, second])

    assert {(each.target, each.changed) for each in await work.items()} == {("t1", True), ("t2", False)}


async def test_a_hundred_targets_take_one_call_each_time(counted: Counted, tenant_id: str) -> None:
    work = TableWorkList(counted.tables, tenant_id)
    items = await work.touch_all(dict.fromkeys({f"t{number}" for number in range(100)}, NOON))
    await work.finish_all([Finished(item, None, (1, "ab")) for item in items])
    await work.checkpointed(await work.items())

    assert counted.requests == ["POST", "POST", "GET", "POST"]
    assert await work.items() == []


async def test_an_error_of_storage_is_returned_and_finishes_nothing(clients: StorageClients, tenant_id: str) -> None:
    work = TableWorkList(clients.tables, f"{tenant_id}#")
    item = WorkItem("t1", NOON, changed=True, etag='W/"old"')

    assert [type(each) for each in await work.finish_all([Finished(item, None, (1, "ab"))])] == [RefusedError]
