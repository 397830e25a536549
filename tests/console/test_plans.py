"""The page of plans that were carried out, and its twin in the API."""

from __future__ import annotations

from bypass_responder.console.principal import Role
from tests.console.visitors import visitor
from tests.triggers.plans import Mailboxes, a_plan, a_planned, applies, carried_out
from tests.world import World


async def shown(path: str, *, name: str = "kim@contoso.com") -> str:
    world = World()
    mailboxes = Mailboxes(world)
    mailboxes.now.clear()
    await applies(world, a_plan(changes=(a_planned(0, name=name),)))
    await carried_out(world, mailboxes)
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get(path)

    assert answer.status_code == 200
    return answer.text


async def test_before_the_first_plan_it_says_so() -> None:
    async with visitor(World(), Role.READ) as browser:
        answer = await browser.get("/posture/plans")

    assert "None." in answer.text


async def test_the_page_shows_how_a_plan_has_ended_and_what_is_not_as_wanted() -> None:
    text = await shown("/posture/plans")

    assert "partly done" in text
    assert "1 of 1 mailbox: 1 not found" in text
    assert "Not as wanted: kim@contoso.com" in text


async def test_the_api_has_the_same() -> None:
    assert '"progress":"1 of 1 mailbox: 1 not found"' in await shown("/api/v1/posture/plans")


async def test_markup_in_a_name_is_text() -> None:
    assert "&lt;b&gt;x&lt;/b&gt;" in await shown("/posture/plans", name="<b>x</b>")


async def test_a_plan_that_is_held_says_why_and_what_makes_it_go_on() -> None:
    world = World(posture_changes_per_hour=0)
    await applies(world, a_plan())
    async with visitor(world, Role.READ) as browser:
        page, answer = await browser.get("/posture/plans"), await browser.get("/api/v1/posture/plans")

    assert "POSTURE_CHANGES_PER_HOUR is 0. It continues with <code>POSTURE_CHANGES_PER_HOUR above 0</code>" in page.text
    assert answer.json()["runs"][0]["resumed_by"] == "POSTURE_CHANGES_PER_HOUR above 0"
