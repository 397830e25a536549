"""A contained account is read once a day until a person ends its incident, so the log stays correct for weeks."""

from __future__ import annotations

import json
from datetime import timedelta

from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Effect, StepKind, StepState
from tests.adversary.scenes import a_world, blocks_show_nowhere, bypassed_again, contained, hours_pass, minutes_pass
from tests.world import ALEX, START, World, a_finding, an_account, an_entry

BLOCK, HOUR = StepKind.BLOCK_SIGN_IN, timedelta(hours=1)


async def days_pass(world: World, days: int) -> None:
    await hours_pass(world, *[12] * (2 * days))


def reads(world: World) -> int:
    return world.directory.calls.count(("find", ALEX))


async def test_an_account_that_is_enabled_weeks_later_is_reported_within_a_day() -> None:
    world = a_world()
    await contained(world)
    await days_pass(world, 20)
    before = await world.notifications()
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 24, 0.1)

    assert ((await world.incidents())[-1].status, (await world.steps())[BLOCK].effect) == (
        IncidentStatus.FAILED,
        Effect.REVERTED,
    )
    assert sorted([*before, "step_ineffective"]) == await world.notifications()


async def test_a_bypass_under_a_later_entry_does_not_hide_that_the_account_was_enabled() -> None:
    world = a_world()
    await contained(world)
    await days_pass(world, 7)
    world.allowlist.rows[ALEX] = an_entry(edited_at=world.now)
    await hours_pass(world, 1)
    world.directory.change(ALEX, account_enabled=True)
    await bypassed_again(world, hours=1)
    await hours_pass(world, 24, 0.1)

    assert (await world.steps(incident=0))[BLOCK].effect is Effect.REVERTED


async def test_a_milder_incident_does_not_end_the_reads_for_an_older_one_that_wants_the_block() -> None:
    """The newest incident restores auditing after an entry has expired, and blocks nobody."""
    world = a_world()
    await contained(world)
    await days_pass(world, 3)
    world.allowlist.rows[ALEX] = an_entry(expires_at=world.now + HOUR / 2)
    world.bypassed[ALEX] = True
    began_at = world.now
    world.now += HOUR
    await world.sees(a_finding(effective_at=began_at))
    await world.answer()
    await days_pass(world, 3)
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 24, 0.1)
    older, milder = await world.incidents()

    assert (milder.verdict, milder.status) == ("allowlist_expired", IncidentStatus.RESTORED)
    assert older.status is IncidentStatus.FAILED
    assert "step_ineffective" in await world.notifications()


async def test_the_block_of_an_account_that_somebody_else_had_disabled_is_held_when_it_is_enabled_weeks_later() -> None:
    world = World(an_account(account_enabled=False))
    world.bypassed[ALEX] = True
    await contained(world)
    await days_pass(world, 20)
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 24)

    assert (await world.states())[BLOCK] is StepState.HELD
    assert (await world.incidents())[-1].status is IncidentStatus.HELD
    assert "held" in await world.notifications()
    assert world.directory.enabled[ALEX]


async def test_a_day_without_changes_costs_one_read_and_adds_no_log_entry() -> None:
    world = a_world()
    await contained(world)
    await days_pass(world, 3)
    before, lines = reads(world), len(world.ledger.logs[ALEX])
    await days_pass(world, 10)

    assert (reads(world) - before, len(world.ledger.logs[ALEX]) - lines) == (10, 0)


async def test_an_account_is_no_longer_read_once_a_person_has_ended_its_incident() -> None:
    world = a_world()
    incident = await contained(world)
    await days_pass(world, 3)
    await world.decides("close", incident)
    await hours_pass(world, 1)
    before = reads(world)
    await days_pass(world, 5)

    assert reads(world) == before
    assert ALEX not in world.work.held or world.work.held[ALEX].due_at is None


async def test_an_account_that_can_no_longer_be_restored_is_no_longer_read() -> None:
    world = a_world()
    await contained(world)
    await days_pass(world, 2)
    del world.directory.accounts[ALEX]
    await days_pass(world, 33)
    before = reads(world)
    await days_pass(world, 5)

    assert (reads(world), world.now - START > timedelta(days=39)) == (before, True)


async def test_a_block_that_no_read_showed_stays_unverified_and_asks_for_no_decision() -> None:
    world = a_world()
    blocks_show_nowhere(world)
    await contained(world)
    await minutes_pass(world, 60)
    await days_pass(world, 5)
    [incident] = await world.incidents()
    block = (await world.steps())[BLOCK]

    assert (incident.status, block.effect) == (IncidentStatus.FAILED, Effect.UNVERIFIED)
    assert "somebody else" not in json.dumps(world.ledger.logs[ALEX])
    assert "held" not in await world.notifications()


async def test_the_block_of_a_restored_account_is_held_because_it_had_been_deleted() -> None:
    world = a_world()
    await world.sees(a_finding())
    del world.directory.accounts[ALEX]  # before the block was read back
    await minutes_pass(world, 10)
    await days_pass(world, 5)
    world.directory.accounts[ALEX] = an_account()
    await hours_pass(world, 24, 24)

    assert (await world.states())[BLOCK] is StepState.HELD
    assert (await world.steps())[BLOCK].detail == "the account, which had been deleted, is enabled"
