"""The controls that are not in AUTOMATIC_CONTROLS wait for a person."""

from __future__ import annotations

import pytest

from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import CONTROLS, StepKind, StepState
from tests.world import ALEX, START, World, a_finding, an_entry

BLOCK, REVOKE, DISABLE = CONTROLS


@pytest.mark.parametrize("kept", CONTROLS)
async def test_a_control_that_is_left_out_is_held_and_the_others_act(kept: StepKind) -> None:
    world = World(automatic_controls=",".join(kind for kind in CONTROLS if kind is not kept))

    await world.sees(a_finding())

    held = [kind for kind, state in (await world.states()).items() if state is StepState.HELD]
    assert held == [kept]
    assert ("AUTOMATIC_CONTROLS" in (await world.steps())[kept].reason, await world.notifications()) == (True, ["held"])


async def test_with_none_nothing_acts_automatically() -> None:
    world = World(automatic_controls="none")

    await world.sees(a_finding())
    await world.passes(hours=2)

    assert (world.directory.enabled[ALEX], world.directory.revoked, world.exchange.sent) == (True, [], [])
    assert (await world.incidents())[0].status is IncidentStatus.HELD


async def test_approval_makes_a_held_control_act() -> None:
    world = World(automatic_controls="none")
    world.bypassed[ALEX] = True
    await world.sees(a_finding())

    await world.decides("approve", (await world.incidents())[0].id)
    await world.answer()
    await world.passes(minutes=1)

    assert (world.directory.enabled[ALEX], world.bypassed[ALEX]) == (False, False)
    assert (await world.incidents())[0].status is IncidentStatus.CONTAINED


async def test_a_held_block_takes_no_slot_of_the_hour() -> None:
    world = World(automatic_controls="revoke_sessions,disable_bypass")

    await world.sees(a_finding())

    assert world.limit.calls == []


async def test_the_owner_is_not_notified_of_a_restoration_that_waits() -> None:
    world = World(automatic_controls="none")
    world.allowlist.rows[ALEX] = an_entry(expires_at=START)

    await world.sees(a_finding())

    assert await world.notifications() == ["held"]


async def test_a_setting_that_is_changed_later_weakens_no_decision() -> None:
    world = World()
    await world.sees(a_finding())
    world.deploy(automatic_controls="none")
    await world.passes(minutes=12)

    assert len(world.exchange.sent) == 2
