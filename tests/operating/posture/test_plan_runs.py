"""Plans as people ask for them: handed in, undone, stopped, listed, with their undo files."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import NotFoundError, RefusedError
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.mailbox_audit import AuditSettings
from bypass_responder.model.plan_run import ChangeOutcome
from bypass_responder.operating.overview.health import read_health
from bypass_responder.operating.posture.plan_runs import (
    UndoEntry,
    planned_settings,
    prepare_apply,
    prepare_for_run,
    read_plan_runs,
    read_run,
    undo_file,
)
from bypass_responder.operating.self_check import SelfChecks
from bypass_responder.operating.status import read_status
from tests.case.plans import CHANGED, OTHER, PINNED, object_id
from tests.fakes.self_check import FakeProbe, FakeSelfCheckStore, FakeTokens
from tests.triggers.plans import Mailboxes, a_plan, applies, as_file, carried_out, decides
from tests.world import OPS, START, TENANT, World


async def test_a_plan_is_handed_in_before_its_message() -> None:
    world, plan = World(), a_plan()
    about = {"reason": "ticket", "author": OPS}
    message = await prepare_apply(plan, as_file(plan), world.services, upload=True, **about)  # type: ignore[arg-type]

    assert list(world.plans.files) == [plan.sha256]
    assert message.plan is not None
    assert (message.plan.sha256, message.plan.changes) == (plan.sha256, 3)


async def test_a_dry_run_hands_nothing_in() -> None:
    world, plan = World(), a_plan()
    await prepare_apply(plan, as_file(plan), world.services, reason="ticket", author=OPS, upload=False)

    assert world.plans.files == {}


async def test_what_the_responder_would_refuse_is_not_handed_in() -> None:
    world, plan = World(), a_plan()
    await applies(world, plan)
    world.plans.files.clear()

    with pytest.raises(RefusedError, match="being carried out"):
        await prepare_apply(plan, as_file(plan), world.services, reason="ticket", author=OPS, upload=True)
    assert world.plans.files == {}


async def test_an_undo_file_has_each_mailbox_with_its_settings_before_and_after() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    mailboxes.now[object_id(1)] = OTHER
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)
    made = await undo_file(run, world.services)

    assert [(each.object_id, each.before, each.outcome) for each in made.entries] == [
        (object_id(number), PINNED, ChangeOutcome.DONE) for number in (0, 2)
    ]
    assert all(each.after == CHANGED.model_copy(update={"owner": ()}) for each in made.entries)
    assert made.running is False


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (AuditSettings(enabled=False), AuditSettings(enabled=True), ("AuditEnabled True → False",)),
        (
            AuditSettings(owner=("Update",), default_set=("Admin",)),
            AuditSettings(owner=("Update", "Send"), default_set=("Admin", "Owner")),
            ("DefaultAuditSet -Owner", "AuditOwner -Send"),
        ),
        (
            AuditSettings(owner=("Update",), default_set=("Owner",), age_limit="90.00:00:00"),
            AuditSettings(owner=("Update", "Send"), default_set=("owner",), age_limit="180.00:00:00"),
            ("AuditLogAgeLimit 180.00:00:00 → 90.00:00:00",),
        ),
        (AuditSettings(), None, ()),
    ],
)
def test_an_undo_says_what_it_changes_without_lists_that_microsoft_maintains(
    before: AuditSettings, after: AuditSettings | None, words: tuple[str, ...]
) -> None:
    entry = UndoEntry(object_id=object_id(0), name="alex", outcome=None, before=before, after=after, record=None)

    assert entry.undone_by == words


async def test_the_undo_file_of_a_run_that_goes_on_has_what_may_have_been_changed() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    await mailboxes.answer(3)
    run = (await read_plan_runs(world.services)).runs[0]
    made = await undo_file(await read_run(run.id, world.services), world.services)

    assert [(each.before, each.outcome) for each in made.entries] == [(PINNED, None)] * 3
    assert made.running is True


async def test_what_runs_have_set_is_known_by_the_last_of_them() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    mailboxes.now[object_id(1)] = OTHER
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)
    first = await planned_settings(START, world.now, world.services)
    world.now += timedelta(minutes=1)
    await decides(world, DecisionKind.UNDO_PLAN, run=run.id)
    await carried_out(world, mailboxes)
    last = await planned_settings(START, world.now, world.services)

    assert first.keys() == last.keys() == {object_id(0), object_id(2)}
    assert {each.settings for each in last.values()} == {PINNED}
    assert {each.by.partition(" run ")[0] for each in first.values()} == {"plan"}
    assert {each.by.partition(" run ")[0] for each in last.values()} == {"the undo"}
    assert await planned_settings(world.now + timedelta(days=1), world.now + timedelta(days=2), world.services) == {}


async def test_the_runs_are_listed_the_newest_first_with_those_of_the_history() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    await applies(world, a_plan())
    run = await carried_out(world, mailboxes)
    world.now += timedelta(minutes=1)
    await decides(world, DecisionKind.UNDO_PLAN, run=run.id)
    await carried_out(world, mailboxes)
    found = (await read_plan_runs(world.services)).runs

    assert [(each.undoes, each.state) for each in found] == [(run.id, "done"), (None, "done")]


async def test_a_run_is_found_by_how_its_id_begins() -> None:
    world = World()
    await applies(world, a_plan())
    [run] = (await read_plan_runs(world.services)).runs

    assert (await read_run(run.id[:-4].upper(), world.services)).id == run.id
    for other in ("", "zz"):
        with pytest.raises(NotFoundError, match="bypassctl posture applied"):
            await read_run(other, world.services)


async def test_a_run_that_cannot_be_undone_sends_nothing() -> None:
    world = World()
    await applies(world, a_plan())
    [run] = (await read_plan_runs(world.services)).runs

    with pytest.raises(RefusedError, match="being carried out"):
        await prepare_for_run(DecisionKind.UNDO_PLAN, run.id, world.services, reason="ticket", author=OPS)


async def test_status_and_health_have_the_plan_that_is_under_way_and_no_other() -> None:
    world = World()
    mailboxes = Mailboxes(world)
    checks = SelfChecks(tokens=FakeTokens(TENANT), storage=FakeProbe(), store=FakeSelfCheckStore())
    before = (await read_health(world.services, checks)).posture_plan
    await applies(world, a_plan())
    status, health = await read_status(world.services), await read_health(world.services, checks)
    await carried_out(world, mailboxes)

    assert before == ""
    assert status.plan is not None
    assert "0 of 3 mailboxes" in health.posture_plan
    assert (await read_status(world.services)).plan is None
