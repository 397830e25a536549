"""The status of an incident: contained only while its account is."""

from __future__ import annotations

from bypass_responder.model.incident_status import IncidentStatus
from tests.world import ALEX, World, a_finding, an_account


async def test_a_guest_is_never_contained() -> None:
    world = World(an_account(guest=True))
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=10)

    assert (await world.incidents())[0].status is IncidentStatus.FAILED
    assert "contained" not in await world.notifications()


async def test_a_protected_account_is_never_contained() -> None:
    world = World(protected_object_ids=ALEX)
    await world.sees(a_finding())
    await world.answer()

    assert (await world.incidents())[0].status is IncidentStatus.RESTORED


async def test_an_account_that_was_read_as_enabled_once_is_not_contained() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=10)
    world.directory.change(ALEX, account_enabled=True)
    await world.passes(hours=1, minutes=1)

    assert (await world.incidents())[0].status is IncidentStatus.OPEN
