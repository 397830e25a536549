"""The console asks for what it cannot know, and a page says how recent an answer is.

Until there is an answer, the page says that it is not known yet.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bypass_responder.console.principal import Role
from bypass_responder.model.decision_message import Channel, DecisionKind
from tests.console.visitors import BASE, PERSON, visitor
from tests.operating.allowlist.builders import delivers, swept
from tests.world import ALEX, START, World, a_finding, an_entry

if TYPE_CHECKING:
    import httpx

UPN = "alex@contoso.onmicrosoft.com"
OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}
BEARER = {"authorization": "Bearer x", "content-type": "application/json"}
FIELDS = {
    "reason_class": "archiving",
    "justification": "journal archive",
    "owner": "ops@contoso.onmicrosoft.com",
    "ticket": "CHG-2",
    "expires": f"{START + timedelta(days=60):%Y-%m-%d}",
}


async def ask(browser: httpx.AsyncClient, page: str, **query: str) -> httpx.Response:
    """Press the button of a page that asks the responder."""
    text = (await browser.get(page, params=query)).text
    action = re.search(r'action="(/accounts/[^"]+/inspect)"', text)
    form = text[action.start() :] if action else ""
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form)[:2])
    fields["back"] = fields["back"].replace("&amp;", "&")
    return await browser.post(action[1] if action else "", data=fields, headers=OWN)


async def answered(world: World) -> None:
    await delivers(world, world.decisions.sent[-1], Channel.CONSOLE)


@pytest.mark.parametrize("page", [f"/accounts/{UPN}", f"/allowlist/{ALEX}", f"/allowlist/{ALEX}/plan/remove"])
async def test_a_page_says_that_it_is_not_known_and_after_the_answer_as_of_when(page: str) -> None:
    world = World()
    await world.allowlist.put(an_entry())
    swept(world, ALEX)
    async with visitor(world, Role.ALLOWLIST) as browser:
        before = (await browser.get(page)).text
        sent = await ask(browser, page)
        await answered(world)
        after = (await browser.get(page)).text

    assert "not known yet" in before
    assert (sent.status_code, sent.headers["location"]) == (303, f"{page}#asked")
    assert "As of <time" in after
    assert f"{UPN}; sign-in enabled" in after


async def test_the_incident_page_shows_the_account_as_it_is_now() -> None:
    world = World()
    await world.sees(a_finding(first_run=True))
    [incident] = await world.incidents()
    async with visitor(world, Role.READ) as browser:
        await ask(browser, f"/incidents/{incident.id}")
        world.directory.change(ALEX, account_enabled=False)
        await answered(world)
        shown = (await browser.get(f"/incidents/{incident.id}")).text

    assert f"{UPN}; sign-in disabled" in shown


async def test_the_question_names_its_verified_author() -> None:
    world = World()
    async with visitor(world, Role.READ) as browser:
        await ask(browser, f"/accounts/{UPN}")
    [message] = world.decisions.sent

    assert (message.kind, message.asked, message.author.object_id) == (DecisionKind.INSPECT_ACCOUNT, UPN, PERSON)


async def test_the_api_asks_and_reads_the_same() -> None:
    world = World()
    async with visitor(world, Role.READ) as client:
        sent = await client.post(f"/api/v1/accounts/{UPN}/inspect", json={}, headers=BEARER)
        await answered(world)
        answer = await client.get(sent.json()["answer"])

    assert sent.status_code == 202
    assert answer.json()["inspected"]["account"]["object_id"] == ALEX


@pytest.mark.parametrize("back", ["//evil.example/", "https://evil.example/", "/allowlist/\\evil", "/.auth/logout", ""])
async def test_the_question_leads_back_to_the_console_only(back: str) -> None:
    world = World()
    async with visitor(world, Role.READ) as browser:
        text = (await browser.get(f"/accounts/{UPN}")).text
        token = re.search(r'name="token" value="([^"]*)"', text)
        data = {"token": token[1] if token else "", "back": back}
        answer = await browser.post(f"/accounts/{UPN}/inspect", data=data, headers=OWN)

    assert answer.status_code == 400
    assert world.decisions.sent == []


# ---- adding an entry by name


async def test_an_entry_is_added_by_the_name_alone_once_the_account_is_known() -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST, follow_redirects=True) as browser:
        first = await browser.get("/allowlist/add", params=FIELDS | {"account": UPN.upper()})
        browser.follow_redirects = False
        await ask(browser, "/allowlist/add", **FIELDS, account=UPN.upper())
        await answered(world)
        second = await browser.get("/allowlist/add", params=FIELDS | {"account": UPN.upper()})

    assert "not known yet" in first.text
    assert second.status_code == 303
    assert second.headers["location"].startswith(f"/allowlist/{ALEX}/plan/add?")


async def test_an_account_that_is_not_there_is_not_added() -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as browser:
        await ask(browser, "/allowlist/add", **FIELDS, account="nobody@contoso.onmicrosoft.com")
        await answered(world)
        shown = await browser.get("/allowlist/add", params=FIELDS | {"account": "nobody@contoso.onmicrosoft.com"})

    assert "No account of this tenant has this name." in shown.text


async def test_an_object_id_that_is_not_there_is_refused() -> None:
    world = World()
    missing = "dddddddd-0000-4000-8000-000000000004"
    async with visitor(world, Role.ALLOWLIST) as client:
        await client.post(f"/api/v1/accounts/{missing}/inspect", json={}, headers=BEARER)
        await answered(world)
        plan = await client.get(f"/api/v1/allowlist/{missing}/plan/add", params=FIELDS | {"account": UPN})

    assert plan.status_code == 409
    assert "No account of this tenant has the object id" in plan.text


async def test_the_name_that_was_typed_gives_way_to_that_of_entra() -> None:
    world = World()
    async with visitor(world, Role.ALLOWLIST) as client:
        await client.post(f"/api/v1/accounts/{ALEX}/inspect", json={}, headers=BEARER)
        await answered(world)
        plan = await client.get(f"/api/v1/allowlist/{ALEX}/plan/add", params=FIELDS | {"account": "typo@contoso.com"})

    assert plan.json()["after"]["display_name"] == UPN


async def test_a_plan_says_what_the_app_would_do_not_what_this_process_is_set_to() -> None:
    world = World()
    await world.allowlist.put(an_entry(valid_since=START - timedelta(days=9)))
    await world.passes(minutes=1)  # the app runs in enforce, and records it
    swept(world, ALEX)
    world.deploy(mode="observe")
    async with visitor(world, Role.ALLOWLIST) as client:
        plan = await client.get(f"/api/v1/allowlist/{ALEX}/plan/remove")

    assert "will be contained" in plan.json()["says"][0]
