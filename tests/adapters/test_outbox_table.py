"""The outbox: the same facts hold for the fake and for the table."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from bypass_responder.adapters.outbox_table import StorageSenderQueue, TableOutbox
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.ports import WAKE, Outbox, Turn
from tests.fakes import FakeOutbox

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


@pytest.fixture(params=["fake", "azurite"])
def outbox(request: pytest.FixtureRequest, tenant_id: str) -> Outbox:
    if request.param == "fake":
        return FakeOutbox()
    clients: StorageClients = request.getfixturevalue("clients")
    return TableOutbox(clients.tables, tenant_id)


async def due(outbox: Outbox, at: datetime = NOON, receiver: str = "webhook", limit: int = 1000) -> list[str]:
    return [item.target for item in await outbox.due(receiver, at, limit)]


async def test_a_target_is_due_from_its_time_on(outbox: Outbox) -> None:
    await outbox.add("webhook", {"t1": NOON, "t2": LATER})

    assert (await due(outbox), await due(outbox, LATER)) == (["t1"], ["t1", "t2"])


async def test_more_targets_than_one_transaction_takes_are_added(outbox: Outbox) -> None:
    await outbox.add("webhook", {f"t{number:03}": NOON for number in range(101)})

    assert len(await due(outbox)) == 101


async def test_no_more_are_read_than_asked_for(outbox: Outbox) -> None:
    await outbox.add("webhook", {f"t{number}": NOON for number in range(5)})

    assert await due(outbox, limit=2) == ["t0", "t1"]


async def test_the_item_of_one_receiver_is_no_other_ones(outbox: Outbox) -> None:
    await outbox.add("webhook", {"t1": NOON})

    assert await due(outbox, receiver="pager") == []


async def test_a_target_that_waits_for_two_receivers_counts_once(outbox: Outbox) -> None:
    for receiver in ("webhook", "pager"):
        await outbox.add(receiver, {"t1": NOON, "t2": LATER})

    assert await outbox.waiting() == 2


async def test_a_finished_item_is_removed(outbox: Outbox) -> None:
    await outbox.add("webhook", {"t1": NOON})
    [item] = await outbox.due("webhook", NOON, 1)
    await outbox.finish(item, None)

    assert await due(outbox) == []


async def test_an_item_can_be_put_off(outbox: Outbox) -> None:
    await outbox.add("webhook", {"t1": NOON})
    [item] = await outbox.due("webhook", NOON, 1)
    await outbox.finish(item, LATER)

    assert (await due(outbox), await due(outbox, LATER)) == ([], ["t1"])


@pytest.mark.parametrize("due_at", [None, LATER])
async def test_an_item_that_was_added_again_meanwhile_stays_due(outbox: Outbox, due_at: datetime | None) -> None:
    await outbox.add("webhook", {"t1": NOON})
    [item] = await outbox.due("webhook", NOON, 1)
    await outbox.add("webhook", {"t1": NOON})
    await outbox.finish(item, due_at)

    assert await due(outbox) == ["t1"]


async def test_an_item_that_is_gone_is_finished(outbox: Outbox) -> None:
    await outbox.add("webhook", {"t1": NOON})
    [item] = await outbox.due("webhook", NOON, 1)
    for _ in range(2):
        await outbox.finish(item, None)

    assert await due(outbox) == []


async def test_only_one_run_has_the_turn(outbox: Outbox) -> None:
    first = await outbox.take_turn("webhook", NOON, LATER)
    second = await outbox.take_turn("webhook", NOON, LATER)

    assert (first is not None, second) == (True, None)


async def test_each_receiver_has_a_turn(outbox: Outbox) -> None:
    await outbox.take_turn("webhook", NOON, LATER)

    assert await outbox.take_turn("pager", NOON, LATER) is not None


async def test_a_turn_whose_run_died_expires(outbox: Outbox) -> None:
    await outbox.take_turn("webhook", NOON, LATER)

    assert await outbox.take_turn("webhook", LATER, LATER + timedelta(minutes=5)) is not None


async def ended(outbox: Outbox, *, failures: int, until: datetime | None) -> Turn | None:
    """The next turn, a second after one ended in this way."""
    turn = await outbox.take_turn("webhook", NOON, LATER)
    assert turn is not None
    await outbox.end_turn(turn, failures=failures, until=until)
    return await outbox.take_turn("webhook", NOON + timedelta(seconds=1), LATER)


async def test_a_turn_that_ended_is_free_and_its_failures_are_kept(outbox: Outbox) -> None:
    turn = await ended(outbox, failures=3, until=None)

    assert turn is not None
    assert turn.failures == 3


async def test_a_receiver_is_left_alone_until_a_time(outbox: Outbox) -> None:
    assert await ended(outbox, failures=1, until=LATER) is None


async def test_a_run_that_was_too_slow_does_not_end_the_turn_of_the_next(outbox: Outbox) -> None:
    slow = await outbox.take_turn("webhook", NOON, LATER)
    await outbox.take_turn("webhook", LATER, LATER + timedelta(minutes=5))
    assert slow is not None
    await outbox.end_turn(slow, failures=0, until=None)

    assert await outbox.take_turn("webhook", LATER, LATER) is None


async def test_a_wake_up_is_one_message_in_base64(clients: StorageClients) -> None:
    await StorageSenderQueue(clients.queues, queue="contract-results").wake()
    queue = clients.queues.get_queue_client("contract-results")
    messages = [message async for message in queue.receive_messages()]
    for message in messages:
        await queue.delete_message(message)

    assert [base64.b64decode(message.content).decode() for message in messages] == [WAKE]
