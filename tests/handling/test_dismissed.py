"""What people are notified of after they dismissed an incident, or removed an entry of the allowlist."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Notification
from tests.adversary.scenes import a_world, contained
from tests.world import ALEX, BLAKE, START, World, a_finding, an_entry


async def dismissed_and_dark() -> World:
    """ALEX was bypassed before monitoring began; a person dismissed it and left the bypass on."""
    world = a_world()
    await world.sweep()
    await world.passes(minutes=1)
    await world.decides("dismiss", (await world.incidents())[-1].id)
    return world


async def about(world: World, what: str, target: str = TENANT_TARGET) -> list[str]:
    return [row.text for row in (await world.case(target)).rows(Notification) if row.about == what]


async def test_an_account_that_is_dismissed_and_still_on_is_listed_once_a_day() -> None:
    world = await dismissed_and_dark()
    for _ in range(4):
        world.now += timedelta(minutes=15)
        await world.sweep()

    assert [ALEX in text for text in await about(world, "still_dark")] == [True]
    world.now += timedelta(days=1)
    await world.sweep()
    assert len(await about(world, "still_dark")) == 2


async def test_an_account_that_was_switched_off_since_is_not_listed() -> None:
    world = await dismissed_and_dark()
    world.bypassed[ALEX] = False
    world.now += timedelta(minutes=15)
    await world.sweep()
    await world.answer()

    assert await about(world, "still_dark") == []


async def test_late_records_of_a_dismissed_incident_are_one_notification_a_day() -> None:
    world = a_world()
    incident = await contained(world)
    world.now += timedelta(hours=3)
    await world.decides("dismiss", incident)
    for seconds in range(3):
        await world.sees(a_finding(effective_at=START - timedelta(minutes=30, seconds=seconds)))

    assert len(await about(world, "late_evidence", ALEX)) == 1
    assert (await world.incidents())[-1].status is IncidentStatus.DISMISSED


async def test_an_account_removed_from_the_allowlist_while_it_is_bypassed_is_contained() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed |= {ALEX: True, BLAKE: False}
    await world.sweep()
    world.allowlist.take_away(ALEX)
    world.now += timedelta(minutes=15)
    await world.sweep()
    await world.answer()
    [incident] = await world.incidents()

    assert "removed from the allowlist" in incident.reason
    assert world.directory.enabled[ALEX] is False


async def test_an_account_removed_from_the_allowlist_after_its_bypass_ended_is_left_alone() -> None:
    world = World()
    world.allowlist.rows[ALEX] = an_entry()
    world.bypassed[ALEX] = True
    await world.sweep()
    world.bypassed[ALEX] = False
    world.allowlist.take_away(ALEX)
    world.now += timedelta(minutes=15)
    await world.sweep()
    await world.answer()

    assert world.directory.enabled[ALEX] is True


@pytest.mark.parametrize(
    ("swept_after", "on_after", "enabled"),
    [
        pytest.param(timedelta(minutes=15), timedelta(days=20), False, id="a later sweep ends it"),
        pytest.param(timedelta(minutes=5), timedelta(minutes=15), True, id="a sweep of a stale server does not"),
    ],
)
async def test_a_sweep_without_the_account_ends_a_dismissed_episode(
    swept_after: timedelta, on_after: timedelta, *, enabled: bool
) -> None:
    """The account was off already when it was dismissed, so that no read of *off* ends the episode."""
    world = World()
    await world.sweep()
    await world.sees(a_finding(first_run=True))
    await world.decides("dismiss", (await world.incidents())[-1].id)
    world.now += swept_after
    await world.sweep()
    world.now += on_after
    world.bypassed[ALEX] = True
    await world.sweep()
    await world.answer()

    assert world.directory.enabled[ALEX] is enabled
