"""The HTML of a posture report in a real browser, and the picture of it in the docs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import async_playwright

from bypass_responder.operating.posture.page import page
from bypass_responder.operating.posture.report import Exemption, PostureReport
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import Before, compare
from bypass_responder.posture.mailbox import Bypassed
from bypass_responder.posture.summary import summarize
from tests.console.browser.chromium import FLAGS, PROGRAM, ROOT, needs_chromium, violations
from tests.posture.mailboxes import CASES, a_read, mailbox

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_chromium
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ARCHIVE = "0c0c0c0c-0000-4000-8000-000000000001"
SHOWN = (
    "a user with the default set",
    "a shared mailbox with the default set",
    "the owner does not record reads",
    "the owner's list pinned, equal to the default",
    "AuditEnabled off for a room",
    "a bypassed user",
    "a group with empty lists: the values are not true",
)


def report() -> PostureReport:
    cases = tuple(next(case for case in CASES if case.what == what) for what in SHOWN)
    read = a_read(cases)
    read.read_at = NOW - timedelta(hours=6)
    read.bypassed = [*(read.bypassed or ()), Bypassed(ARCHIVE, None, "svc-archive")]
    before = Before(NOW - timedelta(days=1, hours=6), [mailbox(cases[0], number) for number in range(6)])
    found = compare(read, measures(), watched={"user2@contoso.com"}, before=before)
    numbers = summarize(found)
    trend = [numbers.model_copy(update={"read_at": NOW - timedelta(days=day, hours=6)}) for day in (1, 2)]
    entry = {ARCHIVE: Exemption("CHG-7", NOW + timedelta(days=90))}
    return PostureReport(found, NOW, trend=trend, exemptions=entry)


@pytest.mark.parametrize(("width", "picture"), [(360, False), (1200, True)])
async def test_the_page_is_accessible_and_its_picture_is_in_the_docs(width: int, picture: bool, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(report()), encoding="utf-8")
    written: list[str] = []
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=PROGRAM, args=FLAGS)
        shown = await chromium.new_page(viewport={"width": width, "height": 1100}, bypass_csp=True)
        shown.on("console", lambda message: written.append(message.text))
        await shown.goto(file.as_uri())
        found = await violations(shown)
        too_wide = await shown.evaluate("document.documentElement.scrollWidth > innerWidth")
        if picture:
            await shown.screenshot(path=ROOT / "docs/posture.png")
        await chromium.close()

    assert found + written == []
    assert not too_wide
