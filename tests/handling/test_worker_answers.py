"""What an answer from the Exchange worker changes in a step, and what it leaves."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bypass_responder.case.account_state import shown_of
from bypass_responder.model.finding import FindingState
from bypass_responder.model.log import LogEntry
from bypass_responder.model.message import CommandKind, ErrorClass, ExchangeObject, ExchangeOutcome, ExchangeResult
from bypass_responder.model.notification import Notification
from bypass_responder.model.step import Effect, StepKind, StepState
from bypass_responder.operating.incidents.proof import controls_of
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from tests.world import ALEX, BLAKE, START, World, a_finding, a_hint, an_entry, exchange_guid

if TYPE_CHECKING:
    from collections.abc import Callable

    from bypass_responder.model.finding import Finding

DISABLE = StepKind.DISABLE_BYPASS
FAILED_READ = {"resolved": None, "before": None}
BLAKES = ExchangeObject(object_id=BLAKE, exchange_guid=exchange_guid(BLAKE), name="Blake")
"""The object of another account than ALEX."""


async def log_of(world: World) -> list[LogEntry]:
    return [entry async for entry in world.ledger.log(ALEX)]


async def asked_over(world: World, hours: int, **answer: object) -> list[float]:
    """The pauses between the questions, in minutes, while every answer is the same."""
    times = []
    for _ in range(hours * 60):
        if world.answered < len(world.exchange.sent):
            results = await world.answer(**answer)
            times += [world.now for result in results if result.kind is CommandKind.DISABLE_BYPASS]
        await world.passes(minutes=1)
    return [(later - earlier).total_seconds() / 60 for earlier, later in pairwise(times)]


async def delivers(world: World, answer: ExchangeResult) -> None:
    """An answer of the worker arrives."""
    await record_exchange_result(answer.model_dump_json().encode(), world.services)
    await world.sends()


async def answers_late(world: World, *, minutes: int, hours: int) -> None:
    """A worker that answers everything, each time so many minutes after it was asked."""
    late: list[tuple[int, ExchangeResult]] = []
    for minute in range(hours * 60):
        new, world.answered = world.exchange.sent[world.answered :], len(world.exchange.sent)
        late += [(minute + minutes, world._result(command)) for command in new]
        for due, answer in late:
            if due == minute:
                await delivers(world, answer)
        await world.passes(minutes=1)


async def test_unverified_is_asked_again_at_growing_intervals_up_to_an_hour() -> None:
    world = World()
    await world.sees(a_finding())

    pauses = await asked_over(world, 8, outcome=ExchangeOutcome.UNVERIFIED)

    assert pauses == sorted(pauses)
    assert 60 <= pauses[-1] <= 61


async def test_a_bypass_that_stays_on_is_an_alarm_once_it_is_asked_about_once_an_hour_only() -> None:
    world = World()
    await world.sees(a_finding())

    await asked_over(world, 8, outcome=ExchangeOutcome.UNVERIFIED, error="still on")

    alarms = [notification for notification in world.notifier.sent if notification.about == "step_failed"]
    assert [("once an hour" in notification.text, notification.severity) for notification in alarms] == [
        (False, "critical"),
        (True, "critical"),
    ]
    assert "still on" in alarms[1].text


async def test_unverified_that_is_verified_at_last_restores() -> None:
    world = World()
    await world.sees(a_finding())
    await asked_over(world, 1, outcome=ExchangeOutcome.UNVERIFIED)
    await world.passes(hours=1)
    await world.answer()

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE
    assert (await world.case()).head.restored_at == world.now


async def test_auditing_that_could_not_be_restored_is_tried_again_after_the_release() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.REFUSED, error="no right", **FAILED_READ)
    failed = (await world.steps())[DISABLE].state
    await world.decides("release", (await world.incidents())[0].id)
    await world.passes(minutes=1)

    assert failed is StepState.FAILED
    assert len([sent for sent in world.exchange.sent if sent.kind is CommandKind.DISABLE_BYPASS]) == 2


async def test_a_schema_version_that_the_worker_does_not_know_is_asked_again_after_its_upgrade() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.REFUSED, error_class="transient", **FAILED_READ)
    waiting = (await world.steps())[DISABLE].state
    await world.passes(minutes=2)
    await world.answer()

    assert waiting is StepState.PLANNED
    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE


async def test_a_permanent_refusal_needs_a_person_and_is_not_retried() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.REFUSED, error="another tenant", **FAILED_READ)
    await world.passes(hours=5)

    assert (await world.steps())[DISABLE].state is StepState.FAILED
    assert [command.kind for command in world.exchange.sent].count(CommandKind.DISABLE_BYPASS) == 1


async def test_off_at_the_second_delivery_of_a_command_counts_as_our_effect() -> None:
    """The first worker died between the change and its answer."""
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.ALREADY_OFF, before=False, after=False, deliveries=2)

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE


async def test_off_at_the_second_question_counts_as_our_effect() -> None:
    """The first had no answer; a worker may have carried it out all the same."""
    world = World()
    await world.sees(a_finding())
    world.answered = 1
    await world.passes(minutes=12)
    await world.answer(outcome=ExchangeOutcome.ALREADY_OFF, before=False, after=False)

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE


async def test_off_at_the_first_delivery_was_off_already() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.ALREADY_OFF, before=False, after=False)

    assert (await world.steps())[DISABLE].effect is Effect.NOT_NEEDED


@pytest.mark.parametrize(
    "change", [{"command_id": "00000000-0000-4000-8000-999999999999"}, {"kind": CommandKind.CHECK_BYPASS}]
)
async def test_an_answer_to_another_question_is_recorded_and_not_acted_on(change: dict[str, object]) -> None:
    world = World()
    await world.sees(a_finding())
    answer = world._result(world.exchange.sent[0]).model_copy(update=change)

    await record_exchange_result(answer.model_dump_json().encode(), world.services)

    assert "answer_ignored" in [entry.event for entry in await log_of(world)]
    assert (await world.steps())[DISABLE].state is StepState.ACTED


async def test_a_cmdlet_that_the_worker_may_not_run_is_a_health_alert_until_it_may() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.FAILED, error="Get-User", error_class="permission", **FAILED_READ)
    missing = await world.alerts()
    await world.sweep()
    after_another_kind = await world.alerts()
    [incident] = await world.incidents()
    await world.decides("approve", incident.id)
    await world.answer()

    assert "worker_permission_missing" in missing & after_another_kind
    assert "worker_permission_missing" not in await world.alerts()


async def test_a_question_without_an_answer_is_asked_under_a_new_id() -> None:
    world = World()
    await world.sees(a_finding())
    await world.passes(minutes=12)

    assert [command.kind for command in world.exchange.sent] == [CommandKind.DISABLE_BYPASS] * 2
    assert len({command.command_id for command in world.exchange.sent}) == 2


@pytest.mark.parametrize("error_class", ["other", "not_found", None])
async def test_an_error_that_nobody_foresaw_is_retried_while_the_bypass_is_on(error_class: ErrorClass | None) -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await asked_over(world, 8, outcome=ExchangeOutcome.FAILED, error="A server side error.", error_class=error_class)
    await world.passes(hours=1)
    await world.answer()

    assert not world.bypassed[ALEX]
    assert (await world.steps())[DISABLE].effect is not None


async def test_a_host_whose_clock_is_behind_ends_no_episode_before_its_beginning() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=START - timedelta(minutes=1)))
    world.now -= timedelta(minutes=20)
    await world.answer()
    await world.answer()
    [incident] = await world.incidents()

    assert incident.restored_at == START - timedelta(minutes=1)


async def test_a_worker_that_is_always_too_late_restores_auditing_all_the_same() -> None:
    """Each answer comes after its question was asked again, and proves what it says."""
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await answers_late(world, minutes=12, hours=3)
    disabled = [sent for sent in world.exchange.sent if sent.kind is CommandKind.DISABLE_BYPASS]

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE
    assert (await world.incidents())[0].restored_at == START
    assert len(disabled) == 2


async def test_a_worker_that_is_always_too_late_lets_a_sweep_contain() -> None:
    world = World()
    await world.sweep()
    world.now += timedelta(minutes=15)
    world.bypassed[ALEX] = True
    await world.sweep()
    await answers_late(world, minutes=12, hours=1)

    assert not world.directory.enabled[ALEX]


async def test_a_late_answer_without_a_read_changes_nothing() -> None:
    world = World()
    await world.sees(a_finding())
    late = world._result(world.exchange.sent[0], outcome=ExchangeOutcome.REFUSED, error="no right", **FAILED_READ)
    await world.passes(minutes=12)
    await delivers(world, late)

    assert (await world.steps())[DISABLE].state is StepState.ACTED
    assert (await log_of(world))[-1].event == "answer_ignored"


async def test_the_answer_to_a_repeated_question_changes_nothing_after_that_to_the_first() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    first = world._result(world.exchange.sent[0])
    await world.passes(minutes=12)
    await delivers(world, first)
    restored = (await world.incidents())[0].restored_at
    second = world._result(world.exchange.sent[1])
    await delivers(world, second.model_copy(update={"outcome": ExchangeOutcome.UNVERIFIED, "after": True}))

    assert (await world.incidents())[0].restored_at == restored
    assert (await world.steps())[DISABLE].state is StepState.DONE


async def test_a_proof_counts_although_its_question_was_repeated_and_the_repetition_withdrawn() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    first = world._result(world.exchange.sent[0])
    await world.passes(minutes=12)
    world.deploy(mode="observe")
    await world.passes(minutes=1)
    await delivers(world, first)

    assert (await world.steps())[DISABLE].effect is Effect.EFFECTIVE


async def test_an_alert_during_a_question_is_not_answered_by_an_earlier_read() -> None:
    """The bypass was off at the read, and was switched on before the alert came.

    The answer to the first question comes after the alert.
    """
    world = World()
    await world.sweep()
    world.now += timedelta(minutes=2)
    await world.sees(a_hint(effective_at=world.now, received_at=world.now))
    earlier, world.answered = world._result(world.exchange.sent[0]), 1
    world.now += timedelta(minutes=3)
    world.bypassed[ALEX] = True
    await world.sees(a_hint(effective_at=world.now, received_at=world.now))
    await delivers(world, earlier)
    await world.answer()

    assert not world.directory.enabled[ALEX]


async def test_a_worker_whose_clock_is_behind_is_asked_about_an_alert_once() -> None:
    world = World()
    await world.sweep()
    world.now += timedelta(minutes=20)
    await world.sees(a_hint(effective_at=world.now, received_at=world.now))
    await world.answer(read_at=world.now - timedelta(minutes=10))
    await world.passes(minutes=5)

    assert len(world.exchange.sent) == 1


async def test_an_alert_is_held_where_exchange_reports_on_for_an_account_that_the_directory_misses() -> None:
    """A late replica does not know it yet. It was unconfirmed, and nobody was notified."""
    world = World()
    await world.sweep()
    world.now += timedelta(minutes=1)
    world.bypassed[ALEX] = True
    world.names[ALEX] = [ALEX]
    del world.directory.accounts[ALEX]
    await world.sees(a_hint(effective_at=world.now, received_at=world.now))
    await world.answer()

    assert (await world.incidents())[0].verdict == "unresolved"
    assert await world.notifications() == ["held"]


async def test_a_recheck_that_the_worker_got_too_late_is_asked_again() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=1)
    await world.passes(minutes=61)
    world.bypassed[ALEX] = True
    world.now = world.exchange.sent[-1].not_after + timedelta(seconds=5)
    await world.answer(outcome="refused", error="The command expired.", error_class="transient", **FAILED_READ)

    await world.passes(minutes=11)
    await world.answer()
    await world.passes(minutes=1)
    await world.answer()

    assert not world.bypassed[ALEX]


async def on_since_before_monitoring() -> World:
    world = World()
    world.bypassed[ALEX] = True
    world.names["blake-alias"] = [BLAKE]
    await world.sweep()
    await world.passes(minutes=1)
    return world


async def is_swept_again(world: World) -> None:
    world.now += timedelta(minutes=15)
    await world.sweep()
    await world.answer()
    await world.passes(minutes=1)


@pytest.mark.parametrize("claim", [a_hint, a_finding])
async def test_a_name_of_another_account_that_is_off_proves_no_off(claim: Callable[..., Finding]) -> None:
    world = await on_since_before_monitoring()
    await world.sees(claim(identity_text="blake-alias", effective_at=world.now))
    await world.answer()

    assert (await world.case()).head.off_at is None
    assert shown_of(await world.case()).bypass == "on"

    await is_swept_again(world)

    assert world.directory.enabled[ALEX]


async def hears_of_blakes_alias(world: World) -> None:
    """An alert names ALEX by object id, and an alias of another account, which is off."""
    await world.sees(a_hint(identity_text="blake-alias", effective_at=world.now, received_at=world.now))
    await world.answer()
    await world.passes(minutes=1)


async def test_a_name_of_another_account_that_is_off_ends_no_dismissed_episode() -> None:
    world = await on_since_before_monitoring()
    await world.decides("dismiss", (await world.incidents())[0].id)
    await is_swept_again(world)
    await is_swept_again(world)
    await hears_of_blakes_alias(world)
    await is_swept_again(world)

    assert len(await world.incidents()) == 1


async def test_a_name_of_another_account_that_is_off_lets_no_later_entry_exempt_the_bypass() -> None:
    world = World()
    world.names["blake-alias"] = [BLAKE]
    await world.sweep()
    await world.passes(minutes=3)
    world.bypassed[ALEX] = True
    world.allowlist.rows[ALEX] = an_entry(edited_at=world.now)
    await world.passes(minutes=1)
    await hears_of_blakes_alias(world)
    await is_swept_again(world)

    assert [incident.verdict for incident in await world.incidents()] == ["allowlist_unclear"]


async def test_an_answer_about_another_account_is_a_failed_check() -> None:
    world = await on_since_before_monitoring()
    hint = a_hint(effective_at=world.now, received_at=world.now)
    await world.sees(hint)
    await world.answer(resolved=BLAKES, before=False)
    stored = await world.ledger.finding(ALEX, hint.id)

    assert stored is not None
    assert (stored.state, stored.checks) == (FindingState.UNDECIDED, ())
    assert (await world.case()).head.off_at is None
    assert "worker_failed" in {note.about for note in (await world.case()).rows(Notification)}


@pytest.mark.parametrize("on", [True, False])
async def test_a_recheck_that_is_answered_about_another_account_is_asked_again(on: bool) -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.answer()
    await world.passes(hours=1, minutes=1)
    await world.answer(resolved=BLAKES, before=on)
    await world.passes(minutes=11)

    assert len(await world.incidents()) == 1
    assert world.exchange.sent[-1].kind is CommandKind.CHECK_BYPASS
    assert world.answered == len(world.exchange.sent) - 1


async def test_a_proof_about_another_account_proves_nothing() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer(outcome=ExchangeOutcome.VERIFIED, after=False, resolved=BLAKES)
    [incident] = await world.incidents()
    shown = controls_of(await world.case(), incident.id)

    assert incident.restored_at is None
    assert [control.proof for control in shown if control.control is DISABLE] == [""]

    await world.decides("approve", incident.id)
    await world.answer(outcome=ExchangeOutcome.ALREADY_OFF, before=False, after=False)

    assert (await world.steps())[DISABLE].effect is Effect.NOT_NEEDED


async def test_a_worker_whose_clock_is_ahead_proves_no_later_time() -> None:
    world = World()
    await world.sees(a_hint(effective_at=world.now))
    await world.answer(read_at=START + timedelta(hours=5))

    assert (await world.case()).head.off_at == START


@pytest.mark.parametrize(
    "missing", [{"resolved": None}, {"read_at": None}, {"before": None}, {"before": True}, {"after": True}], ids=str
)
async def test_already_off_without_proof_is_kept_notified_and_asked_again(missing: dict[str, object]) -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    command = world.exchange.sent[0]
    claimed = {"outcome": "already_off", "before": False, "after": False}
    answer = world._result(command).model_dump(mode="json") | claimed | missing
    await record_exchange_result(json.dumps(answer).encode(), world.services)
    await world.sends()

    assert (await world.incidents())[0].restored_at is None
    assert "unreadable" in {note.about for note in world.notifier.sent}

    world.answered = len(world.exchange.sent)
    await world.passes(minutes=20)
    await world.answer()

    assert not world.bypassed[ALEX]
    assert (await world.incidents())[0].restored_at is not None


async def test_the_bypass_of_an_account_that_was_deleted_and_restored_is_removed() -> None:
    """Every sweep lists it as before, so that no finding comes of it."""
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    await world.passes(minutes=1)
    await world.sweep()
    gone = world.directory.accounts.pop(ALEX)
    for minutes in (60, 1, 1, 1):
        await world.passes(minutes=minutes)
    await world.answer(outcome=ExchangeOutcome.NOT_FOUND, resolved=None, before=None, after=None)
    said_gone = (await world.steps())[DISABLE].effect
    world.directory.accounts[ALEX] = gone
    await world.passes(days=1)
    await world.answer()

    assert said_gone is Effect.NOT_NEEDED
    assert not world.bypassed[ALEX]
    assert (await world.incidents())[0].restored_at is not None
