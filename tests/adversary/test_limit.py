"""The hourly limit counts accounts that the responder blocks, and nothing else."""

from __future__ import annotations

from datetime import timedelta

from tests.adversary.scenes import a_finding_about, a_world, numbered_accounts
from tests.world import ALEX, World, a_finding, an_account


async def test_accounts_that_are_disabled_already_take_no_slot() -> None:
    """Five shared mailboxes, bypassed as decoys, leave the slots to the attacker's own account."""
    decoys = numbered_accounts(5, account_enabled=False)
    eve = an_account("eeeeeeee-0000-4000-8000-000000000009", "eve@contoso.com")
    world = World(*decoys, eve)
    world.bypassed |= {account.object_id: True for account in (*decoys, eve)}
    await world.sees(*map(a_finding_about, decoys))
    await world.answer()
    await world.sees(a_finding_about(eve))

    assert world.directory.enabled[eve.object_id] is False


async def test_evidence_about_an_account_that_is_blocked_takes_no_slot() -> None:
    """A further record of an open episode takes no slot an hour later: nothing is left to block."""
    world = a_world()
    await world.sees(a_finding())
    world.now += timedelta(minutes=61)
    await world.sees(a_finding(effective_at=world.now))

    assert world.limit.slots.get(ALEX) != world.now
