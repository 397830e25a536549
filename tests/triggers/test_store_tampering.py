"""Each row of the family through the feed and through an alert: stored and notified once, and nobody is blocked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bypass_responder.model.change import Outcome
from bypass_responder.model.finding import Source
from bypass_responder.model.health import Tampering
from bypass_responder.model.notification import Notification
from bypass_responder.model.technique import SWITCHES, Technique
from bypass_responder.tampering.family import FAMILY as TABLE
from bypass_responder.triggers.receive_alert import receive_alert
from tests.sensing.builders import Json
from tests.tampering.family import ALEX, FAMILY, WORKER_ID, Fixtures, ran
from tests.triggers.test_hunt_audit_events import hunts, polls, started
from tests.triggers.test_store_records import polled
from tests.world import START, TENANT, World

OTHER_TENANT = "22222222-2222-4222-8222-222222222222"
ROWS = pytest.mark.parametrize(("technique", "rows"), FAMILY.items(), ids=FAMILY)


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


def mailboxes(number: int) -> list[Json]:
    """A script takes an action out of the list of so many mailboxes."""
    records = [ran("Set-Mailbox", f"m{n}", Identity=f"m{n}", AuditOwner="-Update") for n in range(number)]
    return [ours(record, Id=f"r{n}") for n, record in enumerate(records)]


async def alerted(world: World, *records: Json) -> World:
    event = {"specversion": "1.0", "id": "e1", "source": "/siem", "type": "t", "data": list(records)}
    await receive_alert(json.dumps(event).encode(), world.services)
    await world.passes(minutes=1)
    return world


@ROWS
async def test_the_feed_stores_it_and_notifies_of_it_once(technique: Technique, rows: Fixtures) -> None:
    record = ours(rows.positive)
    world = await polled(record, record)
    await polled(record, world=world)
    [row], [sent] = await stored(world), notified(world)

    assert (row.technique, row.source, row.took_effect) == (technique, Source.FEED, True)
    assert sent.severity is TABLE[technique].severity
    assert all(world.directory.enabled.values())


@ROWS
async def test_the_feed_says_nothing_of_what_weakens_nothing(technique: Technique, rows: Fixtures) -> None:
    world = await polled(ours(rows.negative), ours(rows.decoy, Id="decoy"))

    assert [row.weakens for row in await stored(world)] == [False] * (technique in SWITCHES)
    assert world.notifier.sent == []
    assert not world.feed_store.kept


@ROWS
async def test_the_feed_keeps_a_failed_attempt_without_a_notification(technique: Technique, rows: Fixtures) -> None:
    world = await polled(ours(rows.failed))

    assert [(row.technique, row.outcome) for row in await stored(world)] == [(technique, Outcome.FAILED)]
    assert notified(world) == []


@ROWS
async def test_hunting_stores_it_and_the_feed_adds_nothing(technique: Technique, rows: Fixtures) -> None:
    world = await started()
    record = ours(rows.positive, CreationTime="2026-03-02T09:05:00")
    await hunts(world, record)
    await polls(world, record)
    [row], [_] = await stored(world), notified(world)

    assert (row.technique, row.source) == (technique, Source.HUNTING)


@ROWS
async def test_hunting_says_nothing_of_what_weakens_nothing_or_failed(technique: Technique, rows: Fixtures) -> None:
    world = await started()
    odd = {"decoy": rows.decoy, "negative": rows.negative, "failed": rows.failed}
    await hunts(world, *(ours(each, Id=name, CreationTime="2026-03-02T09:05:00") for name, each in odd.items()))

    assert [row.took_effect for row in await stored(world)] == [False] * (1 + (technique in SWITCHES))
    assert notified(world) == []


@ROWS
async def test_an_alert_stores_it_as_not_confirmed(technique: Technique, rows: Fixtures) -> None:
    world = await alerted(World(), ours(rows.positive))
    [row], [sent] = await stored(world), notified(world)

    assert (row.technique, row.source) == (technique, Source.HINT)
    assert sent.text.startswith("Not confirmed, an alert reports it. ")


@ROWS
async def test_an_alert_of_a_decoy_or_of_what_weakens_nothing_notifies_of_no_tampering(
    technique: Technique, rows: Fixtures
) -> None:
    world = await alerted(await alerted(World(), ours(rows.negative)), ours(rows.decoy))

    assert notified(world) == []


@ROWS
async def test_an_alert_of_a_failed_attempt_notifies_of_no_tampering(technique: Technique, rows: Fixtures) -> None:
    assert notified(await alerted(World(), ours(rows.failed))) == []


async def test_the_record_confirms_what_an_alert_reported_without_a_second_notification() -> None:
    record = ours(FAMILY[Technique.PRECURSOR].positive)
    world = await polled(record, world=await alerted(World(), record))

    assert [row.source for row in await stored(world)] == [Source.FEED]
    assert len(notified(world)) == 1


async def test_an_alert_after_the_record_changes_nothing() -> None:
    record = ours(FAMILY[Technique.PRECURSOR].positive)
    world = await alerted(await polled(record), record)

    assert [row.source for row in await stored(world)] == [Source.FEED]


async def test_tampering_and_a_bypass_in_one_alert_are_both_taken() -> None:
    world = World()
    await world.sweep()
    bypass = ours(ran("Set-MailboxAuditBypassAssociation", ALEX, AuditBypassEnabled="True", Identity=ALEX), Id="bypass")
    await alerted(world, bypass, ours(FAMILY[Technique.ACTION_LIST].positive))

    assert len(world.exchange.sent) == 1
    assert len(await stored(world)) == 1


async def test_a_script_over_many_mailboxes_is_recorded_whole_and_notified_a_few_times() -> None:
    world = await polled(*mailboxes(50))

    assert len(await stored(world)) == 50
    assert len(notified(world)) == 6
    assert "A mailbox is audited less: more than 5 in a day" in [each.title for each in notified(world)]


async def test_another_technique_is_notified_all_the_same() -> None:
    world = await polled(*mailboxes(50), ours(FAMILY[Technique.PRECURSOR].positive))

    assert "The right to set bypasses was given: Tools" in [each.title for each in notified(world)]


async def test_our_own_worker_in_its_role_group_is_nothing() -> None:
    world = World(exchange_worker_ids=WORKER_ID)
    record = ours(ran("Add-RoleGroupMember", Identity="Mailbox Audit Bypass Responder", Member=WORKER_ID))
    await polled(record, world=world)

    assert await stored(world) == []


async def test_a_record_of_another_tenant_is_kept_and_not_stored() -> None:
    world = await polled(ours(FAMILY[Technique.LICENSE].positive, OrganizationId=OTHER_TENANT))

    assert [item.reason for item in world.feed_store.kept] == ["other_tenant"]
    assert await stored(world) == []


async def test_a_broken_record_of_the_family_is_kept_and_hides_no_bypass() -> None:
    world = await polled(ours(FAMILY[Technique.PRECURSOR].positive, Parameters=17))

    assert [(item.reason, item.names_cmdlet) for item in world.feed_store.kept] == [("wrong_type", False)]
    assert notified(world) == []
