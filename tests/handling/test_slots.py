"""A slot of the hourly limit is kept over retries and returned when the block was refused.

It belongs to the want, not to the call.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    TransientError,
)
from bypass_responder.model.account import MalformedEntry
from bypass_responder.model.finding import Finding
from bypass_responder.model.step import StepKind, StepState
from tests.world import ALEX, BLAKE, World, a_finding


def about_blake() -> Finding:
    return a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com")


REFUSALS = [
    PermissionMissingError("403", permission="User.EnableDisableAccount.All"),
    RefusedError("400"),
    NotFoundError("404"),
]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda error: type(error).__name__)
async def test_a_refused_block_returns_its_slot(refusal: ResponderError) -> None:
    world = World(containment_limit_per_hour=1)
    world.directory.fail("set_sign_in", refusal)
    await world.sees(a_finding())

    await world.sees(about_blake())

    assert world.directory.enabled == {ALEX: True, BLAKE: False}


async def test_a_block_that_is_retried_keeps_its_slot() -> None:
    world = World(containment_limit_per_hour=1)
    world.directory.fail("set_sign_in", TransientError("503"))
    await world.sees(a_finding())

    await world.sees(about_blake())

    assert world.directory.enabled[BLAKE]
    assert list(world.limit.slots) == [ALEX]


async def test_a_refusal_after_a_call_of_unknown_effect_keeps_the_slot() -> None:
    world = World(containment_limit_per_hour=1)
    world.directory.fail("set_sign_in", TransientError("timeout"))
    await world.sees(a_finding())
    world.directory.fail("set_sign_in", RefusedError("400"))
    await world.passes(minutes=2)

    assert (await world.states())[StepKind.BLOCK_SIGN_IN] is StepState.FAILED
    assert list(world.limit.slots) == [ALEX]


async def test_a_retry_beside_a_held_decision_needs_a_separate_slot() -> None:
    world = World(containment_limit_per_hour=1)
    world.directory.fail("set_sign_in", TransientError("503"))
    await world.sees(a_finding())
    world.now += timedelta(minutes=61)  # the slot is free again
    await world.sees(about_blake())
    world.allowlist.rows[ALEX] = MalformedEntry(object_id=ALEX, problem="ExpiresAt")

    await world.sees(a_finding(id="another", effective_at=world.now))

    assert world.directory.enabled == {ALEX: True, BLAKE: False}
    assert (await world.states())[StepKind.BLOCK_SIGN_IN] is StepState.HELD


async def test_a_slot_that_cannot_be_returned_does_not_hide_the_refusal() -> None:
    world = World(containment_limit_per_hour=1)
    world.directory.fail("set_sign_in", RefusedError("400"))
    world.limit.fail("give_back", TransientError("storage is down"))

    await world.sees(a_finding())

    assert (await world.states())[StepKind.BLOCK_SIGN_IN] is StepState.FAILED
