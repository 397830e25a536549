"""Answers of the worker's slow side: kept against their question, ignored, unreadable, given up."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bypass_responder.model.exchange_read import ReadKind, ReadResult
from bypass_responder.triggers.record_exchange_read import record_exchange_read
from bypass_responder.triggers.sweep_bypass_state import sweep_bypass_state
from tests.world import TENANT, World

UNASKED = "00000000-0000-4000-8000-999999999999"


def an_answer(world: World, **given: object) -> bytes:
    [command] = world.reads.sent
    fields = {"command_id": command.command_id, "kind": "read_organization", "tenant_id": TENANT}
    ended = {"outcome": "failed", "started_at": world.now.isoformat(), "error": "Exchange is away."}
    return json.dumps(fields | ended | given).encode()


async def test_the_organization_is_asked_about_once_a_day() -> None:
    world = World()
    asked = []
    for _ in range(5):
        await sweep_bypass_state(world.services)
        asked += [command.kind for command in world.reads.sent]
        if world.reads.sent:
            await record_exchange_read(an_answer(world), world.services)
        world.reads.sent.clear()
        world.now += timedelta(hours=6)

    assert asked == [ReadKind.ORGANIZATION] * 2


async def test_an_answer_is_kept_against_its_question() -> None:
    world = World()
    await sweep_bypass_state(world.services)
    await record_exchange_read(an_answer(world), world.services)
    last = await world.reads.newest(ReadKind.ORGANIZATION, answered=True)

    assert last is not None
    assert isinstance(last.result, ReadResult)
    assert last.result.error == "Exchange is away."


async def test_an_answer_to_nothing_changes_nothing() -> None:
    world = World()
    await sweep_bypass_state(world.services)
    await record_exchange_read(an_answer(world, command_id=UNASKED), world.services)

    assert await world.reads.newest(ReadKind.ORGANIZATION, answered=True) is None
    assert not world.feed_store.kept


async def test_a_missing_permission_raises_no_health_alert() -> None:
    world = World()
    await sweep_bypass_state(world.services)
    await record_exchange_read(an_answer(world, error_class="permission"), world.services)

    assert (await world.case("tenant")).by_key.keys() & {"health-worker_permission_missing"} == set()


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 99},
        {"tenant_id": "22222222-2222-4222-8222-222222222222"},
        {"outcome": "splendid"},
        {"command_id": None},
        {"outcome": "read"},
    ],
)
async def test_an_answer_that_is_none_is_kept_and_notified(change: dict[str, object]) -> None:
    world = World()
    await sweep_bypass_state(world.services)
    await record_exchange_read(an_answer(world, **change), world.services)
    await world.sends()

    assert [item.reason for item in world.feed_store.kept] == ["bad_message"]
    assert await world.reads.newest(ReadKind.ORGANIZATION, answered=True) is None


async def test_a_question_that_failed_five_times_is_given_up() -> None:
    world = World()
    await sweep_bypass_state(world.services)
    [command] = world.reads.sent
    world.exchange.poison_reads.append(command.model_dump_json())
    await world.passes(minutes=1)
    last = await world.reads.newest(ReadKind.ORGANIZATION, answered=True)

    assert last is not None
    assert last.result is not None
    assert (last.result.outcome, last.result.error) == ("failed", "The worker failed five times on this question.")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"command_id": 7}', json.dumps({"command_id": UNASKED})])
async def test_poison_that_names_no_question_is_kept(text: str) -> None:
    world = World()
    world.exchange.poison_reads.append(text)
    await world.passes(minutes=1)

    assert len(world.feed_store.kept) == 1
