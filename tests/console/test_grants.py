"""The page of permissions that were granted and removed, and its twin in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bypass_responder.console.principal import Role
from tests.console.visitors import visitor
from tests.tampering.test_permissions import EVE, a_change
from tests.world import START, World

DAY = timedelta(days=1)


async def shown(path: str, **fields: Any) -> tuple[int, str]:
    world = World()
    changes = [a_change(granted=granted, at=START - days * DAY, **fields) for granted, days in ((True, 3), (False, 2))]
    await world.permissions.note(changes)
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get(path)
    return answer.status_code, answer.text


async def test_the_page_has_what_was_given_for_a_while_first() -> None:
    _, text = await shown("/posture/grants")

    assert text.index("removed within 7 days") < text.index(EVE) < text.index("Granted and removed")


async def test_the_api_has_the_same() -> None:
    _, text = await shown("/api/v1/posture/grants?days=1")

    assert ('"changes":[]' in text, '"removed":[]' in text) == (True, True)


async def test_markup_in_a_name_is_text() -> None:
    _, text = await shown("/posture/grants", target="<b>x</b>")

    assert "&lt;b&gt;x&lt;/b&gt;" in text


async def test_too_many_days_are_refused() -> None:
    status, _ = await shown("/posture/grants?days=31")

    assert status == 400


async def test_what_waits_for_its_comparison_is_said_to_be_missing() -> None:
    world = World()
    await world.permissions.defer([a_change(granted=True, at=START)], START)
    async with visitor(world, Role.READ) as browser:
        text = (await browser.get("/posture/grants")).text

    assert "not compared yet" in text
    assert "None of those that are listed." in text
