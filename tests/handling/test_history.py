"""What is over is not loaded, and everything that people and late evidence need of it is still there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.case import Case
from bypass_responder.model.change import Outcome
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Notification
from bypass_responder.model.step import Effect, Recheck, StepKind
from tests.adversary.scenes import a_world, an_off, contained, hours_pass
from tests.world import ALEX, START, World, a_finding


async def flapped(*, episodes: int, **settings: int) -> World:
    """ALEX is bypassed and contained again every two hours."""
    world = a_world(**({"containment_limit_per_hour": 1000} | settings))
    await contained(world)
    for _ in range(episodes - 1):
        await hours_pass(world, 0.02, 2)
        world.bypassed[ALEX] = True
        await world.sees(a_finding(effective_at=world.now))
        await world.answer()
    await hours_pass(world, 0.02)
    return world


async def loaded(world: World) -> set[str]:
    return set((await world.ledger.load(ALEX)).by_key)


async def test_an_account_loads_as_much_after_twelve_incidents_as_after_three() -> None:
    few, many = await flapped(episodes=3), await flapped(episodes=12)

    assert len(await loaded(many)) == len(await loaded(few))
    assert len(await many.incidents()) == 12


async def test_incidents_that_wait_for_a_person_stay_loaded_up_to_a_bound() -> None:
    world = await flapped(episodes=23, containment_limit_per_hour=0)
    waiting = [row for row in await world.incidents() if row.status is IncidentStatus.HELD]

    assert len(waiting) == 23
    assert len([key for key in await loaded(world) if key.startswith("incident-")]) == 20


async def test_records_that_decide_nothing_are_not_loaded() -> None:
    world = World()
    for number in range(50):
        await world.ledger.add_finding(an_off(id=f"off-{number}"))

    assert await loaded(world) == {"unrecorded"}


async def test_a_record_is_taken_once_also_when_it_is_no_longer_loaded() -> None:
    world = World()
    await world.sees(an_off(id="off"))

    assert not await world.ledger.add_finding(an_off(id="off"))
    assert "finding-off" not in await loaded(world)


async def test_a_run_without_waiting_records_does_not_look_for_them() -> None:
    world = World()
    await world.sees(a_finding())

    assert "records" not in {method for method, _ in world.ledger.calls}


async def test_every_waiting_record_is_recorded_and_then_announced_no_more() -> None:
    world = World()
    await world.sees(*(an_off(id=f"off{number}") for number in range(45)))

    case = await world.case()
    assert {finding.state for finding in case.rows(Finding)} == {FindingState.DECIDED}
    assert "unrecorded" not in case.by_key


async def test_a_record_that_comes_while_others_are_recorded_is_recorded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    read = world.ledger.records

    async def read_and_overtaken(target: str, limit: int) -> Case:
        found = await read(target, limit)
        monkeypatch.setattr(world.ledger, "records", read)
        await world.ledger.add_finding(an_off(id="second"))
        return found

    monkeypatch.setattr(world.ledger, "records", read_and_overtaken)
    await world.sees(an_off(id="first"))

    case = await world.case()
    assert {finding.id: finding.state for finding in case.rows(Finding)} == {
        "first": FindingState.DECIDED,
        "second": FindingState.DECIDED,
    }
    assert "unrecorded" not in case.by_key


async def test_a_late_switching_off_is_evidence_of_the_episode_it_belongs_to() -> None:
    world = await flapped(episodes=5)
    second = (await world.incidents())[1]
    assert second.restored_at is not None
    await world.sees(an_off(id="late", effective_at=second.restored_at - timedelta(seconds=30)))

    finding = (await world.case()).row(Finding, "finding-late")
    assert finding is not None
    assert finding.incident_id == second.id


async def test_a_release_ends_incidents_that_are_no_longer_loaded() -> None:
    world = await flapped(episodes=8)
    await world.decides("release", (await world.incidents())[-1].id)
    await hours_pass(world, 0.1, 0.1)

    assert {row.status for row in await world.incidents()} == {IncidentStatus.RELEASED}
    assert world.directory.enabled[ALEX] is True


async def test_an_account_that_somebody_enabled_is_contained_in_no_incident() -> None:
    world = await flapped(episodes=4)
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 1, 0.1, 24, 0.1, 0.1)

    assert {row.status for row in await world.incidents()} == {IncidentStatus.FAILED}
    assert {(await world.steps(incident=each))[StepKind.BLOCK_SIGN_IN].effect for each in range(4)} == {Effect.REVERTED}


async def test_a_dismissal_leaves_the_rechecks_to_the_incident_before() -> None:
    world = await flapped(episodes=2)
    first, second = await world.incidents()
    assert f"incident-{first.id}" not in await loaded(world)
    await world.decides("dismiss", second.id)

    case = await world.ledger.load(ALEX)
    assert first.id in {row.incident_id for row in case.rows(Recheck) if not row.done}


async def test_a_person_approves_an_incident_that_is_no_longer_loaded() -> None:
    world = await flapped(episodes=23, containment_limit_per_hour=0)
    first = (await world.incidents())[0]
    assert f"incident-{first.id}" not in await loaded(world)
    await world.decides("approve", first.id)
    await hours_pass(world, 0.01)

    assert world.directory.enabled[ALEX] is False
    assert (await world.incidents())[0].status is IncidentStatus.CONTAINED


async def test_what_was_recorded_before_an_incident_becomes_its_evidence() -> None:
    world = a_world()
    await world.sees(an_off(id="before", effective_at=START - timedelta(hours=2)))
    await hours_pass(world, 0.1)
    incident = await contained(world)

    finding = (await world.case()).row(Finding, "finding-before")
    assert finding is not None
    assert finding.incident_id == incident


async def test_a_crash_before_the_index_is_written_loses_no_entry() -> None:
    world = World()
    world.index.fail("put", TransientError("no answer"))
    with pytest.raises(ExceptionGroup):
        await world.sees(an_off(id="off"))
    await settle_all({ALEX}, world.services)

    assert set(world.index.held) == {"off"}


async def test_only_entries_that_changed_are_written() -> None:
    world = await flapped(episodes=3)
    world.index.calls.clear()
    await settle_all({ALEX}, world.services)

    assert world.index.calls == []


async def test_delivered_notifications_are_deleted_after_thirty_days() -> None:
    world = World()
    await world.sees(an_off(id="off"), a_finding(id="try", outcome=Outcome.FAILED))
    assert (await world.case()).rows(Notification) != []
    world.now += timedelta(days=31)
    await settle_all({ALEX}, world.services)

    assert (await world.case()).rows(Notification) == []


async def test_late_evidence_of_an_old_episode_calls_nothing_for_it() -> None:
    world = await flapped(episodes=4)
    first = (await world.incidents())[0]
    assert first.restored_at is not None
    before = list(world.directory.calls)
    await world.sees(an_off(id="late", effective_at=first.restored_at - timedelta(seconds=30)))
    await hours_pass(world, 0.1)

    calls = [call for call in world.directory.calls[len(before) :] if call[0] != "find"]
    assert calls == []
