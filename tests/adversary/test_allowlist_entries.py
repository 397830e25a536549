"""An allowlist entry exempts only what it demonstrably came before, and never in silence."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.model.finding import Finding
from tests.adversary.scenes import a_world, hours_pass
from tests.world import ALEX, START, World, a_finding, an_entry


async def test_the_first_time_an_entry_exempts_an_account_somebody_is_notified() -> None:
    """A row written two seconds before the bypass exempts it, and people are notified."""
    world = a_world()
    began = START - timedelta(hours=1)
    world.allowlist.rows[ALEX] = an_entry(edited_at=began - timedelta(seconds=2), approved_by="")
    await world.sees(a_finding(effective_at=began))
    await hours_pass(world, 0.1, 1, 24)

    assert world.notifier.sent


async def test_an_entry_younger_than_the_last_clean_sweep_does_not_exempt_what_a_sweep_found() -> None:
    """Off at 09:00, entry at 09:10, found on at 09:15: which of the two came first is unknown."""
    world = World()
    await world.sweep()
    world.now += timedelta(minutes=15)
    world.bypassed[ALEX] = True
    world.allowlist.rows[ALEX] = an_entry(edited_at=START + timedelta(minutes=10))
    await world.sweep()
    await world.answer()
    verdicts = [row.verdict for row in (await world.case()).by_key.values() if isinstance(row, Finding)]

    assert verdicts[0] != "allowlisted"
