"""An account whose newest incident fails: what the older ones say of its block stays true."""

from __future__ import annotations

import json

from bypass_responder.errors import RefusedError, ResponderError, TransientError
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.step import Effect, StepKind, StepState
from tests.adversary.scenes import a_world, blocks_show_nowhere, bypassed_again, contained, hours_pass, minutes_pass
from tests.adversary.test_blocks import many_incidents
from tests.world import ALEX, World, a_finding

BLOCK = StepKind.BLOCK_SIGN_IN
REFUSED = RefusedError("The account holds a role by now.")


async def enabled_after_days(world: World) -> None:
    await hours_pass(world, *[12] * 6)
    world.directory.change(ALEX, account_enabled=True)


async def bypassed_while_enabled(error: ResponderError) -> World:
    """Somebody enabled the contained account; it is bypassed again, and each block fails with ``error``."""
    world = a_world()
    await contained(world)
    await enabled_after_days(world)
    world.directory.fail("set_sign_in", error, always=True)
    await bypassed_again(world, hours=1)
    return world


async def effects(world: World) -> list[Effect | None]:
    case = await world.case()
    found = [case.step(incident.id, BLOCK) for incident in await world.incidents()]
    return [step.effect for step in found if step is not None]


async def an_older_one_in_the_history() -> World:
    """Auditing could not be restored, so the newer incident is still active; its block stands."""
    world = a_world()
    await contained(world)
    await hours_pass(world, *[12] * 6)
    await bypassed_again(world, hours=1)
    await world.answer(
        outcome=ExchangeOutcome.FAILED, error="no role", error_class="permission", before=None, after=None
    )
    await minutes_pass(world, 10)
    world.directory.change(ALEX, account_enabled=True)
    world.now += (await world.incidents())[-1].opened_at - (await world.incidents())[0].opened_at
    return world


async def test_a_block_that_is_tried_for_days_leaves_no_older_incident_contained() -> None:
    world = await bypassed_while_enabled(TransientError("503"))
    await hours_pass(world, *[1] * 30)

    assert IncidentStatus.CONTAINED not in {incident.status for incident in await world.incidents()}


async def test_a_block_that_is_tried_and_then_refused_leaves_no_older_incident_contained() -> None:
    world = await bypassed_while_enabled(TransientError("503"))
    await minutes_pass(world, 10)
    world.directory.fail("set_sign_in", REFUSED, always=True)
    await hours_pass(world, 1, *[12] * 6)

    assert await effects(world) == [Effect.REVERTED, None]


async def test_our_own_block_is_not_said_to_be_that_of_somebody_else() -> None:
    """The newer incident's block is refused; the older one's, which was ours, was undone."""
    world = await bypassed_while_enabled(REFUSED)
    await hours_pass(world, *[12] * 6)

    assert await effects(world) == [Effect.REVERTED, None]
    assert "somebody else" not in json.dumps(world.ledger.logs[ALEX])


async def test_a_block_that_is_made_again_and_refused_leaves_nothing_of_the_history_contained() -> None:
    world = await an_older_one_in_the_history()
    world.directory.fail("set_sign_in", REFUSED, always=True)
    await world.sees(a_finding(effective_at=world.now))
    await hours_pass(world, *[12] * 6)

    assert await effects(world) == [Effect.REVERTED, None]


async def test_a_block_that_is_withheld_while_it_is_made_again_leaves_nothing_of_the_history_contained() -> None:
    world = await an_older_one_in_the_history()
    world.directory.fail("set_sign_in", TransientError("503"), always=True)
    await world.sees(a_finding(effective_at=world.now))
    world.deploy(mode="observe")
    await hours_pass(world, *[12] * 6)

    assert (await world.states())[BLOCK] is StepState.WITHHELD
    assert (await effects(world))[0] is Effect.REVERTED


async def test_a_restored_account_is_read_again_although_its_block_is_refused() -> None:
    """Only the answers of the worker, which is silent, would plan re-checks."""
    world = a_world()
    await contained(world)
    await hours_pass(world, *[12] * 4)
    gone = world.directory.accounts.pop(ALEX)
    await hours_pass(world, 24, 0.1, 0.1, 0.1)
    world.directory.accounts[ALEX] = gone.model_copy(update={"account_enabled": True})
    world.directory.fail("set_sign_in", REFUSED, always=True)
    await bypassed_again(world, hours=1)
    for _ in range(6):
        await world.passes(hours=12)

    assert IncidentStatus.CONTAINED not in {incident.status for incident in await world.incidents()}


async def test_each_of_many_blocks_that_somebody_undid_is_reverted() -> None:
    """One transaction shows twenty. The others were said to be blocks of somebody else, and were asked about."""
    world = a_world()
    await many_incidents(world, 25)
    await minutes_pass(world, 5)
    world.directory.change(ALEX, account_enabled=True)
    await hours_pass(world, 1, 0.1, 0.1)

    assert await effects(world) == [Effect.REVERTED] * 25
    assert world.directory.enabled[ALEX]


async def test_incidents_whose_block_never_showed_do_not_stay_loaded() -> None:
    world = a_world()
    blocks_show_nowhere(world)
    for _ in range(3):
        await bypassed_again(world, minutes=1)
        await world.answer()
        await minutes_pass(world, 100)

    assert await effects(world) == [Effect.UNVERIFIED] * 3
    assert len((await world.ledger.load(ALEX)).rows(Incident)) == 1


async def test_a_block_that_is_undone_again_after_an_approval_is_reported_again() -> None:
    world = a_world()
    incident = await contained(world)
    await enabled_after_days(world)
    await hours_pass(world, 24, 0.1)
    await world.decides("approve", incident)
    await minutes_pass(world, 3)
    await enabled_after_days(world)
    await hours_pass(world, 24, 0.1)

    assert (await world.notifications()).count("step_ineffective") == 2
