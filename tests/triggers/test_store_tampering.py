"""A change of the family is stored and notified once, whichever sensors report it how often."""

from __future__ import annotations

import pytest

from bypass_responder.model.finding import Source
from bypass_responder.model.notification import Severity
from bypass_responder.model.technique import Technique
from bypass_responder.tampering.family import FAMILY as TABLE
from tests.sensing.builders import Json, named
from tests.tampering.family import ALEX, FAMILY, WORKER_ID, Fixtures, ran
from tests.tampering.sensors import alerted, notified, ours, stored
from tests.triggers.test_hunt_audit_events import hunts, polls, started
from tests.triggers.test_store_records import polled
from tests.world import World

OTHER_TENANT = "22222222-2222-4222-8222-222222222222"
ROWS = pytest.mark.parametrize(("technique", "rows"), FAMILY.items(), ids=FAMILY)


def mailboxes(number: int) -> list[Json]:
    """A script takes an action out of the list of so many mailboxes."""
    records = [ran("Set-Mailbox", f"m{n}", Identity=f"m{n}", AuditOwner="-Update") for n in range(number)]
    return [ours(record, Id=f"r{n}") for n, record in enumerate(records)]


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
async def test_hunting_stores_it_and_the_feed_adds_nothing(technique: Technique, rows: Fixtures) -> None:
    world = await started()
    record = ours(rows.positive, CreationTime="2026-03-02T09:05:00")
    await hunts(world, record)
    await polls(world, record)
    [row], [_] = await stored(world), notified(world)

    assert (row.technique, row.source) == (technique, Source.HUNTING)


@ROWS
async def test_an_alert_stores_it_as_not_confirmed(technique: Technique, rows: Fixtures) -> None:
    world = await alerted(World(), ours(rows.positive))
    [row], [sent] = await stored(world), notified(world)

    assert (row.technique, row.source) == (technique, Source.HINT)
    assert sent.text.startswith("Not confirmed, an alert reports it. ")


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


async def test_what_alerts_report_silences_no_record() -> None:
    world = World()
    for record in mailboxes(7):
        await alerted(world, record)
    world = await polled(ours(ran("Set-Mailbox", "ceo", Identity="ceo", AuditOwner="-Send"), Id="real"), world=world)

    assert [each.title for each in notified(world)][-2:] == [
        "A mailbox is audited less: alerts report more than 5 in a day",
        "A mailbox is audited less: ceo",
    ]


async def test_what_a_service_gives_silences_nothing_that_is_more_severe() -> None:
    given = FAMILY[Technique.PRECURSOR].positive
    by_service = [ours(given, Id=f"r{n}", UserType=4, UserId="NT AUTHORITY\\SYSTEM") for n in range(7)]
    world = await polled(*by_service, ours(given, Id="real"))

    assert [each.severity for each in notified(world)].count(Severity.CRITICAL) == 1


DECOYS = {
    "failed": {"ResultStatus": "False"},
    "another mailbox": {"Parameters": named(Identity="m", AuditOwner="-Send")},
    "another value": {"Parameters": named(Identity="ceo", AuditOwner="-Update")},
    "something less severe": {"Parameters": named(Identity="ceo", AuditEnabled="False")},
    "another actor": {"UserId": "eve@contoso.onmicrosoft.com"},
    "another time": {"CreationTime": "2026-03-02T08:54:00", "ResultStatus": "True"},
}


@pytest.mark.parametrize("decoy", DECOYS.values(), ids=DECOYS)
async def test_an_alert_with_the_id_of_a_record_takes_no_notification_from_it(decoy: Json) -> None:
    record = ours(ran("Set-Mailbox", "ceo", Identity="ceo", AuditOwner="-Send"))
    world = await polled(record, world=await alerted(World(), record | decoy))
    sent = notified(world)[-1]

    assert (sent.title, sent.facts["confirmed"]) == ("A mailbox is audited less: ceo", True)
    assert sent.text.startswith(f"{record['UserId']} (")


async def test_a_record_is_notified_where_the_alert_of_it_was_one_of_too_many() -> None:
    world = World()
    for record in mailboxes(7):
        await alerted(world, record)
    world = await polled(mailboxes(7)[-1], world=world)

    assert notified(world)[-1].title == "A mailbox is audited less: m6"


async def test_a_change_that_took_effect_is_notified_where_an_earlier_record_says_that_it_failed() -> None:
    rows = FAMILY[Technique.PRECURSOR]
    world = await polled(ours(rows.positive), world=await polled(ours(rows.failed)))

    assert ([row.took_effect for row in await stored(world)], len(notified(world))) == ([True], 1)


async def test_another_technique_is_notified_all_the_same() -> None:
    world = await polled(*mailboxes(50), ours(FAMILY[Technique.PRECURSOR].positive))

    assert "The right to set bypasses was granted: Tools" in [each.title for each in notified(world)]


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
