"""People use the console in a real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bypass_responder.model.decision_message import Channel
from bypass_responder.model.incident import IncidentStatus
from tests.console.browser.chromium import ROOT, browsing, needs_chromium, violations
from tests.world import ALEX, World, a_finding, an_entry

if TYPE_CHECKING:
    from playwright.async_api import Page

    from bypass_responder.model.incident import PersonDecision

pytestmark = needs_chromium
READER, OPS, ON_CALL, NOBODY = (f"{name}@contoso.onmicrosoft.com" for name in ("rita", "olga", "oscar", "nina"))
PAGES = ("/needs-decision", "/incidents", "/allowlist", f"/allowlist/{ALEX}", "/log", "/health", "/settings")


async def held() -> tuple[World, str]:
    world = World()
    await world.sees(a_finding(id="record-1", first_run=True))
    [incident] = await world.incidents()
    return world, f"/incidents/{incident.id}"


async def carried_out(world: World) -> PersonDecision:
    return await world.delivers(world.decisions.sent[-1], channel=Channel.CONSOLE)


async def decide(page: Page, world: World, address: str, label: str) -> None:
    await page.goto(address)
    form = page.locator(f"form[action='{address}/{label}']")
    if label != "approve":
        await form.locator("xpath=..").locator("summary").click()
    await form.get_by_label("Reason or ticket").fill("CHG-7")
    await form.get_by_role("button").click()
    await page.get_by_role("status").wait_for()
    await carried_out(world)


@pytest.mark.parametrize("script", [True, False])
async def test_a_person_on_call_approves_a_held_incident(script: bool) -> None:
    world, address = await held()
    async with browsing(world, ON_CALL, java_script_enabled=script) as (page, written):
        await page.locator(f"a[href='{address}']").click()
        await decide(page, world, address, "approve")
        await page.goto(address)
        shown = await page.locator("main").inner_text()

    assert not world.directory.enabled[ALEX]
    assert ON_CALL in shown
    assert written == []


async def test_a_page_has_one_primary_button() -> None:
    world, address = await held()
    async with browsing(world, ON_CALL) as (page, _):
        await page.goto(address)

        assert await page.locator("button.primary").count() == 1


@pytest.mark.parametrize("who", [READER, OPS])
async def test_who_may_not_decide_sees_no_form(who: str) -> None:
    world, address = await held()
    async with browsing(world, who) as (page, _):
        await page.goto(address)

        assert await page.locator("form[method=post]").count() == 0
        assert "Console.Decide" in await page.locator("main").inner_text()


async def test_who_has_no_role_sees_nothing() -> None:
    world, address = await held()
    async with browsing(world, NOBODY) as (page, _):
        answer = await page.goto(address)

    assert answer is not None
    assert answer.status == 403


async def test_ops_changes_the_owner_of_an_entry() -> None:
    world = World()
    await world.allowlist.put(an_entry())
    async with browsing(world, OPS) as (page, _):
        await page.goto(f"/allowlist/{ALEX}")
        await page.get_by_label("Owner").fill("new@contoso.onmicrosoft.com")
        await page.get_by_role("button", name="Change").click()
        await page.get_by_label("Reason", exact=True).fill("CHG-8")
        await page.get_by_role("button", name="Make this change").click()
        await page.get_by_role("status").wait_for()

        assert "new@contoso.onmicrosoft.com" in await page.locator("main").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
async def test_axe_and_the_policy_find_nothing(scheme: str, width: int) -> None:
    world, address = await held()
    await world.allowlist.put(an_entry())
    size = {"width": width, "height": 800}
    found = []
    async with browsing(world, ON_CALL, color_scheme=scheme, viewport=size) as (page, written):
        for each in (*PAGES, address):
            await page.goto(each)
            found += [f"{each}: {problem}" for problem in await violations(page)]
            too_wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found += [f"{each}: wider than the screen"] if too_wide else []

    assert found + written == []


async def test_times_are_local_on_demand() -> None:
    world, address = await held()
    async with browsing(world, READER, timezone_id="Asia/Tokyo", locale="en-US") as (page, _):
        await page.goto(address)
        await page.get_by_role("button", name="Local time").click()

        assert "GMT+9" in await page.locator("main time").first.inner_text()


async def test_the_picture_of_the_docs_is_of_this_page() -> None:
    world, address = await held()
    async with browsing(world, ON_CALL, viewport={"width": 760, "height": 720}) as (page, _):
        await page.goto(address)
        await page.screenshot(path=ROOT / "docs/console-incident.png")
    [incident] = await world.incidents()

    assert incident.status is IncidentStatus.HELD
