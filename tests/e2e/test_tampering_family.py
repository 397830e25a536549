"""The tampering family through the real adapters: Azurite and the stand-in tenant's feed."""

from __future__ import annotations

import pytest

from bypass_responder.model.health import Tampering
from bypass_responder.model.technique import Technique
from bypass_responder.operating.incidents.view import read_incident
from sandbox.azurite import missing
from sandbox.tenant.tampering import TAMPERING
from tests.e2e.ctl import bypassctl_program
from tests.e2e.live import Live

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
LAST = "ingestion-off"
"""No record comes after it."""


async def attacked(live: Live, *scenarios: str) -> Live:
    """Each scenario is staged after the first start, and read from the feed."""
    await live.first_start()
    for scenario in scenarios:
        live.attack(scenario)
    await live.runs()
    return live


async def test_every_attack_of_the_sandbox_is_stored_and_notified_and_changes_nothing(live: Live) -> None:
    await attacked(live, *sorted({*TAMPERING} - {LAST, "many-ways"}), LAST)

    assert {row.technique for row in await live.rows(Tampering)} == set(Technique)
    assert "tampering" in await live.told()
    assert live.changed() == set()


async def test_one_actor_in_several_ways_is_one_story(live: Live) -> None:
    await attacked(live, "many-ways")
    incident = await live.incident()
    view = await read_incident(incident.id, live.responder.services)
    said = bypassctl_program(live.cli_env, "incidents", "show", incident.id)

    assert {each.technique for each in view.tampering} == {
        Technique.PRECURSOR,
        Technique.ACTION_LIST,
        Technique.AGE_LIMIT,
    }
    assert "Other tampering by the actors" in said.out


async def test_status_shows_what_was_done_and_how_it_is_undone(live: Live) -> None:
    await attacked(live, "role-group")
    said = bypassctl_program(live.cli_env, "status", "-o", "json")

    assert '"technique": "precursor"' in said.out
