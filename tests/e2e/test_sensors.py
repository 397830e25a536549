"""Alerts and sweeps through the real adapters.

They run on Azurite, the stand-in tenant, msgraph-sdk and azure-identity.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bypass_responder.model.finding import Finding, Source
from bypass_responder.model.incident import Incident
from sandbox.azurite import missing
from tests.e2e.conftest import Start
from tests.e2e.live import ALL_HELD, CONTAINED, Live, all_of

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"{missing()}")
OTHER_TENANT = "22222222-2222-4222-8222-222222222222"
FORGED = (30, pytest.param(500, marks=pytest.mark.slow))
"""Each kind twice in every run, five hundred in the long one."""


@pytest.fixture
async def swept(start: Start) -> Live:
    """A responder whose first poll and first complete sweep, of nobody, lie behind."""
    live = await start()
    await live.first_start()
    await live.sweep()
    return live


async def goes_on(live: Live) -> None:
    """Everything that happens automatically within half a minute."""
    for _ in range(3):
        while await live.work():
            pass
        await live.passes(seconds=10)


def switch(live: Live, alias: str, *, on: bool) -> None:
    """Somebody changes the bypass, and no record of it ever comes."""
    account = live.tenant.find(f"{alias}@{live.tenant.settings.domain}")
    assert account is not None
    live.tenant.change(account, "audit_bypass_enabled", on, by="attacker")


async def test_a_hint_that_exchange_confirms_is_contained(swept: Live) -> None:
    switch(swept, "alex", on=True)
    await swept.says("alex")
    await goes_on(swept)

    assert [ending.steps for ending in await swept.endings()] == [CONTAINED]
    assert swept.changed() == all_of("alex")


async def test_a_hint_before_the_first_complete_sweep_is_held(live: Live) -> None:
    switch(live, "alex", on=True)
    await live.says("alex")
    await goes_on(live)

    assert [ending.steps for ending in await live.endings()] == [ALL_HELD]
    assert live.changed() == set()


async def test_what_the_first_sweep_finds_is_held(start: Start) -> None:
    live = await start()
    switch(live, "alex", on=True)
    await live.sweep()
    await goes_on(live)

    assert [ending.steps for ending in await live.endings()] == [ALL_HELD]
    assert live.changed() == set()


async def test_a_feed_that_was_switched_off_first_does_not_hide_what_the_sweep_finds(swept: Live) -> None:
    swept.client.subscription("disabled")
    swept.ahead += swept.ahead.resolution
    await swept.poll()
    before = await swept.alerts()
    switch(swept, "alex", on=True)
    await swept.sweep()
    await goes_on(swept)

    assert "subscription_disabled" in before
    assert [ending.steps for ending in await swept.endings()] == [CONTAINED]


async def test_one_episode_of_three_sensors_is_one_incident(swept: Live) -> None:
    began = datetime.now(UTC)
    switch(swept, "alex", on=True)
    await swept.says("alex")
    await swept.sweep()
    await goes_on(swept)
    swept.bypassed("alex", ago=datetime.now(UTC) - began, on=False)
    await swept.runs()
    incident = await swept.incident()
    sources = {row.source for row in await swept.rows(Finding) if row.id in incident.evidence}

    assert sources == {Source.HINT, Source.SWEEP, Source.FEED}
    assert incident.blind_from_proven


def spoilt(content: bytes) -> bytes:
    return content.replace(b"user", b"else").replace(b"scanned", b"scanmed")


@pytest.mark.parametrize("spoil", [{"change": spoilt}, {"scanned": 1}, {"complete": False}, {"outcome": "failed"}])
async def test_a_spoilt_answer_contains_nobody_and_forgets_nobody(swept: Live, spoil: dict[str, Any]) -> None:
    before = await swept.responder.services.sweeps.baseline()
    switch(swept, "alex", on=True)
    await swept.sweep(**spoil)
    await goes_on(swept)

    assert await swept.rows(Incident) == []
    assert await swept.responder.services.sweeps.baseline() == before
    assert "sweep_incomplete" in await swept.alerts()


async def test_an_answer_that_comes_twice_is_read_once(swept: Live) -> None:
    switch(swept, "alex", on=True)
    await swept.sweep()
    await swept.responder.record_exchange_result(swept.answered)
    await goes_on(swept)

    assert len(await swept.rows(Incident)) == 1


def forged(live: Live) -> list[object]:
    """What somebody with a stolen key of the topic may send: no two alike, nothing true."""
    own, domain = live.env["TENANT_ID"], live.tenant.settings.domain
    return [
        {"tenantId": OTHER_TENANT, "target": f"alex@{domain}"},
        {"tenantId": own, "target": f"alex@{domain}"},
        {"tenantId": own, "target": f"nobody@{domain}"},
        {"tenantId": own, "target": f"break-glass@{domain}"},
        {"tenantId": own, "target": [f"alex@{domain}"] * 1000},
        {"tenantId": own, "target": "<script>alert(1)</script>"},
        {"tenantId": own, "target": "x" * 1_000_000},
        {"tenantId": own, "target": 17},
        {"tenantId": own},
        {"schema": 99, "what": "ever"},
        "not an object",
        None,
        [],
        [{"tenantId": own, "target": f"alex@{domain}"}] * 1000,
        {"Operation": "Set-MailboxAuditBypassAssociation", "OrganizationId": OTHER_TENANT},
    ]


@pytest.mark.parametrize("alerts", FORGED)
async def test_forged_alerts_contain_nobody_and_all_are_kept_and_shown(swept: Live, alerts: int) -> None:
    kinds = forged(swept)
    for number in range(alerts):
        await swept.hint(kinds[number % len(kinds)], source=f"/forged/{number}")
    for _ in range(4):
        await goes_on(swept)
        await swept.passes(seconds=3700)
    hints = [row for row in await swept.rows(Finding) if row.source is Source.HINT]
    unreadable = await swept.responder.services.feed_store.unreadable(1000)
    listed = [entry async for entry in swept.responder.services.index.newest(kinds=("unconfirmed",))]

    assert await swept.rows(Incident) == []
    assert swept.changed() == set()
    assert len({row.id for row in hints}) + len(unreadable) == alerts
    assert {row.verdict for row in hints} <= {"unconfirmed", "resolved"}
    assert len(listed) == len({row.id for row in hints})


@pytest.mark.parametrize("body", [b"", b"\xff", b"[" * 100_000, b"{}", json.dumps({"data": 1}).encode()])
async def test_what_is_no_event_is_kept_and_raises_nothing(swept: Live, body: bytes) -> None:
    await swept.responder.receive_alert(body)

    assert len(await swept.responder.services.feed_store.unreadable(10)) == 1
