"""What the responder itself knows of an actor."""

from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.evidence.own_records import Authorization, OtherChanges
from bypass_responder.model.change import Outcome
from bypass_responder.model.question import Answer, AskedAccount, Empty, Found, Question, Role, Unavailable
from tests.evidence.questions import a_question
from tests.operating.incidents import scenes
from tests.world import BLAKE, World, a_finding, an_entry

MALLORY = AskedAccount(user_principal_name="mallory@contoso.onmicrosoft.com")


async def about_mallory(world: World) -> Question:
    [incident] = await world.incidents()
    return a_question(incident_id=incident.id, account=MALLORY, role=Role.ACTOR)


async def others(world: World) -> Answer:
    return await OtherChanges(world.index).ask(await about_mallory(world), None)


async def test_an_actor_without_another_change_has_none() -> None:
    assert await others(await scenes.contained()) == Empty()


async def test_another_account_that_the_actor_hid_is_notable() -> None:
    world = await scenes.contained()
    about = {"object_id_text": BLAKE, "identity_text": "blake@contoso.onmicrosoft.com"}
    await world.sees(a_finding(**about))
    answer = await others(world)

    assert isinstance(answer, Found)
    assert [item.notable for item in answer.items] == ["hid blake@contoso.onmicrosoft.com too"]


async def test_a_failed_attempt_of_the_actor_is_notable() -> None:
    world = await scenes.contained()
    about = {"object_id_text": BLAKE, "identity_text": "blake@contoso.onmicrosoft.com"}
    await world.sees(a_finding(outcome=Outcome.FAILED, **about))
    answer = await others(world)

    assert isinstance(answer, Found)
    assert [item.what for item in answer.items] == ["failed attempt"]


async def authorized(world: World) -> Answer:
    services = world.services
    source = Authorization(services.settings, world.index, world.ledger, world.allowlist)
    return await source.ask(await about_mallory(world), None)


async def notable(world: World) -> list[str | None]:
    answer = await authorized(world)
    assert isinstance(answer, Found)
    return [item.notable for item in answer.items]


async def test_without_the_setting_the_question_stays_open() -> None:
    answer = await authorized(await scenes.contained())

    assert isinstance(answer, Unavailable)
    assert answer.reason == "AUTHORIZED_ACTORS is not set."


@pytest.mark.parametrize(
    ("actors", "found"),
    [
        ("MALLORY@contoso.onmicrosoft.com", None),
        ("none", "not an authorized actor"),
        ("mallory@contoso.onmicrosoft.com.example", "not an authorized actor"),
    ],
)
async def test_an_actor_is_compared_exactly(actors: str, found: str | None) -> None:
    answer = await authorized(await scenes.contained(authorized_actors=actors))

    assert isinstance(answer, Found)
    assert [item.notable for item in answer.items if item.what == "AUTHORIZED_ACTORS"] == [found]


async def test_no_ticket_is_notable() -> None:
    assert "no change ticket is named" in await notable(await scenes.contained(authorized_actors="none"))


@pytest.mark.parametrize(
    ("pattern", "entry", "tickets"),
    [
        (None, {"ticket": "see the wiki"}, ["see the wiki"]),
        ("CHG-[0-9]+", {"ticket": "CHG-7", "justification": "CHG-7, then CHG-8"}, ["CHG-7", "CHG-8"]),
        ("CHG-[0-9]+", {"ticket": "see the wiki"}, []),
    ],
)
async def test_a_ticket_is_searched_in_the_allowlist_row(
    pattern: str | None, entry: dict[str, Any], tickets: list[str]
) -> None:
    world = await scenes.contained(authorized_actors="none", change_ticket_pattern=pattern)
    [incident] = await world.incidents()
    world.allowlist.rows[incident.target] = an_entry(**entry)
    answer = await authorized(world)

    assert isinstance(answer, Found)
    assert [item.detail["ticket"] for item in answer.items if "ticket" in item.detail] == tickets


async def test_a_ticket_is_searched_in_the_decisions_about_the_incident() -> None:
    world = await scenes.contained(authorized_actors="none", change_ticket_pattern="CHG-[0-9]+")
    [incident] = await world.incidents()
    await world.decides("acknowledge", incident.id, reason="known, CHG-12")
    answer = await authorized(world)

    assert isinstance(answer, Found)
    assert [item.detail["ticket"] for item in answer.items if item.what == "change ticket"] == ["CHG-12"]
