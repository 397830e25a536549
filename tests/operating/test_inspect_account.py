"""The answer about an account has what Entra and the last sweep say, and what would happen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import PermissionMissingError, RefusedError, TransientError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import Channel, DecisionMessage
from bypass_responder.model.inspection import Inspection
from bypass_responder.operating.inspect_account import KEPT_FOR, question
from bypass_responder.triggers.carry_out_decision import carry_out_decision
from tests.operating.allowlist.builders import swept
from tests.world import ALEX, OPS, World, an_account, an_entry

UPN = "alex@contoso.onmicrosoft.com"


async def ask(world: World, message: DecisionMessage) -> None:
    stamped = message.model_copy(update={"tool": Channel.CONSOLE})
    await carry_out_decision(stamped.model_dump_json().encode(), world.services, channel=Channel.CONSOLE)


async def asked(world: World, name: str = UPN) -> Inspection | None:
    await ask(world, question(name, world.services, author=OPS))
    return await world.inspections.of(name)


@pytest.mark.parametrize("name", [UPN, UPN.upper(), f" {ALEX} ", "{" + ALEX.upper() + "}"])
async def test_the_answer_has_the_account_as_entra_has_it(name: str) -> None:
    world = World(an_account(guest=True))
    found = await asked(world, name.strip(" {}"))

    assert found is not None
    assert (found.account, found.at) == (an_account(guest=True), world.now)


async def test_an_answer_is_found_by_every_name_of_the_account() -> None:
    world = World()
    await asked(world, UPN)

    assert await world.inspections.of(ALEX.upper()) == await world.inspections.of(UPN)


async def test_the_answer_says_that_there_is_no_such_account() -> None:
    found = await asked(World(), "nobody@contoso.onmicrosoft.com")

    assert found is not None
    assert (found.account, found.problem) == (None, "")


@pytest.mark.parametrize("error", [PermissionMissingError("403", permission="User.Read.All"), RefusedError("another")])
async def test_the_answer_says_why_entra_gave_none(error: Exception) -> None:
    world = World()
    world.directory.fail("find", error)
    found = await asked(world)

    assert found is not None
    assert found.problem == str(error)


async def test_a_failing_read_is_repeated() -> None:
    world = World()
    world.directory.fail("find", TransientError("503"))
    with pytest.raises(TransientError):
        await asked(world)

    assert await asked(world) is not None


@pytest.mark.parametrize("on", [True, False])
async def test_the_answer_has_the_bypass_of_the_last_complete_sweep(on: bool) -> None:
    world = World()
    swept(world, *([ALEX] if on else []))
    found = await asked(world)

    assert found is not None
    assert (found.bypassed, found.bypass_as_of) == (on, world.now)


async def test_before_the_first_sweep_the_bypass_is_not_known() -> None:
    found = await asked(World())

    assert found is not None
    assert found.bypassed is None


async def test_the_answer_explains_what_would_happen() -> None:
    world = World()
    before = await asked(world)
    await world.allowlist.put(an_entry())
    world.now += timedelta(minutes=5)
    after = await asked(world)

    assert before is not None
    assert "At once" in before.explanation
    assert after is not None
    assert after.explanation.startswith("Nothing would be done")


async def test_a_question_that_has_ended_is_not_answered() -> None:
    world = World()
    message = question(UPN, world.services, author=OPS)
    world.now += timedelta(hours=2)
    await ask(world, message)

    assert await world.inspections.of(UPN) is None


async def test_a_question_is_no_decision() -> None:
    world = World()
    await asked(world)

    assert (await world.case(TENANT_TARGET)).by_key == {}
    assert (await world.case(ALEX)).by_key == {}


async def test_old_answers_are_deleted() -> None:
    world = World()
    await asked(world)
    world.now += KEPT_FOR + timedelta(minutes=1)
    await asked(world, "blake@contoso.onmicrosoft.com")

    assert await world.inspections.of(UPN) is None
