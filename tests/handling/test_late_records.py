"""A record that arrives after auditing was restored, about an episode that was decided without it."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import StepKind, StepState
from tests.adversary.scenes import a_world, hours_pass
from tests.world import ALEX, START, World, a_finding, an_entry

BLOCK = StepKind.BLOCK_SIGN_IN
HOUR = timedelta(hours=1)


async def lapsed() -> World:
    """The sweep has found the bypass of an entry that expired at half past nine, and auditing is restored."""
    world = a_world()
    world.allowlist.rows[ALEX] = an_entry(expires_at=START + HOUR / 2)
    await world.passes(minutes=1)
    await world.sweep()
    world.now = START + 0.8 * HOUR
    await world.sweep()
    await world.answer()
    return world


async def test_an_on_from_after_the_expiry_that_is_recorded_after_the_restoration_waits_for_a_person() -> None:
    """The sweep is always faster than the record: without this, nobody learns of the attack."""
    world = await lapsed()
    restored = (await world.incidents())[0].status
    await world.sees(a_finding(effective_at=START + 0.6 * HOUR, received_at=world.now))
    [incident] = await world.incidents()

    assert restored is IncidentStatus.RESTORED
    assert (incident.status, incident.verdict) == (IncidentStatus.HELD, "violation")
    assert world.directory.enabled[ALEX]
    assert "held" in await world.notifications()


async def test_what_a_late_record_shows_can_be_approved() -> None:
    world = await lapsed()
    await world.sees(a_finding(effective_at=START + 0.6 * HOUR, received_at=world.now))
    await world.decides("approve", (await world.incidents())[0].id)
    await hours_pass(world, 0.01)

    assert not world.directory.enabled[ALEX]
    assert (await world.incidents())[0].status is IncidentStatus.CONTAINED


async def test_an_on_from_before_the_expiry_changes_nothing() -> None:
    world = await lapsed()
    await world.sees(a_finding(effective_at=START + 0.4 * HOUR, received_at=world.now))

    assert (await world.incidents())[0].status is IncidentStatus.RESTORED
    assert "held" not in await world.notifications()


async def test_a_fresh_record_after_an_old_one_is_notified() -> None:
    """The old one is history, and held; that Exchange reports off does not soften the fresh one."""
    world = World()
    await world.sees(a_finding(effective_at=START - 30 * HOUR))
    await world.answer()
    await world.passes(minutes=1)
    await world.sees(a_finding(effective_at=START - HOUR))
    [incident] = await world.incidents()

    assert incident.verdict == "violation"
    assert (await world.notifications()).count("held") == 2


async def test_a_late_record_is_held_once() -> None:
    world = await lapsed()
    for minutes in (33, 35, 37):
        await world.sees(a_finding(effective_at=START + timedelta(minutes=minutes), received_at=world.now))

    assert (await world.notifications()).count("held") == 1
    assert (await world.states())[BLOCK] is StepState.HELD


async def test_a_late_record_of_a_closed_incident_is_notified_and_reopens_nothing() -> None:
    world = await lapsed()
    await world.decides("close", (await world.incidents())[0].id)
    await world.sees(a_finding(effective_at=START + 0.6 * HOUR, received_at=world.now))

    assert (await world.incidents())[0].status is IncidentStatus.CLOSED
    assert "late_evidence" in await world.notifications()


async def test_an_episode_of_the_history_that_a_late_record_holds_is_loaded_again() -> None:
    """Nobody is reminded of an incident that is not loaded."""
    world = await lapsed()
    await hours_pass(world, 0.5)
    await world.sees(a_finding(effective_at=world.now, received_at=world.now))
    await hours_pass(world, 0.1)
    await world.decides("dismiss", (await world.incidents())[-1].id)
    await hours_pass(world, 0.1, 1)
    before = len((await world.ledger.load(ALEX)).rows(Incident))
    await world.sees(a_finding(effective_at=START + 0.6 * HOUR, received_at=world.now))
    await hours_pass(world, 5)
    held = [row for row in (await world.ledger.load(ALEX)).rows(Incident) if row.status is IncidentStatus.HELD]

    assert (before, len(held)) == (1, 1)
    assert "unacknowledged" in await world.notifications()


async def test_a_late_record_belongs_to_the_episode_of_its_time_not_to_a_newer_one() -> None:
    world = await lapsed()
    await hours_pass(world, 0.5)
    await world.sees(a_finding(effective_at=world.now, received_at=world.now))
    await hours_pass(world, 0.1)
    [first, second] = sorted(await world.incidents(), key=lambda row: row.opened_at)
    await world.decides("dismiss", second.id)
    await world.sees(late := a_finding(effective_at=START + 0.6 * HOUR, received_at=world.now))
    listed = {row.id: late.id in row.evidence for row in await world.incidents()}

    assert listed == {first.id: True, second.id: False}
    assert "late_evidence" not in await world.notifications()
