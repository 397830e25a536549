"""One record through each sensor: what is recorded of it, and what of it people are notified."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import typer
from typer.testing import CliRunner

from bypass_responder.cli.detect import detect
from bypass_responder.model.finding import Source
from bypass_responder.model.health import Tampering
from bypass_responder.model.notification import Notification
from bypass_responder.triggers.receive_alert import receive_alert
from tests.sensing.builders import Json
from tests.triggers.test_hunt_audit_events import hunts, started
from tests.triggers.test_store_records import polled
from tests.world import ALEX, START, TENANT, World

BYPASS = "bypass"
"""In place of a technique: the account was contained."""


class Seen(NamedTuple):
    """What came of a record. ``recorded``: technique, whether it took effect, and which source it is of."""

    recorded: list[tuple[str, bool, str]]
    notified: list[str]
    others: list[str]
    """What else people were notified about."""
    blocked: bool = False


def ours(record: Json, **fields: Any) -> Json:
    """The record of this tenant, of five minutes ago."""
    return record | {"OrganizationId": TENANT, "CreationTime": "2026-03-02T08:55:00"} | fields


async def stored(world: World) -> list[Tampering]:
    case = await world.ledger.tampering(
        "tenant", since=START.replace(year=2000), until=START.replace(year=2100), limit=99
    )
    return case.rows(Tampering)


def notified(world: World) -> list[Notification]:
    return [each for each in world.notifier.sent if each.about == "tampering"]


async def alerted(world: World, *records: Json) -> World:
    event = {"specversion": "1.0", "id": "e1", "source": "/siem", "type": "t", "data": list(records)}
    await receive_alert(json.dumps(event).encode(), world.services)
    await world.passes(minutes=1)
    return world


async def by_feed(record: Json, *, is_on: bool) -> Seen:
    del is_on
    world = await polled(ours(record), ours(record))
    assert not world.feed_store.kept
    return await _seen(world)


async def by_hunting(record: Json, *, is_on: bool) -> Seen:
    del is_on
    world = await started()
    await hunts(world, ours(record, CreationTime="2026-03-02T09:05:00"))
    return await _seen(world)


async def by_alert(record: Json, *, is_on: bool) -> Seen:
    """Exchange is asked whether a bypass is on."""
    world = World()
    await world.sweep()
    world.bypassed[ALEX] = is_on
    await alerted(world, ours(record))
    await world.answer()
    return await _seen(world)


async def by_detect(record: Json, *, is_on: bool) -> Seen:
    """Offline, ``bypassctl detect --family`` prints what took effect; a bypass with its value."""
    del is_on
    app = typer.Typer()
    app.command()(detect)
    with TemporaryDirectory() as folder:
        export = Path(folder) / "export.json"
        export.write_text(json.dumps([record, record]), encoding="utf-8")
        result = CliRunner().invoke(app, ["--family", "--output", "json", str(export)])
    found = [json.loads(line) for line in result.stdout.splitlines()]
    tampering = [each["technique"] for each in found if each["kind"] == "tampering"]
    blocked = [each["kind"] for each in found] == ["on"]
    return Seen([(each, True, "detect") for each in tampering], tampering, [], blocked)


async def _seen(world: World) -> Seen:
    rows, sent = await stored(world), notified(world)
    return Seen(
        [(row.technique, row.took_effect, row.source) for row in rows],
        [str(each.facts["technique"]) for each in sent],
        [each.about for each in world.notifier.sent if each.about != "tampering"],
        not all(world.directory.enabled.values()),
    )


Sensor = Callable[..., Awaitable[Seen]]
SENSORS: dict[str, Sensor] = {
    Source.FEED.value: by_feed,
    Source.HUNTING.value: by_hunting,
    Source.HINT.value: by_alert,
    "detect": by_detect,
}
"""By the name with which each records its findings."""
