"""What a plan or its undo asked of a mailbox is no tampering.

Anything else that the worker's identity does is tampering.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.model.decision_message import DecisionKind
from tests.case.plans import object_id
from tests.sensing.builders import Json
from tests.tampering.family import ran
from tests.tampering.sensors import alerted, notified, ours, stored
from tests.triggers.plans import Mailboxes, a_plan, applies, carried_out, decides
from tests.triggers.test_store_records import polled
from tests.world import World, exchange_guid

WORKER = "0a0a0a0a-0000-4000-8000-00000000000a"
PERSON = {"UserId": "mallory@contoso.onmicrosoft.com", "AppId": "", "TokenObjectId": ""}


async def undone(number: int = 3, **settings: Any) -> World:
    """A world in which a plan was carried out and undone within a minute."""
    world = World(exchange_worker_ids=WORKER, **settings)
    mailboxes = Mailboxes(world, number)
    await applies(world, a_plan(number))
    run = await carried_out(world, mailboxes)
    world.now += timedelta(minutes=1)
    await decides(world, DecisionKind.UNDO_PLAN, run=run.id)
    await carried_out(world, mailboxes)
    return world


def by_worker(world: World, number: int = 0, at: timedelta = timedelta(), **fields: Any) -> Json:
    """The worker set the list that the undo goes back to."""
    record = ran("Set-Mailbox", "kim", Identity=exchange_guid(object_id(number)), AuditOwner="Update;HardDelete")
    own = {"UserId": WORKER, "TokenObjectId": WORKER, "AppId": "another", "UserType": 5}
    return ours(record, Id=f"r{number}", CreationTime=f"{world.now + at:%Y-%m-%dT%H:%M:%S}", **own | fields)


async def test_the_undo_of_a_plan_is_neither_recorded_nor_notified_as_tampering() -> None:
    world = await undone()
    await polled(*(by_worker(world, number) for number in range(3)), world=world)

    assert await stored(world) == []
    assert notified(world) == []


async def test_an_alert_about_it_is_none_either() -> None:
    world = await undone()
    await alerted(world, by_worker(world))

    assert await stored(world) == []


async def test_while_it_goes_on_it_is_none_either() -> None:
    """What is under way is in the run; the entry of the mailbox has no more than the plan."""
    world = World(exchange_worker_ids=WORKER)
    mailboxes = Mailboxes(world, 1)
    await applies(world, a_plan(1))
    run = await carried_out(world, mailboxes)
    await decides(world, DecisionKind.UNDO_PLAN, run=run.id)
    await polled(by_worker(world), world=world)

    assert await stored(world) == []


OTHERS: dict[str, dict[str, Any]] = {
    "another mailbox": {"number": 7},
    "before the plan": {"at": timedelta(minutes=-5)},
    "after the undo": {"at": timedelta(minutes=5)},
    "a person": PERSON,
    "another app": {"TokenObjectId": "0b0b0b0b-0000-4000-8000-00000000000b"},
}


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
async def test_what_no_plan_asked_for_is_tampering(fields: dict[str, Any]) -> None:
    world = await undone()
    await polled(by_worker(world, **fields), by_worker(world, 1), world=world)

    assert len(await stored(world)) == 1
    assert [each.title for each in notified(world)] == [f"A mailbox is audited less: {(await stored(world))[0].target}"]


async def test_without_any_plan_what_the_worker_does_is_tampering() -> None:
    world = World(exchange_worker_ids=WORKER)
    await polled(by_worker(world), world=world)

    assert len(notified(world)) == 1
