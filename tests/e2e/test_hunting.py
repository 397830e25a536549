"""The hunting sensor on the real adapters, before the feed has the same record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.operating.incidents.read_view import read_incident
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET

if TYPE_CHECKING:
    from tests.e2e.conftest import Start

MINUTE, HOUR = 60, 3600


async def test_hunting_first_and_the_feed_an_hour_later_are_one_incident_with_both_delays(start: Start) -> None:
    live = await start()
    live.tenant.identities[RESPONDER_SECRET].roles[GRAPH].append("ThreatHunting.Read.All")
    live.tenant.settings.hunting_delay_seconds = 0
    await live.first_start()
    await live.responder.hunt_audit_events()
    live.bypassed("alex", ago=timedelta(seconds=-MINUTE))
    live.ahead += timedelta(seconds=5 * MINUTE)
    await live.responder.hunt_audit_events()
    await live.work()
    hunted = await live.incident()
    live.ahead += timedelta(seconds=HOUR)
    await live.poll()

    assert (await live.incident()).id == hunted.id
    assert live.account("alex")["account_enabled"] is False
    view = await read_incident(hunted.id, live.responder.services)
    late = {row.source: row.delay_seconds for row in view.timeline if row.delay_seconds is not None}
    assert late["hunting"] < 6 * MINUTE < HOUR < late["feed"]
