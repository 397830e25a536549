"""What comes on queues: answers, nonsense, poison."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import StepKind, StepState
from bypass_responder.session import raise_health
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from tests.world import ALEX, BLAKE, World, a_finding, an_account


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
async def test_an_answer_that_is_none_is_kept_and_reported_and_closes_nothing(change: dict[str, object]) -> None:
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


async def test_a_poison_message_is_kept_reported_and_named_in_its_case() -> None:
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


async def a_well_worker() -> World:
    """A worker that has just answered about BLAKE."""
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))
    about = {"object_id_text": BLAKE, "identity_text": "blake@contoso.onmicrosoft.com"}
    await world.sees(a_finding(target=BLAKE, **about))
    await world.answer()
    return world


async def test_the_next_answer_of_a_well_worker_does_not_read_the_tenants_case() -> None:
    world = await a_well_worker()
    await world.sees(a_finding())
    world.ledger.calls.clear()
    await world.answer()

    assert ("load", TENANT_TARGET) not in world.ledger.calls


async def test_an_answer_a_moment_later_ends_an_alert_of_another_process() -> None:
    world = await a_well_worker()
    await raise_health("worker_silent", "It was asked 3 times.", world.services)
    await world.sees(a_finding())
    world.now += timedelta(seconds=21)
    await world.answer()

    assert await world.alerts() == set()


async def test_the_answer_to_a_repeated_question_ends_the_alert_at_once() -> None:
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))
    await world.sees(a_finding())
    for _ in range(4):
        await world.passes(minutes=12)
    before = await world.alerts()
    world.services.worker.well_until = world.now + timedelta(seconds=10)
    world.answered = len(world.exchange.sent) - 1
    await world.answer()

    assert (before, await world.alerts()) == ({"worker_silent"}, set())


async def test_a_refusal_by_exchange_is_an_alert_at_once() -> None:
    world = await a_well_worker()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.FAILED, error="the role is missing", error_class="permission")

    assert await world.alerts() == {"worker_permission_missing"}


async def test_an_answer_that_was_taken_does_not_come_again_while_the_account_cannot_be_read() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    world.now += timedelta(minutes=1)
    world.directory.fail("find", TransientError("503"), about=ALEX, always=True)

    await world.answer()

    assert (await world.states())[StepKind.DISABLE_BYPASS] is StepState.DONE


async def test_a_sweep_that_was_compared_does_not_come_again_while_its_accounts_cannot_be_read() -> None:
    world = World()
    await world.sweep()
    await world.passes(minutes=15)
    world.bypassed[ALEX] = True
    world.directory.fail("find", TransientError("503"), about=ALEX, always=True)

    answer = await world.sweep()

    assert world.sweeps.kept
    assert world.sweeps.kept.command_id == answer.command_id
