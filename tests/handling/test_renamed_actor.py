"""An actor who was renamed since the record is still the actor, and cannot decide about the incident."""

from __future__ import annotations

import pytest

from bypass_responder.errors import RefusedError
from bypass_responder.model.change import Actor
from bypass_responder.model.decision_message import Author
from bypass_responder.model.notification import Notification
from tests.world import ALEX, OPS, World, a_finding, an_account, an_entry

MALLORYS_ID = "dddddddd-0000-4000-8000-000000000004"
OLD = "mallory@contoso.onmicrosoft.com"
RENAMED = Author(object_id=MALLORYS_ID, name="m.smith@contoso.onmicrosoft.com")


def a_world() -> World:
    return World(an_account(), an_account(MALLORYS_ID, OLD))


async def opened(world: World) -> str:
    await world.sees(a_finding(first_run=True, actor=Actor(user_id="Mallory@contoso.onmicrosoft.com")))
    [incident] = await world.incidents()
    return incident.id


@pytest.mark.parametrize("decision", ["approve", "dismiss"])
async def test_who_was_renamed_after_the_incident_was_opened_cannot_decide(decision: str) -> None:
    world = a_world()
    incident = await opened(world)
    world.directory.change(MALLORYS_ID, user_principal_name=RENAMED.name)

    with pytest.raises(RefusedError, match=r"is an actor of incident .*, and cannot decide about it"):
        await world.decides(decision, incident, author=RENAMED)


async def test_who_was_renamed_cannot_approve_the_entry_of_their_target() -> None:
    world = a_world()
    await opened(world)
    world.directory.change(MALLORYS_ID, user_principal_name=RENAMED.name)
    world.allowlist.rows[ALEX] = entry = an_entry()
    approval = await world.a_decision("approve_entry", "", entry_sha256=entry.digest(), author=RENAMED)

    assert "is an actor of incident" in (await world.delivers(approval)).why


async def test_who_could_not_be_looked_up_at_first_is_looked_up_when_somebody_decides() -> None:
    world = World()
    incident = await opened(world)
    world.directory.accounts[MALLORYS_ID] = an_account(MALLORYS_ID, OLD)
    await world.decides("dismiss", incident)

    assert (await world.incidents())[0].actor_ids == {OLD: MALLORYS_ID}


async def test_a_decision_says_which_actor_nobody_could_look_up() -> None:
    world = World()
    incident = await opened(world)
    recorded = await world.decides("dismiss", incident)
    [note] = [each for each in (await world.case()).rows(Notification) if each.about == "decision_carried_out"]
    unsure = f"whether {OPS.name} is {OLD} was not checked: Entra ID has no account of that name"

    assert unsure in recorded.why
    assert f"Check it yourself: {unsure}." in note.text
