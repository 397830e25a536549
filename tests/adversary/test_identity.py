"""Who an account is: names are moved, dropped and decorated by attackers; object ids are not."""

from __future__ import annotations

import pytest

from bypass_responder.adapters import graph
from tests.adversary.scenes import BLAKE_UPN, a_world, hours_pass, minutes_pass, problems_of
from tests.world import ALEX, BLAKE, TENANT, World, a_finding, some_settings


@pytest.mark.parametrize("object_id_text", ["Jo North", ""])
async def test_a_person_who_was_given_the_attackers_names_is_not_blocked(object_id_text: str) -> None:
    """The record has only names, and Exchange says *off* for the account that has them now."""
    world = World()
    world.names |= {"jo north": [BLAKE], BLAKE_UPN: [BLAKE]}
    await world.sees(a_finding(object_id_text=object_id_text, identity_text=BLAKE_UPN))
    await world.answer()
    await world.answer()

    assert world.directory.enabled[BLAKE] is True


async def test_a_known_object_id_beside_a_name_that_nobody_knows_is_asked_of_exchange() -> None:
    """An alias that the attacker typed and then removed does not make the record ambiguous."""
    world = a_world()
    await world.sees(a_finding(identity_text="throw-away@contoso.com"))
    await world.answer()
    await hours_pass(world, 2)

    assert world.bypassed[ALEX] is False


async def test_a_broken_display_name_does_not_hide_its_owner() -> None:
    """Half a surrogate pair in Graph's answer does not keep the incident that quotes it from being written."""
    body = {"id": ALEX, "userPrincipalName": "alex@contoso.onmicrosoft.com", "displayName": "Eve \ud83d"}
    world = World(graph._account(body | {"accountEnabled": True}))
    world.bypassed[ALEX] = True
    await problems_of(world.sees(a_finding()))
    await minutes_pass(world, 5)

    assert world.directory.enabled[ALEX] is False


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1.evil.example", "http://localhost.evil.example/x", "http://127.0.0.1@evil.example"]
)
def test_plain_http_to_a_host_that_only_looks_like_loopback_is_refused(url: str) -> None:
    """The setting checks which host the text names, not how it begins."""
    with pytest.raises(ValueError, match="graph_url"):
        some_settings(tenant_id=TENANT, graph_url=url)
