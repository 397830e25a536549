"""The page of who else opened watched mailboxes in a real browser, and the picture of it in the docs."""

from __future__ import annotations

import pytest

from bypass_responder.model.mailbox_access import AccessLogon
from tests.console.browser.chromium import browsing, needs_chromium, picture_of, violations
from tests.operating.posture.test_access import DAY, TODAY, ago, world_with
from tests.sensing.access.records import APP, EVE
from tests.tampering.test_permissions import a_change
from tests.world import START, World, a_finding

pytestmark = needs_chromium
READER = "rita@contoso.onmicrosoft.com"
LONG = "svc-of-a-name-with-sixty-characters-and-without-a-break-in-it@subsidiary.contoso.onmicrosoft.com"
OWA, REST = "Client=OWA;Action=ViaProxy", "Client=REST;Client=RESTSystem;a-client-without-a-break-in-its-name-at-all"


async def opened() -> World:
    """EVE was given a mailbox and read it; an administrator and an app accessed it as well.

    One day was not read, and the directory does not know one name.
    """
    rows = (
        *(ago(each, count=40 * each, clients=(OWA,)) for each in (1, 2)),
        ago(2, operation="SendAs", clients=(OWA,)),
        ago(4, actor=LONG, logon=AccessLogon.ADMIN, operation="SearchQueryInitiated", addresses=("2001:db8::17",)),
        ago(4, actor="", app_id=APP, logon=AccessLogon.OTHER, count=12345, clients=(REST,)),
    )
    world = await world_with(*rows)
    del world.access.read[TODAY - 9 * DAY]
    world.access.saved = world.access.saved.model_copy(update={"unresolved": ("cfo@contoso.com",)})
    await world.permissions.note([a_change(granted=True, at=START - 3 * DAY, trustee=EVE)])
    await world.sees(a_finding(effective_at=START - DAY))
    return world


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_list_can_be_read(width: int, scheme: str) -> None:
    options = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    async with browsing(await opened(), READER, **options) as (page, written):
        await page.goto("/posture/access")
        shown = await page.locator("main").inner_text()
        found = await violations(page)
        too_wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")

    assert found + written == []
    assert not too_wide
    assert "FullAccess given by" in shown
    assert "Records of actions by alex@contoso.onmicrosoft.com" in shown
    assert "not read: 2026-02-21" in shown
    assert "the directory does not know cfo@contoso.com" in shown


async def test_the_filter_keeps_what_was_asked() -> None:
    async with browsing(await opened(), READER) as (page, written):
        await page.goto("/posture/access")
        await page.get_by_label("Actor").fill(EVE)
        await page.get_by_label("As").select_option("delegate")
        await page.get_by_role("button", name="Show").click()
        await page.wait_for_url("**actor=**")
        actors = await page.locator("tbody").first.locator("tr").count()
        asked = await page.get_by_label("Actor").input_value(), await page.get_by_label("As").input_value()

    assert (actors, asked, written) == (1, (EVE, "delegate"), [])


async def test_the_picture_of_the_docs_is_of_this_page() -> None:
    async with browsing(await opened(), READER) as (page, _):
        await page.goto("/posture/access")
        await picture_of(page, "console-access.png", width=1000, height=1000)
        heading = await page.get_by_role("heading", level=1).inner_text()

    assert heading == "Mailbox access"
