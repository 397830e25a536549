"""What comes on queues: answers, nonsense, poison."""

from __future__ import annotations

import json

import pytest

from bypass_responder.triggers.record_exchange_result import record_exchange_result
from tests.world import ALEX, BLAKE, World, a_finding


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 99},
        {"tenant_id": "22222222-2222-4222-8222-222222222222"},
        {"target": "../../etc"},
        {"outcome": "splendid"},
        {"command_id": None},
    ],
)
async def test_an_answer_that_is_none_is_kept_and_told_and_closes_nothing(change: dict[str, object]) -> None:
    world = World()
    await world.sees(a_finding())
    answer = json.loads(world._result(world.exchange.sent[0]).model_dump_json())

    await record_exchange_result(json.dumps(answer | change).encode(), world.services)
    await world.sends()

    assert [item.reason for item in world.feed_store.kept] == ["bad_message"]
    assert (await world.case()).head.restored_at is None
    assert "unreadable" in [notification.about for notification in world.notifier.sent]


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"\xff\xfe\x00", b"null"])
async def test_a_message_that_is_not_json_is_kept(body: bytes) -> None:
    world = World()

    await record_exchange_result(body, world.services)

    assert len(world.feed_store.kept) == 1


async def test_an_answer_for_another_target_closes_nothing() -> None:
    world = World()
    await world.sees(a_finding())
    answer = world._result(world.exchange.sent[0]).model_copy(update={"target": BLAKE})

    await record_exchange_result(answer.model_dump_json().encode(), world.services)

    assert (await world.case(ALEX)).head.restored_at is None
    assert (await world.case(BLAKE)).head.restored_at is None


async def test_an_answer_with_a_made_up_command_id_closes_nothing() -> None:
    world = World()
    await world.sees(a_finding())

    await world.answer(command_id="00000000-0000-4000-8000-999999999999")

    assert (await world.case()).head.restored_at is None


async def test_a_poison_message_is_kept_told_and_named_in_its_case() -> None:
    world = World()
    await world.sees(a_finding())
    world.exchange.poison.append(world.exchange.sent[0].model_dump_json())

    await world.passes(minutes=1)

    assert len(world.feed_store.kept) == 1
    assert "poison" in await world.notifications()
    assert world.exchange.poison == []


async def test_a_poison_message_about_nothing_known_opens_no_case() -> None:
    world = World()
    world.exchange.poison.append(json.dumps({"target": BLAKE}))

    await world.passes(minutes=1)

    assert (await world.case(BLAKE)).by_key == {}
