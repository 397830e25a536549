"""The download of a report, and its twin in the API."""

from __future__ import annotations

import io
import json
import zipfile

from bypass_responder.console.principal import Role
from tests.console.visitors import NAME, visitor
from tests.operating.incidents import scenes
from tests.world import World


async def test_the_files_are_downloaded_as_a_zip() -> None:
    world = await scenes.contained()
    [incident] = await world.incidents()
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get(f"/incidents/{incident.id}/report")

    assert answer.headers["content-disposition"] == f'attachment; filename="incident-{incident.id}.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read(f"incident-{incident.id}/report.json"))["made_by"] == NAME


async def test_the_api_returns_the_same_report() -> None:
    world = await scenes.contained()
    [incident] = await world.incidents()
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get(f"/api/v1/incidents/{incident.id}/report")

    assert (answer.json()["incident"]["id"], answer.json()["verification"]) == (incident.id, None)


async def test_an_unknown_incident_is_not_found() -> None:
    async with visitor(World(), Role.READ) as browser:
        answer = await browser.get("/incidents/nothing/report")

    assert answer.status_code == 404
