"""Whether an actor can sign in is shown with the time of the read, or as not read, with the command."""

from __future__ import annotations

import pytest

from bypass_responder.model.change import Actor
from bypass_responder.model.inspection import Inspection
from tests.operating.incidents import scenes
from tests.world import START, World, a_finding, an_account

MALLORYS_ID = "dddddddd-0000-4000-8000-000000000004"
MALLORY = "mallory@contoso.onmicrosoft.com"


async def shown(world: World, **actor: str) -> list[str]:
    await world.sees(a_finding(actor=Actor(**{"user_id": MALLORY} | actor)))
    return [str(each) for each in (await scenes.view(world)).actor_accounts]


async def test_what_was_never_read_has_the_command_that_reads_it() -> None:
    assert await shown(World()) == [f"not read. Read it: az ad user show --id={MALLORY} --query accountEnabled"]


async def test_an_actor_whom_the_responder_contained_is_shown_as_it_read_it() -> None:
    world = World(an_account(), an_account(MALLORYS_ID, MALLORY), actor_response="contain")
    await world.sees(a_finding(actor=Actor(user_id=MALLORY, object_id=MALLORYS_ID)))
    await world.passes(seconds=10)

    assert [str(each) for each in (await scenes.view(world)).actor_accounts] == [
        "sign-in disabled, as of 2026-03-02 09:00:10Z"
    ]


@pytest.mark.parametrize(
    ("account", "said"),
    [(an_account(MALLORYS_ID, MALLORY), "sign-in enabled"), (None, "account not found")],
    ids=["there", "gone"],
)
async def test_what_a_person_asked_about_is_shown(account: object, said: str) -> None:
    world = World()
    await world.inspections.save(Inspection.model_validate({"name": MALLORY, "at": START, "account": account}))

    assert await shown(world) == [f"{said}, as of 2026-03-02 09:00:00Z"]


@pytest.mark.parametrize("name", ["ServicePrincipal_1", "a'; rm -rf / #", "NT AUTHORITY\\SYSTEM"])
async def test_what_is_no_account_of_a_person_has_none(name: str) -> None:
    assert await shown(World(), user_id=name) == []
