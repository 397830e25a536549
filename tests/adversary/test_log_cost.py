"""A run that has nothing to do writes nothing, however long the history is."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.handling.reconcile import settle_all
from tests.adversary.scenes import a_world, an_off, contained
from tests.world import ALEX, START, World, a_finding


async def test_a_run_that_changes_nothing_writes_no_index_entry() -> None:
    """A run writes an incident or a lone finding into the index only if it changed."""
    world = World()
    await world.sees(*(an_off(effective_at=START - timedelta(days=2, seconds=n)) for n in range(10)))
    world.index.calls.clear()
    await settle_all({ALEX}, world.services)

    assert world.index.calls == []


async def test_a_run_that_changes_nothing_logs_nothing() -> None:
    """Late records of a dismissed incident are not reopened and put away again in each run."""
    world = a_world()
    incident = await contained(world)
    world.now += timedelta(hours=3)
    await world.decides("dismiss", incident)
    await world.sees(*(a_finding(effective_at=world.now - timedelta(minutes=30, seconds=n)) for n in range(3)))
    await settle_all({ALEX}, world.services)
    before = len(world.ledger.logs[ALEX])
    await settle_all({ALEX}, world.services)

    assert len(world.ledger.logs[ALEX]) == before
