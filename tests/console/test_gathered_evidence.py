"""The evidence from other sources on the page of an incident, and in its report."""

from __future__ import annotations

import io
import zipfile

from bypass_responder.console.principal import Role
from bypass_responder.model.question import Found, Item, Unavailable
from bypass_responder.triggers.gather_evidence import gather_evidence
from tests.console.visitors import visitor
from tests.fakes import FakeSource
from tests.operating.incidents import scenes
from tests.world import START, World

RULE = Item(at=START, what="inbox rule", detail={"sends to": "<b>drop</b>@example.net"}, notable="sends mail away")


async def gathered() -> tuple[World, str]:
    """ALEX is contained; one source found a rule, one has no license, and one fails.

    The other sources have no adapter.
    """
    world = await scenes.contained()
    world.sources["inbox_rules"] = FakeSource(Found(count=60, items=(RULE,), raw=({"id": 1},)))
    world.sources["sign_ins"] = FakeSource(Unavailable(reason="no license", fix="Entra ID P1"))
    world.sources["ediscovery"] = FakeSource(KeyError("value"))
    await gather_evidence(world.services)
    [incident] = await world.incidents()
    return world, incident.id


async def test_the_page_shows_each_answer_and_escapes_it() -> None:
    world, incident_id = await gathered()
    async with visitor(world, Role.READ) as browser:
        page = (await browser.get(f"/incidents/{incident_id}")).text

    assert "sends mail away" in page
    assert "&lt;b&gt;drop&lt;/b&gt;@example.net" in page
    assert "Unavailable: no license" in page
    assert "It is being asked. The last try failed" in page


async def test_the_report_shows_each_answer_and_escapes_it() -> None:
    world, incident_id = await gathered()
    async with visitor(world, Role.READ) as browser:
        answer = await browser.get(f"/incidents/{incident_id}/report")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        report = archive.read(f"incident-{incident_id}/report.html").decode()

    assert "&lt;b&gt;drop&lt;/b&gt;@example.net" in report
    assert "Unavailable: no license Entra ID P1 By hand: Entra admin center" in report
