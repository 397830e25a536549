"""People use the console in a real browser."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bypass_responder.console.pages import PAGES as TABLE
from bypass_responder.evidence.sources import SOURCES
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.decision_message import Channel
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.question import Empty, Found, Item, Unavailable
from bypass_responder.operating.posture.answers import keep_read
from bypass_responder.triggers.gather_evidence import gather_evidence
from tests.console.browser.chromium import browsing, needs_chromium, picture_of, violations
from tests.fakes import FakeSource
from tests.operating.allowlist.builders import delivers, swept
from tests.operating.incidents import scenes
from tests.operating.posture.scenes import WRITTEN, read_of
from tests.world import ALEX, BLAKE, START, World, a_finding, an_entry

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from bypass_responder.model.incident import PersonDecision

pytestmark = needs_chromium
SLOW = pytest.mark.slow
WITHOUT_SCRIPT = pytest.param(False, marks=SLOW)
GRANT = "bypassctl grant --evidence full"
READER, OPS, ON_CALL, NOBODY = (f"{name}@contoso.onmicrosoft.com" for name in ("rita", "olga", "oscar", "nina"))
PAGES = (
    *(page.path for page in TABLE if "{" not in page.path),
    *(f"/allowlist/{ALEX}", f"/allowlist/{ALEX}/plan/remove", "/allowlist/import", "/allowlist/review?all=true"),
    *(f"/accounts/{ALEX}", f"/log?subject={ALEX}", "/windows?account=all", "/welcome"),
)
LONG = "svc-of-a-name-with-sixty-characters-and-without-a-break-in-it@subsidiary.contoso.onmicrosoft.com"
DAY = f"{START + timedelta(days=60):%Y-%m-%d}"
IMPORTED = (
    "object_id;account;reason_class;justification;owner;ticket;expires\r\n"
    f"{ALEX};alex@contoso.onmicrosoft.com;archiving;Journal archive;ops@contoso.com;CHG-5;{DAY}\r\n"
    f"{BLAKE};blake@contoso.onmicrosoft.com;archiving;Journal archive;not an address;CHG-5;{DAY}\r\n"
)
ADDED = {
    "User principal name, or object id": "alex@contoso.onmicrosoft.com",
    "Why it must be bypassed": "Journal archive",
    "Owner (e-mail)": "ops@contoso.com",
    "Ticket": "CHG-5",
    "Last valid day": DAY,
}


async def held() -> tuple[World, str]:
    world = World()
    await world.sees(a_finding(id="record-1", first_run=True))
    [incident] = await world.incidents()
    return world, f"/incidents/{incident.id}"


async def with_evidence() -> tuple[World, str]:
    """ALEX is contained; sources found a hidden rule and a sign-in, and one source may not be read.

    The other sources have nothing.
    """
    rule = {"name": "…", "hidden": "True", "sends to": "drop@example.net"}
    sign_in = {"country": "BR", "address": "203.0.113.7", "client": "PowerShell"}
    world = await scenes.contained()
    world.sources |= {source.name: FakeSource(Empty()) for source in SOURCES} | {
        "inbox_rules": FakeSource(answer_of("inbox rule", rule, "sends mail outside")),
        "sign_ins": FakeSource(answer_of("sign-in", sign_in, "new country BR")),
        "message_trace": FakeSource(Unavailable(reason="ExchangeMessageTrace.Read.All is not granted", fix=GRANT)),
    }
    await gather_evidence(world.services)
    [incident] = await world.incidents()
    return world, f"/incidents/{incident.id}"


def answer_of(what: str, detail: dict[str, str], notable: str) -> Found:
    return Found(count=1, items=(Item(at=START, what=what, detail=detail, notable=notable),), raw=())


async def carried_out(world: World) -> PersonDecision:
    recorded = await world.delivers(world.decisions.sent[-1], channel=Channel.CONSOLE)
    await world.answer()
    await world.passes(minutes=1)
    return recorded


async def asked(world: World, page: Page) -> None:
    """Press the button that asks the responder, which answers, and read the answer."""
    await page.get_by_role("button", name="Ask").click()
    await delivers(world, world.decisions.sent[-1], Channel.CONSOLE)
    await page.get_by_role("status").get_by_role("link").click()
    await page.get_by_text("sign-in enabled").or_(page.get_by_text("sign-in disabled")).wait_for()


async def decide(page: Page, world: World, address: str, label: str) -> None:
    await page.goto(address)
    form = page.locator(f"form[action='{address}/{label}']")
    if not await form.is_visible():
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

        assert await page.locator("form[method=post]:not([action$='/inspect'])").count() == 0
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


@pytest.mark.parametrize("script", [True, WITHOUT_SCRIPT])
async def test_an_incident_goes_from_the_alarm_to_the_release(script: bool) -> None:
    world, address = await held()
    async with browsing(world, ON_CALL, java_script_enabled=script) as (page, written):
        await page.goto(address)
        await page.get_by_role("button", name="I have it").click()
        await page.get_by_role("status").first.wait_for()
        await carried_out(world)
        await decide(page, world, address, "approve")
        blocked = not world.directory.enabled[ALEX]
        await page.goto(address)
        contained = await page.locator(".state").inner_text()
        await decide(page, world, address, "release")
        await page.goto(address)
        decisions = await page.locator("main").inner_text()
    [incident] = await world.incidents()

    assert blocked
    assert "cannot sign in" in contained
    assert (incident.status, world.directory.enabled[ALEX]) == (IncidentStatus.RELEASED, True)
    assert all(f"{word} by {ON_CALL}" in decisions for word in ("acknowledge", "approve", "release"))
    assert written == []


async def test_on_call_sees_the_account_as_entra_has_it_before_they_decide() -> None:
    world, address = await held()
    async with browsing(world, ON_CALL) as (page, _):
        await page.goto(address)
        await asked(world, page)

        assert "As of" in await page.locator("main").inner_text()


@pytest.mark.parametrize("script", [True, WITHOUT_SCRIPT])
async def test_ops_imports_a_file(script: bool, tmp_path: Path) -> None:
    world = World()
    file = tmp_path / "allowlist.csv"
    file.write_text(IMPORTED, encoding="utf-16")
    async with browsing(world, OPS, java_script_enabled=script) as (page, written):
        await page.goto("/allowlist")
        await page.get_by_role("link", name="Import").click()
        await page.get_by_label("File").set_input_files(file)
        await page.get_by_role("button", name="Show what it would change").click()
        await page.get_by_label("Reason", exact=True).fill("CHG-5")
        await page.get_by_label("Leave out what is rejected: 1 row").check()
        if script:
            await picture_of(page, "console-import.png")
        await page.get_by_role("button", name="Import 1 row").click()
        await page.get_by_role("status").wait_for()
        shown = await page.locator("main").inner_text()
    entry = await world.allowlist.get(ALEX)

    assert isinstance(entry, AllowlistEntry)
    assert entry.edited_by.startswith(OPS)
    assert "Written: 1 row." in shown
    assert written == []


async def test_ops_adds_an_entry_by_its_name_and_keeps_it_at_the_review() -> None:
    world = World()
    async with browsing(world, OPS) as (page, _):
        await page.goto("/allowlist")
        for label, value in ADDED.items():
            await page.get_by_label(label).fill(value)
        await page.get_by_role("button", name="Show what it means").click()
        await asked(world, page)
        await page.get_by_label("Reason", exact=True).fill("CHG-5")
        await page.get_by_role("button", name="Make this change").click()
        await page.goto("/allowlist/review?all=true")
        await page.get_by_role("link", name="Keep").click()
        await page.get_by_label("Reason", exact=True).fill("still used")
        await page.get_by_role("button", name="Make this change").click()
        await page.get_by_role("status").first.wait_for()

    assert [message.edit.action for message in world.decisions.sent if message.edit] == ["add", "review"]


@pytest.mark.parametrize("who", [READER, ON_CALL])
async def test_who_may_not_edit_the_allowlist_sees_no_form(who: str) -> None:
    world = World(allowlist_approval="required")
    await world.allowlist.put(an_entry())
    async with browsing(world, who) as (page, _):
        for address in ("/allowlist", f"/allowlist/{ALEX}", "/allowlist/import", f"/allowlist/{ALEX}/plan/remove"):
            await page.goto(address)
            forms = page.locator("form[method=post]:not([action$='/inspect'])")

            assert await forms.count() == 0


@pytest.mark.parametrize(
    ("width", "scheme"),
    [(1200, "light"), (360, "dark"), pytest.param(360, "light", marks=SLOW), pytest.param(1200, "dark", marks=SLOW)],
)
async def test_axe_and_the_policy_find_nothing(scheme: str, width: int) -> None:
    world, address = await held()
    await world.allowlist.put(an_entry(display_name=LONG, owner=LONG, justification=f"https://{LONG}/{LONG}"))
    await world.sweep(audit_disabled=True)
    swept(world, ALEX, BLAKE)
    await keep_read(read_of(world, *WRITTEN), world.services)
    size = {"width": width, "height": 800}
    found = []
    async with browsing(world, ON_CALL, color_scheme=scheme, viewport=size) as (page, written):
        for each in (*PAGES, address):
            await page.goto(each)
            found += [f"{each}: {problem}" for problem in await violations(page)]
            too_wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
            found += [f"{each}: wider than the screen"] if too_wide else []

    assert found + written == []


async def test_the_evidence_of_an_incident_is_on_its_page_and_its_picture_is_of_it() -> None:
    world, address = await with_evidence()
    async with browsing(world, READER, viewport={"width": 760, "height": 720}) as (page, written):
        await page.goto(address)
        evidence = page.get_by_role("heading", name="Evidence from other sources")
        await page.locator("details summary", has_text="Interactive sign-ins").first.click()
        await evidence.evaluate("heading => heading.scrollIntoView(true)")
        await picture_of(page, "console-evidence.png")
        found = await violations(page)
        shown = await page.locator("main").inner_text()

    assert found + written == []
    assert "sends mail outside" in shown
    assert "ExchangeMessageTrace.Read.All is not granted" in shown


async def test_times_are_local_on_demand() -> None:
    world, address = await held()
    async with browsing(world, READER, timezone_id="Asia/Tokyo", locale="en-US") as (page, _):
        await page.goto(address)
        await page.get_by_role("button", name="Local time").click()

        assert "GMT+9" in await page.locator("main time").first.inner_text()


async def test_the_pictures_of_the_docs_are_of_these_pages() -> None:
    world, address = await held()
    async with browsing(world, ON_CALL, viewport={"width": 760, "height": 720}) as (page, _):
        await page.goto(address)
        await picture_of(page, "console-incident.png")
        await page.goto("/needs-decision")
        await picture_of(page, "console-first-page.png")
    [incident] = await world.incidents()

    assert incident.status is IncidentStatus.HELD
