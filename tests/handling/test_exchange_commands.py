"""Commands to the Exchange worker and what its answers do."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import Effect, StepKind, StepState
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from tests.world import ALEX, BLAKE, START, World, a_finding

DISABLE = StepKind.DISABLE_BYPASS
HOUR = timedelta(hours=1)


async def test_an_unverified_answer_is_asked_again_later_each_time() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.UNVERIFIED)
    await world.passes(seconds=10)
    too_early = len(world.exchange.sent)
    await world.passes(minutes=2)

    assert too_early == 1
    assert len(world.exchange.sent) == 2


async def test_an_answer_about_another_object_is_not_counted() -> None:
    world = World()
    await world.sees(a_finding())
    [sent] = world.exchange.sent
    other = world._result(sent).resolved

    await world.answer(resolved=other.model_copy(update={"object_id": BLAKE}) if other else None)

    assert (await world.steps())[DISABLE].state is StepState.FAILED
    assert (await world.case()).head.restored_at is None


async def test_the_same_answer_twice_changes_nothing() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    before = list(world.ledger.logs[ALEX])
    world.answered = 0

    await world.answer()

    assert world.ledger.logs[ALEX] == before


async def test_a_command_without_answer_is_asked_again_under_a_new_id_and_one_of_two_answers_has_an_effect() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(minutes=12)
    first, second = world.exchange.sent
    world.answered = 0

    await world.answer()

    assert first.command_id != second.command_id
    events = [entry.event async for entry in world.ledger.log(ALEX)]
    assert events.count("restored") == 1
    assert (await world.case()).head.restored_at is not None


async def test_a_worker_that_stays_silent_is_notified() -> None:
    world = World()
    await world.sees(a_finding())
    for _ in range(4):
        await world.passes(minutes=12)

    assert "worker_silent" in await world.notifications()


async def test_a_missing_exchange_permission_is_a_failed_step_with_the_worker_s_message() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.FAILED, error="the role Audit Logs is missing", error_class="permission")

    step = (await world.steps())[DISABLE]
    assert step.state is StepState.FAILED
    assert "Audit Logs" in step.detail


async def test_a_switch_to_observe_withdraws_what_was_asked_and_not_answered() -> None:
    world = World()
    await world.sees(a_finding())
    world.deploy(mode="observe")
    await world.passes(minutes=12)

    assert len(world.exchange.sent) == 1
    assert (await world.steps())[DISABLE].state is StepState.WITHHELD


async def test_a_verified_answer_that_comes_after_an_already_off_still_counts_as_ours() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    verified = world._result(world.exchange.sent[0])
    already_off = verified.model_copy(update={"outcome": ExchangeOutcome.ALREADY_OFF, "before": False})

    for answer in (already_off, verified, already_off):
        await record_exchange_result(answer.model_dump_json().encode(), world.services)

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE


async def test_exchange_failing_for_days_is_asked_again_each_hour() -> None:
    world = World()
    await world.sees(a_finding(effective_at=START - 48 * HOUR))
    for _ in range(60):
        await world.answer(outcome=ExchangeOutcome.FAILED, resolved=None, before=None, error="down")
        await world.passes(hours=1)

    assert len(world.exchange.sent) > 50
    assert (await world.notifications()).count("worker_failed") == 1


async def test_a_question_that_came_too_late_is_asked_again() -> None:
    world = World()
    world.names["alexw"], world.bypassed[ALEX] = [ALEX], True
    finding = a_finding(object_id_text="alexw", identity_text="alexw")
    await world.sees(finding)
    await world.answer(outcome=ExchangeOutcome.REFUSED, resolved=None, before=None, error_class="transient")
    await world.passes(minutes=3)
    await world.answer()

    assert not world.directory.enabled[ALEX]


async def test_off_after_an_attempt_of_ours_that_failed_halfway_counts_as_effective() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.FAILED, error="the connection broke", error_class="transient")
    await world.passes(minutes=2)
    await world.answer()

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE
