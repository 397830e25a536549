"""The page of missing records: what is known of an account, and that nothing is."""

from __future__ import annotations

from bypass_responder.console.principal import Role
from tests.console.test_bypassed import a_swept_world, page
from tests.console.visitors import visitor
from tests.world import ALEX, BLAKE


async def test_an_account_without_a_time_is_named_beside_those_of_others() -> None:
    """A name with a typing mistake would look like one whose records are complete."""
    world = await a_swept_world(BLAKE)
    await world.answer()
    text = await page(world, f"/windows?account={ALEX}")

    assert f"No times without records are known for {ALEX} itself." in text
    assert "blake@contoso.onmicrosoft.com" in text


async def test_before_the_first_incident_no_time_is_known() -> None:
    world = await a_swept_world()
    async with visitor(world, Role.READ) as browser:
        text = (await browser.get("/windows")).text

    assert "No times without records are known for any account." in text
