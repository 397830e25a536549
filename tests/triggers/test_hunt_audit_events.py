"""A record from hunting is treated like one from the feed: in either order, it is one incident."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import PermissionMissingError, TransientError
from bypass_responder.model.feed import ContentBlob
from bypass_responder.model.finding import Finding, Source
from bypass_responder.operating.incidents.read_view import read_incident
from bypass_responder.operating.status import read_status
from bypass_responder.triggers.hunt_audit_events import hunt_audit_events
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from tests.sensing.builders import named
from tests.triggers.test_store_records import a_record
from tests.world import ALEX, START, World

MINUTE = timedelta(minutes=1)
REFUSED = PermissionMissingError("403.", permission="ThreatHunting.Read.All")


async def started() -> World:
    """A world whose first poll and first run of the hunting sensor are behind it, ten minutes later."""
    world = World()
    await poll_audit_feed(world.services)
    await hunt_audit_events(world.services)
    world.now += 10 * MINUTE
    return world


def bypass(**fields: Any) -> dict[str, Any]:
    return a_record(CreationTime=f"{START + 5 * MINUTE:%Y-%m-%dT%H:%M:%S}", **fields)


async def hunts(world: World, *records: dict[str, Any]) -> None:
    for record in records:
        world.hunting.add(record)
    await hunt_audit_events(world.services)
    await world.sends()


async def polls(world: World, *records: dict[str, Any]) -> None:
    blob = ContentBlob(content_id="blob", uri="", created=world.now, expires=world.now + timedelta(days=7))
    world.feed.publish(blob, json.dumps(records).encode())
    world.now += MINUTE
    await poll_audit_feed(world.services)
    await world.sends()


async def test_a_record_that_hunting_brings_contains_the_account() -> None:
    world = await started()
    await hunts(world, bypass())

    assert not world.directory.enabled[ALEX]


async def test_its_finding_names_the_sensor() -> None:
    world = await started()
    await hunts(world, bypass())

    assert [row.source for row in (await world.case()).rows(Finding)] == [Source.HUNTING]


async def test_the_same_attack_in_the_feed_an_hour_later_is_one_incident_with_both_delays() -> None:
    world = await started()
    await hunts(world, bypass())
    world.now += timedelta(hours=1)
    await polls(world, bypass())

    [incident] = await world.incidents()
    view = await read_incident(incident.id, world.services)
    late = {row.source: row.delay_seconds for row in view.timeline if row.delay_seconds is not None}
    assert (late["hunting"], late["feed"]) == (5 * 60, 66 * 60)


async def test_the_same_attack_in_hunting_after_the_feed_changes_nothing() -> None:
    world = await started()
    await polls(world, bypass())
    before = await world.case()
    await hunts(world, bypass())

    assert (await world.case()).by_key == before.by_key


async def test_a_row_is_handled_once() -> None:
    world = await started()
    await hunts(world, bypass(OrganizationId="22222222-2222-4222-8222-222222222222"))
    stored = world.ledger.calls.count(("add_finding", ALEX))
    world.now += 5 * MINUTE
    world.feed_store.fail("keep_unreadable", AssertionError("it is handled again"), always=True)
    await hunts(world)

    assert world.ledger.calls.count(("add_finding", ALEX)) == stored


async def test_a_run_that_fails_before_the_end_is_repeated_without_harm() -> None:
    world = await started()
    world.hunting_store.fail("note", TransientError("no answer"))
    with pytest.raises(TransientError):
        await hunts(world, bypass())
    world.now += 5 * MINUTE
    await hunts(world)

    assert len(await world.incidents()) == 1
    assert len(world.hunting_store.noted) == 1


async def test_an_event_from_before_the_first_start_is_left_to_the_feed() -> None:
    world = await started()
    await hunts(world, a_record())

    assert await world.incidents() == []


async def test_before_the_first_poll_nothing_is_asked() -> None:
    world = World()
    await hunt_audit_events(world.services)

    assert world.hunting.windows == []


async def test_tampering_that_hunting_brings_is_kept() -> None:
    world = await started()
    off = {"Operation": "Set-OrganizationConfig", "Parameters": named(AuditDisabled="True")}
    await hunts(world, bypass(**off))

    rows = (await read_status(world.services)).tampering
    assert [(row.parameter, row.source) for row in rows] == [("AuditDisabled", Source.HUNTING)]


async def test_an_unreadable_row_that_names_the_cmdlet_asks_for_a_sweep() -> None:
    world = await started()
    record = bypass()
    world.hunting.add(record)
    world.hunting.table[-1][2]["RawEventData"] = json.dumps(record)[:-9]
    await hunts(world)
    await world.passes(minutes=1)

    assert len(world.sweeps_asked) == 1
    assert [item.names_cmdlet for item in world.feed_store.kept] == [True]


async def test_without_the_permission_the_sensor_is_off_and_no_alert_is_raised() -> None:
    world = World()
    await poll_audit_feed(world.services)
    world.hunting.fail("run", REFUSED, always=True)
    await hunt_audit_events(world.services)

    assert world.hunting_store.saved.off_because == str(REFUSED)
    assert await world.alerts() == set()


async def test_a_sensor_that_is_off_asks_again_after_an_hour() -> None:
    world = World()
    await poll_audit_feed(world.services)
    world.hunting.fail("run", REFUSED, always=True)
    for _ in range(13):
        await hunt_audit_events(world.services)
        world.now += 5 * MINUTE

    assert [call for call, _ in world.hunting.calls] == ["run", "run"]


async def test_a_permission_that_is_taken_away_is_critical_until_it_is_back() -> None:
    world = await started()
    world.hunting.fail("run", REFUSED)
    await hunts(world)
    lost = await world.alerts()
    world.now += timedelta(hours=1)
    await hunts(world)

    assert ("hunting_lost" in lost, await world.alerts()) == (True, set())


async def test_a_feed_without_hunting_notes_its_own_arrivals() -> None:
    world = await started()
    await polls(world, bypass())

    assert [each.sensor for each in world.hunting_store.noted.values()] == ["feed"]


SWITCHES = {"on": "True", "off": "False", "unknown": None}
OUTCOMES = {"success": "True", "failed": "False", "unknown": None}
SAID = list(itertools.product(SWITCHES, OUTCOMES))


def a_copy(switch: str, outcome: str) -> dict[str, Any]:
    """A copy of the record that says this, and leaves out what is unknown."""
    record = bypass()
    value = SWITCHES[switch]
    named = [each for each in record["Parameters"] if each["Name"] != "AuditBypassEnabled"]
    given = [{"Name": "AuditBypassEnabled", "Value": value}] if value else []
    return record | {"Parameters": named + given, "ResultStatus": OUTCOMES[outcome]}


def proves(*copies: tuple[str, str]) -> bool:
    """One copy says on and success, or they agree on it together."""
    switches, outcomes = ({each[part] for each in copies} - {"unknown"} for part in (0, 1))
    return ("on", "success") in copies or (switches, outcomes) == ({"on"}, {"success"})


@pytest.mark.parametrize("second", SAID, ids="-".join)
@pytest.mark.parametrize("first", SAID, ids="-".join)
async def test_what_the_copies_of_a_record_prove_together_contains_the_account(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    world = await started()
    world.bypassed = {}
    await hunts(world, a_copy(*first))
    await world.answer()
    world.now += timedelta(hours=1)
    await polls(world, a_copy(*second))
    await world.answer()
    await world.passes(minutes=5)

    assert world.directory.enabled[ALEX] is not proves(first, second)


async def test_the_timeline_has_both_delays_although_the_first_copy_said_less() -> None:
    world = await started()
    await hunts(world, a_copy("on", "unknown"))
    world.now += timedelta(hours=1)
    await polls(world, bypass())

    [incident] = await world.incidents()
    view = await read_incident(incident.id, world.services)
    assert {row.source for row in view.timeline if row.delay_seconds is not None} == {"hunting", "feed"}


async def test_a_row_whose_id_is_no_lower_case_guid_is_handled_once() -> None:
    world = await started()
    await hunts(world, bypass(Id="1C0F2D3E-0000-4000-8000-0000000000AA"))
    world.now += 10 * MINUTE
    run = await hunt_audit_events(world.services)

    assert run is not None
    assert not run.rows
