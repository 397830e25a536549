"""A plan is carried out and undone: durably, within its limit, held in observe, and each undo exact."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.case.plan_answer import GIVEN_UP_AFTER, MOST_ATTEMPTS
from bypass_responder.errors import ConflictError, InputError, ResponderError, TransientError
from bypass_responder.handling.carry_out_plan import advance_plan
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.exchange_read import ApplyMailbox, RecordMailbox
from bypass_responder.model.plan_run import ChangeOutcome, PlanRef
from bypass_responder.operating.posture.plan_runs import plan_text
from bypass_responder.triggers.read_posture import read_posture
from tests.case.plans import CHANGED, OTHER, PINNED, object_id
from tests.triggers.plans import Mailboxes, a_plan, a_planned, applies, as_file, carried_out, decides, runs
from tests.world import TENANT, World

UNDO, STOP = DecisionKind.UNDO_PLAN, DecisionKind.STOP_PLAN
PORTS = ("ledger", "plans", "reads", "work")


async def test_a_plan_is_carried_out_and_read_back() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)

    assert (run.state, run.counts) == ("done", {ChangeOutcome.DONE: 3})
    assert all(each.same_as(CHANGED) for each in mailboxes.now.values())


async def test_an_undo_ends_in_exactly_the_state_before() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)
    await decides(world, UNDO, run=run.id)
    undo = await carried_out(world, mailboxes)

    assert (undo.state, undo.undoes, undo.counts) == ("done", run.id, {ChangeOutcome.DONE: 3})
    assert all(each == PINNED for each in mailboxes.now.values())


async def test_the_undo_entry_is_stored_before_the_change_is_asked_for() -> None:
    world = World()
    mailboxes = Mailboxes(world, 1)
    await applies(world, a_plan(1))
    world.plans.fail("put", TransientError("The storage is away."))
    with pytest.raises(TransientError):
        await mailboxes.answer(1)

    assert [each.kind for each in world.reads.sent if each.kind == "apply_mailbox"] == []
    await carried_out(world, mailboxes)
    [entry] = await world.plans.changes((await runs(world))[0].id, limit=9)
    assert (entry.before, entry.outcome) == (PINNED, ChangeOutcome.DONE)


@pytest.mark.parametrize("answers", ["mute", "lost"])
async def test_a_change_without_an_answer_is_undone_as_well(answers: str) -> None:
    """None came, or the message became poison."""
    world = World()
    mailboxes = Mailboxes(world)
    setattr(mailboxes, answers, {object_id(1)})
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes, hours=2 * MOST_ATTEMPTS)
    setattr(mailboxes, answers, set())
    await decides(world, UNDO, run=run.id)
    undo = await carried_out(world, mailboxes)

    assert (run.state, run.counts) == ("partly done", {ChangeOutcome.DONE: 2, ChangeOutcome.UNKNOWN: 1})
    assert undo.counts == {ChangeOutcome.DONE: 3}
    assert all(each == PINNED for each in mailboxes.now.values())


async def test_what_somebody_else_set_after_it_was_recorded_is_not_undone() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    await mailboxes.answer(3)
    mailboxes.now[object_id(0)] = CHANGED
    run = await carried_out(world, mailboxes)
    await decides(world, UNDO, run=run.id)
    await carried_out(world, mailboxes)

    assert run.counts == {ChangeOutcome.ALREADY: 1, ChangeOutcome.DONE: 2}
    assert list(mailboxes.now.values()) == [CHANGED, PINNED, PINNED]


async def test_what_the_first_of_two_messages_set_is_undone_as_well() -> None:
    """The sender was slow, another one sent the question again, and the worker died on the first message."""
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    await mailboxes.answer(3)
    change = next(each for each in world.reads.sent if isinstance(each, ApplyMailbox))
    mailboxes.result_of(change, world.now)
    await world.reads.ask(change, world.now)
    run = await carried_out(world, mailboxes)
    await decides(world, UNDO, run=run.id)
    await carried_out(world, mailboxes)

    assert run.counts == {ChangeOutcome.DONE: 3}
    assert set(mailboxes.now.values()) == {PINNED}


async def test_a_mailbox_that_audits_less_after_its_change_is_named_and_can_be_undone() -> None:
    """Whatever the worker says."""
    world = World()
    mailboxes = Mailboxes(world)
    mailboxes.poorer = {object_id(1)}
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)
    await decides(world, UNDO, run=run.id)
    undo = await carried_out(world, mailboxes)

    assert (run.state, run.counts) == ("partly done", {ChangeOutcome.DONE: 2, ChangeOutcome.LESS: 1})
    assert run.named == ("kim1@contoso.com: Once it was set, the mailbox no longer audited: HardDelete (Owner).",)
    assert undo.counts == {ChangeOutcome.DONE: 3}
    assert mailboxes.now[object_id(1)] == PINNED


async def test_an_answer_that_cannot_be_read_any_more_is_asked_for_again() -> None:
    world = World()
    mailboxes = Mailboxes(world, 1)
    await applies(world, a_plan(1))
    [question] = world.reads.sent
    world.reads.fail("find", InputError("corrupt_row", "It cannot be read."), about=question.command_id, always=True)
    await read_posture(world.services)
    world.now += GIVEN_UP_AFTER
    await read_posture(world.services)
    world.reads.repair("find", about=question.command_id)
    run = await carried_out(world, mailboxes)

    assert run.counts == {ChangeOutcome.DONE: 1}


async def test_a_mailbox_that_is_gone_or_changed_since_the_plan_is_named_and_left() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    del mailboxes.now[object_id(0)]
    mailboxes.now[object_id(1)] = OTHER
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)

    assert run.counts == {ChangeOutcome.GONE: 1, ChangeOutcome.SKIPPED: 1, ChangeOutcome.DONE: 1}
    assert mailboxes.now[object_id(1)] == OTHER
    assert [text.partition(":")[0] for text in run.named] == ["kim0@contoso.com", "kim1@contoso.com"]
    assert "plan_ended" in await world.notifications("tenant")


async def test_an_undo_leaves_what_somebody_has_changed_since() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)
    mailboxes.now[object_id(2)] = OTHER
    await decides(world, UNDO, run=run.id)
    undo = await carried_out(world, mailboxes)

    assert undo.counts == {ChangeOutcome.DONE: 2, ChangeOutcome.SKIPPED: 1}
    assert mailboxes.now[object_id(2)] == OTHER


async def test_a_plan_that_was_changed_is_refused() -> None:
    world = World()
    plan = a_plan()
    world.plans.files[plan.sha256] = as_file(plan).replace(b"kim0", b"eve0")

    assert "its hash differs" in (await applies(world, plan)).why
    assert world.reads.sent == []


async def test_a_plan_with_another_number_of_mailboxes_than_was_decided_is_refused() -> None:
    assert "not the plan that was decided" in (await applies(World(), a_plan(), changes=2)).why


async def test_a_plan_that_is_another_by_the_time_it_is_read_again_stops_the_run() -> None:
    world = World()
    mailboxes = Mailboxes(world, 20)
    plan = a_plan(20)
    await applies(world, plan)
    world.plans.files[plan.sha256] = as_file(a_plan(20, baseline="another"))
    run = await carried_out(world, mailboxes)

    assert (run.state, "not the plan that was decided" in run.stopped) == ("stopped", True)
    assert run.ended < 20


async def test_a_plan_that_nobody_handed_in_is_refused() -> None:
    world = World()
    ref = PlanRef(sha256="a" * 64, changes=3)

    assert "bypassctl posture apply" in (await decides(world, DecisionKind.APPLY_PLAN, plan=ref)).why


async def test_a_plan_that_was_carried_out_is_recognized_and_its_undo_entries_stay() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)
    again = await applies(world, a_plan())

    assert f"as run {run.id}" in again.why
    assert len(await world.plans.changes(run.id, limit=9)) == 3


async def test_a_plan_that_was_stopped_continues_in_a_new_run() -> None:
    world = World()
    mailboxes = Mailboxes(world, 20)
    await applies(world, a_plan(20))
    await mailboxes.answer(10)
    [first] = await runs(world)
    await decides(world, STOP, run=first.id)
    await carried_out(world, mailboxes)
    await applies(world, a_plan(20))
    second = await carried_out(world, mailboxes)
    [first, _] = await runs(world)
    mine = await world.plans.changes(first.id, limit=99)

    assert (first.state, second.state) == ("stopped", "done")
    assert second.counts[ChangeOutcome.ALREADY] == first.counts[ChangeOutcome.DONE] > 0
    assert [each.outcome for each in mine].count(ChangeOutcome.DONE) == first.counts[ChangeOutcome.DONE]


async def test_of_two_that_go_on_at_once_only_one_sends_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second message would find the change already made, and no undo would take it back.

    The change would look like somebody else's.
    """
    world = World()
    mailboxes = Mailboxes(world, 20)
    await applies(world, a_plan(20))
    commit, others = world.ledger.commit, [True] * 10

    async def after_another(*given: Any) -> Any:
        if others and others.pop():
            await advance_plan(world.services)
        return await commit(*given)

    monkeypatch.setattr(world.ledger, "commit", after_another)
    while await mailboxes.answer(1):
        pass
    asked = [each.command_id for each in world.reads.sent]

    assert len(asked) == len(set(asked)) > 10


async def test_a_missing_right_stops_the_run() -> None:
    world = World()
    mailboxes = Mailboxes(world, 20)
    mailboxes.denied = True
    await applies(world, a_plan(20))
    run = await carried_out(world, mailboxes)

    assert (run.state, "Set-Mailbox is not permitted" in run.stopped) == ("stopped", True)
    assert mailboxes.history == {}


async def test_no_more_mailboxes_are_changed_within_an_hour_than_the_limit() -> None:
    world = World(posture_changes_per_hour=5)
    mailboxes = Mailboxes(world, 12)
    await applies(world, a_plan(12))
    changed = []
    for _ in range(3):
        while await mailboxes.answer():
            pass
        changed.append(len(mailboxes.history))
        world.now += timedelta(minutes=60)
        await read_posture(world.services)

    assert changed == [5, 10, 12]


async def test_the_limit_counts_the_changes_of_the_run_before() -> None:
    world = World(posture_changes_per_hour=3)
    mailboxes = Mailboxes(world, 4)
    await applies(world, a_plan(3))
    await carried_out(world, mailboxes)
    await applies(world, a_plan(1, changes=(a_planned(3),)))
    while await mailboxes.answer():
        pass

    assert object_id(3) not in mailboxes.history


async def test_with_a_limit_of_zero_it_is_held_until_the_limit_is_raised() -> None:
    world = World(posture_changes_per_hour=0)
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    await carried_out(world, mailboxes)
    [held] = await runs(world)
    asked = mailboxes.asked
    world.deploy(posture_changes_per_hour=200)
    run = await carried_out(world, mailboxes)

    assert asked == 0
    assert "held: POSTURE_CHANGES_PER_HOUR is 0; it continues with POSTURE_CHANGES_PER_HOUR above 0" in plan_text(held)
    assert "plan_held" in await world.notifications("tenant")
    assert (run.counts, run.held) == ({ChangeOutcome.DONE: 3}, "")


async def test_in_observe_a_question_that_was_stored_and_not_sent_is_held() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    world.reads.fail("ask", TransientError("The storage is away."))
    with pytest.raises(TransientError):
        await applies(world, a_plan())
    world.deploy(mode="observe")
    world.now += timedelta(minutes=10)
    await read_posture(world.services)
    sent = [each for each in world.reads.sent if each.kind == "record_mailbox"]
    world.deploy()
    run = await carried_out(world, mailboxes, hours=2)

    assert sent == []
    assert "plan_held" in await world.notifications("tenant")
    assert run.counts == {ChangeOutcome.DONE: 3}


@pytest.mark.parametrize("mode", ["observe", "enforce"])
async def test_a_stop_ends_at_once_what_was_stored_and_not_sent(mode: str) -> None:
    world = World()
    mailboxes = Mailboxes(world)
    world.reads.fail("ask", TransientError("The storage is away."))
    with pytest.raises(TransientError):
        await applies(world, a_plan())
    world.deploy(mode=mode)
    world.now += timedelta(minutes=1)
    [begun] = await runs(world)
    await decides(world, STOP, run=begun.id)
    [run] = await runs(world)

    assert (run.state, run.counts, mailboxes.asked) == ("stopped", {ChangeOutcome.NOT_STARTED: 3}, 0)
    assert run.named[0] == "kim0@contoso.com: the run was stopped before this was asked"


async def test_a_host_that_was_about_to_send_when_the_run_was_stopped_sends_nothing() -> None:
    world = World()
    world.reads.fail("ask", TransientError("The host is slow."))
    with pytest.raises(TransientError):
        await applies(world, a_plan())
    [begun] = await runs(world)
    await decides(world, STOP, run=begun.id)
    for change in begun.under_way:
        question = RecordMailbox(
            command_id=change.command_id, tenant_id=TENANT, object_id=change.object_id, not_after=world.now
        )
        await world.reads.ask(question, world.now)

    assert [each for each in world.reads.sent if each.kind == "record_mailbox"] == []


async def test_a_stop_waits_for_what_was_sent() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    await mailboxes.answer(3)
    [begun] = await runs(world)
    await decides(world, STOP, run=begun.id)
    [waits] = await runs(world)
    run = await carried_out(world, mailboxes)

    assert waits.running
    assert (run.state, run.counts) == ("done", {ChangeOutcome.DONE: 3})


async def test_in_observe_what_is_in_flight_is_recorded_and_nothing_more_is_asked() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    await mailboxes.answer(3)
    world.deploy(mode="observe")
    asked = len(world.reads.sent)
    await mailboxes.answer()
    [run] = await runs(world)

    assert len(mailboxes.history) == 3
    assert (run.counts, len(world.reads.sent)) == ({ChangeOutcome.DONE: 3}, asked)


async def test_a_recorded_mailbox_is_not_changed_in_observe() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    world.deploy(mode="observe")
    while await mailboxes.answer():
        pass
    [run] = await runs(world)

    assert mailboxes.history == {}
    assert run.held == "MODE is observe"


@pytest.mark.parametrize("error", [TransientError("The storage is away."), ConflictError("It was changed meanwhile.")])
@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("after", range(0, 40, 3))
async def test_a_run_that_is_interrupted_anywhere_is_continued(port: str, after: int, error: ResponderError) -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    await _interrupted(world, mailboxes, port, after, error)
    run = await carried_out(world, mailboxes, hours=8)
    await decides(world, UNDO, run=run.id)
    undo = await carried_out(world, mailboxes, hours=8)

    assert (run.counts, undo.counts) == ({ChangeOutcome.DONE: 3}, {ChangeOutcome.DONE: 3})
    assert {key: [each.same_as(CHANGED) for each in had] for key, had in mailboxes.history.items()} == {
        object_id(number): [True, False] for number in range(3)
    }


async def _interrupted(world: World, mailboxes: Mailboxes, port: str, after: int, error: ResponderError) -> None:
    """One call of a port fails; the queue hands the message over again."""
    fake = getattr(world, port)
    method = sorted({name for name, _ in fake.calls})[after % len({name for name, _ in fake.calls})]
    fake.fail(method, error)
    for _ in range(after + 2):
        try:
            await mailboxes.answer(1)
        except (ResponderError, ExceptionGroup):
            mailboxes.redeliver()
    fake.recover()


async def test_an_answer_that_comes_too_late_is_found_by_the_next_attempt() -> None:
    world = World()
    mailboxes = Mailboxes(world, 1)
    mailboxes.mute = {object_id(0)}
    await applies(world, a_plan(1))
    await mailboxes.answer()
    mailboxes.mute = set()
    world.now += GIVEN_UP_AFTER
    await read_posture(world.services)
    run = await carried_out(world, mailboxes)

    assert (run.counts, len(mailboxes.history[object_id(0)])) == ({ChangeOutcome.DONE: 1}, 1)
