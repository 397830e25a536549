"""The page of plans in a real browser: also on a phone, and without JavaScript."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.model.decision_message import DecisionKind
from tests.case.plans import OTHER, object_id
from tests.console.browser.chromium import browsing, needs_chromium, violations
from tests.triggers.plans import Mailboxes, a_plan, a_planned, applies, carried_out, decides
from tests.world import World

pytestmark = needs_chromium
READER = "rita@contoso.onmicrosoft.com"
LONG = "svc-of-a-name-with-sixty-characters-and-without-a-break-in-it@subsidiary.contoso.onmicrosoft.com"


async def plans() -> World:
    """A plan left two mailboxes as they were, was undone, and another one is held."""
    world = World()
    mailboxes = Mailboxes(world, 12)
    mailboxes.now[object_id(1)] = OTHER
    del mailboxes.now[object_id(2)]
    names = {1: LONG}
    planned = [a_planned(each, name=names.get(each, f"kim{each}@contoso.com")) for each in range(12)]
    await applies(world, a_plan(changes=tuple(planned)))
    run = await carried_out(world, mailboxes)
    world.now += timedelta(minutes=30)
    await decides(world, DecisionKind.UNDO_PLAN, run=run.id)
    await carried_out(world, mailboxes)
    world.deploy(posture_changes_per_hour=0)
    world.now += timedelta(minutes=30)
    await applies(world, a_plan(changes=tuple(planned[3:])))
    return world


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1200, "light")])
async def test_the_plans_can_be_read(width: int, scheme: str, script: bool) -> None:
    size = {"width": width, "height": 800}
    async with browsing(await plans(), READER, viewport=size, color_scheme=scheme, java_script_enabled=script) as (
        page,
        written,
    ):
        await page.goto("/posture")
        await page.get_by_role("link", name="Plans that were carried out").click()
        await page.wait_for_url("**/posture/plans")  # and for its style sheet
        shown = await page.locator("main").inner_text()
        found = await violations(page) if script else []
        too_wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
        rows = await page.locator("tbody tr").count()

    assert found + written == []
    assert (rows, too_wide) == (3, False)
    assert "POSTURE_CHANGES_PER_HOUR is 0. It continues with POSTURE_CHANGES_PER_HOUR above 0" in shown
    assert f"Not as wanted: {LONG}: its settings have changed since the plan was made" in shown
    assert "12 of 12 mailboxes: 10 done, 1 not found, 1 skipped" in shown


async def test_a_phone_shows_each_plan_as_a_card_with_the_names_of_its_columns() -> None:
    async with browsing(await plans(), READER, viewport={"width": 360, "height": 800}) as (page, _):
        await page.goto("/posture/plans")
        names = (
            await page.locator("tbody tr")
            .first.locator("td")
            .evaluate_all("cells => cells.map(each => getComputedStyle(each, '::before').content)")
        )
        heads = await page.locator("thead").bounding_box()

    assert names == [f'"{name}: "' for name in ("Run", "State", "Mailboxes", "Started", "Asked by")]
    assert heads is None or heads["height"] <= 1
