"""What waits for a person: nothing that waits is hidden, however much was ended since."""

from __future__ import annotations

from bypass_responder.operating.overview.needs_decision import read_needs_decision
from tests.world import World, a_finding


async def test_a_held_incident_is_listed_without_reading_those_that_ended() -> None:
    world = World()
    await world.sees(a_finding(first_run=True))
    world.index.fail("newest", AssertionError("every incident is read"), always=True)

    found = await read_needs_decision(world.services)

    assert [entry.id for entry in found.incidents] == [each.id for each in await world.incidents()]
