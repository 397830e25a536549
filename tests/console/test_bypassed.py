"""Who is bypassed now: the page, its twin in the API, and what the allowlist's pages say of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.console.principal import Role
from tests.console.visitors import visitor
from tests.operating.allowlist.builders import allowed, swept
from tests.world import ALEX, BLAKE, World, an_account, an_entry

UNKNOWN = "unknown: no complete sweep yet"


async def a_swept_world(*on: str) -> World:
    """ALEX is allowlisted; the second sweep saw these accounts on."""
    world = World(an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))
    await world.allowlist.put(an_entry(ALEX, display_name="alex@contoso.onmicrosoft.com"))
    await world.sweep()
    world.bypassed.update(dict.fromkeys(on, True))
    world.now += timedelta(minutes=15)
    await world.sweep()
    return world


async def page(world: World, path: str) -> str:
    async with visitor(world, Role.READ) as browser:
        return (await browser.get(path)).text


async def test_the_page_names_who_is_bypassed_and_why() -> None:
    world = await a_swept_world(ALEX, BLAKE)
    await world.answer()
    text = await page(world, "/bypassed")

    assert "2 accounts were bypassed in the last complete sweep" in text
    assert text.index("/incidents/") < text.index("journal archive")
    assert f'href="/allowlist/{ALEX}"' in text


async def test_the_api_has_the_same() -> None:
    world = await a_swept_world(ALEX, BLAKE)
    async with visitor(world, Role.READ) as client:
        answer = (await client.get("/api/v1/bypassed")).json()

    assert [each["object_id"] for each in answer["accounts"]] == [BLAKE, ALEX]
    assert (answer["total"], answer["doubt"]) == (2, "")


async def test_the_page_says_that_nobody_is_bypassed() -> None:
    assert "No account is bypassed." in await page(await a_swept_world(), "/bypassed")


async def test_before_the_first_sweep_the_page_says_that_it_is_unknown() -> None:
    text = await page(World(), "/bypassed")

    assert "Who is bypassed now is unknown: no sweep was requested yet" in text
    assert "No account is bypassed." not in text


async def test_an_old_sweep_is_marked_and_what_it_saw_is_shown() -> None:
    world = await a_swept_world(ALEX)
    world.now += timedelta(days=1)
    text = await page(world, "/bypassed")

    assert "Who is bypassed now is unknown: the last complete sweep is older" in text
    assert f'href="/allowlist/{ALEX}"' in text


@pytest.mark.parametrize("path", ["/allowlist", f"/allowlist/{ALEX}", "/allowlist/review?all=true"])
@pytest.mark.parametrize(("on", "says"), [([ALEX], "bypassed now"), ([], "off")])
async def test_the_allowlist_says_whether_the_account_is_bypassed_now(path: str, on: list[str], says: str) -> None:
    text = await page(await a_swept_world(*on), path)

    assert (says in text, UNKNOWN in text) == (True, False)


@pytest.mark.parametrize("path", ["/allowlist", f"/allowlist/{ALEX}", "/allowlist/review?all=true"])
async def test_the_allowlist_says_unknown_since_the_last_current_sweep(path: str) -> None:
    world = await a_swept_world(ALEX)
    world.now += timedelta(days=1)
    text = await page(world, path)

    assert "unknown since <time" in text
    assert "then on" in text


async def test_without_a_sweep_the_allowlist_says_unknown() -> None:
    world = World()
    await world.allowlist.put(an_entry())

    assert UNKNOWN in await page(world, "/allowlist")


@pytest.mark.parametrize(("days", "unused"), [(31, True), (29, False)])
@pytest.mark.parametrize("path", ["/allowlist", f"/allowlist/{ALEX}"])
async def test_an_entry_that_was_off_for_30_days_is_marked(path: str, days: int, unused: bool) -> None:
    world = World()
    await allowed(world)
    world.now += timedelta(days=days)
    swept(world)

    assert ("badge unused" in await page(world, path)) == unused
