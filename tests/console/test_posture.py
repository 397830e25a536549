"""The page of the posture and its twin in the API."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bypass_responder.console.principal import Role
from bypass_responder.operating.posture.answers import keep_read
from bypass_responder.operating.posture.overview import overview_of
from tests.console.visitors import visitor
from tests.operating.posture.scenes import read_of
from tests.posture.mailboxes import CASES, Case
from tests.world import World

BY_NAME = {case.what: case for case in CASES}
SOME = (CASES[2], BY_NAME["the owner does not record reads"], BY_NAME["AuditEnabled off for a room"])


async def shown(*cases: Case, path: str = "/posture", **fields: Any) -> str:
    world = World()
    await keep_read(read_of(world, *cases, **fields), world.services)
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get(path)

    assert answer.status_code == 200
    return answer.text


async def test_before_the_first_read_it_says_so() -> None:
    async with visitor(World(), Role.READ) as browser:
        answer = await browser.get("/posture")

    assert "bypassctl posture compare" in answer.text


async def test_it_shows_what_to_do_and_the_mailboxes() -> None:
    text = await shown(*CASES)

    assert "Needs attention" in text or "PARTIAL READ" in text
    assert "user28@contoso.com" in text


async def test_a_partial_read_is_the_first_thing_to_see() -> None:
    text = await shown(CASES[0], problems=("the worker was throttled",))

    assert text.index("PARTIAL READ") < text.index("the worker was throttled") < text.index("To do")


async def test_the_api_has_the_same() -> None:
    text = await shown(CASES[2], path="/api/v1/posture")

    assert '"state":"Needs attention: 1 pinned."' in text.replace(": {", ":{").replace('": "', '":"')


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("", 3),
        ("?pinned=true", 2),
        ("?type=roommailbox", 1),
        ("?missing=mailitemsaccessed", 2),
        ("?not_audited=true", 1),
        ("?pinned=true&not_audited=true", 0),
        ("?type=EquipmentMailbox", 0),
    ],
)
async def test_the_mailboxes_are_filtered_and_it_says_so(query: str, rows: int) -> None:
    text = await shown(*SOME, path=f"/posture{query}")

    assert text.count('data-label="Audited"') == rows
    assert (f"Filtered: {rows} of the 3 mailboxes" in text) == bool(query)


async def test_the_command_for_all_mailboxes_has_the_same_filter() -> None:
    text = await shown(*SOME, path="/posture?type=UserMailbox&missing=MailItemsAccessed&pinned=true&not_audited=true")

    assert "bypassctl posture report --type UserMailbox --missing MailItemsAccessed --pinned --not-audited" in text


async def test_the_numbers_are_those_of_all_mailboxes_and_the_api_has_the_filter() -> None:
    answer = json.loads(await shown(*SOME, path="/api/v1/posture?pinned=true"))

    assert (answer["overview"]["summary"]["mailboxes"], answer["unfiltered"]) == (3, 3)
    assert (len(answer["overview"]["mailboxes"]), answer["filter"]["pinned"]) == (2, True)


async def test_markup_in_a_filter_is_text() -> None:
    world = World()
    await keep_read(read_of(world, *SOME), world.services)
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get("/posture?missing=%3Cb%3Ex%3C/b%3E")

    assert (answer.status_code, "&lt;b&gt;x&lt;/b&gt;" in answer.text, "<b>x" in answer.text) == (400, True, False)


async def test_markup_in_a_name_is_text() -> None:
    world = World()
    read = read_of(world, CASES[2])
    overview = overview_of(await keep_read(read, world.services))
    line = overview.mailboxes[0].model_copy(update={"name": "<b>x</b>"})
    changed = overview.model_copy(update={"mailboxes": (line,)})
    await world.posture.keep(read.model_copy(update={"overview": changed}))
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get("/posture")

    assert "&lt;b&gt;x&lt;/b&gt;" in answer.text


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
@pytest.mark.parametrize(
    ("query", "hint"),
    [("missing=MailItemAccessed", "MailItemsAccessed"), ("type=SharedMailBoxes", "SharedMailbox")],
)
async def test_a_filter_with_a_typo_is_refused(query: str, hint: str, prefix: str) -> None:
    """Its answer would be that nothing is wrong."""
    world = World()
    await keep_read(read_of(world, *SOME), world.services)
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get(f"{prefix}/posture?{query}")

    assert (answer.status_code, f"Did you mean {hint}?" in answer.text) == (400, True)


@pytest.mark.parametrize(("case", "color"), [(CASES[0], "valid"), (CASES[2], "problem")])
async def test_the_color_of_the_state_follows_what_it_says(case: Case, color: str) -> None:
    clean = await shown(case)
    partial = await shown(case, problems=("the worker was throttled",))

    assert f'<p class="state {color}">' in clean
    assert '<p class="state problem">PARTIAL READ' in partial
