"""From the bytes of a blob to stored findings, and what is kept instead when it cannot be one."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from bypass_responder.errors import FeedError, TransientError
from bypass_responder.model.feed import ContentBlob
from bypass_responder.model.finding import Finding
from bypass_responder.model.health import HealthAlert, Tampering
from bypass_responder.model.message import CommandKind
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from tests.fakes import FakeLedger
from tests.world import ALEX, START, TENANT, World


def a_record(**fields: Any) -> dict[str, Any]:
    return {
        "Id": "20fd5006-645b-42be-e9de-08db592255aa",
        "CreationTime": f"{START - timedelta(minutes=5):%Y-%m-%dT%H:%M:%S}",
        "Operation": "Set-MailboxAuditBypassAssociation",
        "OrganizationId": TENANT,
        "RecordType": 1,
        "ResultStatus": "True",
        "UserType": 2,
        "Workload": "Exchange",
        "ObjectId": ALEX,
        "UserId": "mallory@contoso.onmicrosoft.com",
        "Parameters": [
            {"Name": "AuditBypassEnabled", "Value": "True"},
            {"Name": "Identity", "Value": "alex@contoso.onmicrosoft.com"},
        ],
    } | fields


SWITCHED_ON = [{"Name": "AuditBypassEnabled", "Value": "True"}]
DEPTHS = range(800, 1000, 5)


async def polled(*records: Any, age: timedelta = -timedelta(minutes=1), world: World | None = None) -> World:
    """A world whose first poll is behind it, and then these records arrive in one blob."""
    world = world or World()
    await poll_audit_feed(world.services)
    created = world.now - age
    number = len(world.feed.published)
    blob = ContentBlob(content_id=f"blob-{number}", uri="", created=created, expires=created + timedelta(days=7))
    content = ",".join(each if isinstance(each, str) else json.dumps(each) for each in records)
    world.feed.publish(blob, f"[{content}]".encode())
    world.now += timedelta(minutes=5)
    await poll_audit_feed(world.services)
    await world.sends()
    return world


async def test_a_record_in_a_blob_contains_the_account() -> None:
    world = await polled(a_record())

    assert not world.directory.enabled[ALEX]


async def test_a_blob_from_before_the_first_start_contains_nobody() -> None:
    world = await polled(a_record(), age=timedelta(hours=2))

    assert world.directory.enabled[ALEX]
    assert [row.verdict for row in await world.incidents()] == ["first_run"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (a_record(OrganizationId="22222222-2222-4222-8222-222222222222"), "other_tenant"),
        (a_record(OrganizationId=None), "other_tenant"),
        (a_record(ObjectId="", Parameters=[{"Name": "AuditBypassEnabled", "Value": "True"}]), "no_target"),
        (a_record(ObjectId="x" * 2000), "too_large"),
    ],
)
async def test_a_record_that_is_not_ours_to_judge_is_kept_and_reported(record: dict[str, Any], reason: str) -> None:
    world = await polled(record)

    assert [item.reason for item in world.feed_store.kept] == [reason]
    assert world.directory.enabled[ALEX]
    assert "unreadable" in [notification.about for notification in world.notifier.sent]


async def test_an_unreadable_record_never_stops_the_one_after_it() -> None:
    world = await polled(a_record(ObjectId={"a": 1}, Id="other"), a_record())

    assert len(world.feed_store.kept) == 1
    assert "unreadable" in [notification.about for notification in world.notifier.sent]
    assert not world.directory.enabled[ALEX]


async def test_padding_around_a_name_hides_nobody() -> None:
    padded = [{"Name": "AuditBypassEnabled", "Value": "True"}, {"Name": "Identity", "Value": " " * 3000 + ALEX}]
    world = await polled(a_record(Parameters=padded))

    assert not world.directory.enabled[ALEX]


async def test_a_very_long_actor_hides_nothing() -> None:
    world = await polled(a_record(UserId="m" * 5000))

    assert not world.directory.enabled[ALEX]


async def test_an_organization_switch_is_evidence_and_blocks_nobody() -> None:
    record = a_record(Operation="Set-OrganizationConfig", Parameters=[{"Name": "AuditDisabled", "Value": "True"}])
    world = await polled(record)

    case = await world.ledger.tampering("tenant", since=START - timedelta(days=1), until=START, limit=9)
    [row] = case.rows(Tampering)

    assert row.parameter == "AuditDisabled"
    assert [notification.about for notification in world.notifier.sent] == ["tampering"]
    assert all(world.directory.enabled.values())


async def test_storage_that_fails_while_a_finding_is_stored_leaves_the_blob_for_the_next_poll() -> None:
    world = World()
    world.ledger.fail("add_finding", TransientError("storage is down"))
    await polled(a_record(), world=world)
    untouched = world.directory.enabled[ALEX]

    for _ in range(3):
        world.now += timedelta(minutes=5)
        await poll_audit_feed(world.services)

    assert untouched
    assert not world.directory.enabled[ALEX]


async def test_a_disabled_subscription_and_its_recovery_are_notified_once_each() -> None:
    world = World()
    await poll_audit_feed(world.services)
    world.feed.fail("list_content", FeedError("AF20023", "disabled"), always=True)
    for _ in range(3):
        world.now += timedelta(minutes=1)
        await poll_audit_feed(world.services)
    world.feed.recover()
    world.now += timedelta(minutes=1)
    await poll_audit_feed(world.services)
    await world.sends()

    alert = (await world.case("tenant")).by_key["alert-subscription_disabled"]
    assert isinstance(alert, HealthAlert)
    assert alert.recovered_at == world.now
    assert [notification.title for notification in world.notifier.sent] == [
        "Health: subscription_disabled",
        "Recovered: subscription_disabled",
    ]


async def test_a_poll_with_nothing_new_writes_no_log() -> None:
    world = World()
    for _ in range(3):
        world.now += timedelta(minutes=1)
        await poll_audit_feed(world.services)

    assert world.ledger.logs["tenant"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Parameters": {"Identity": "alex@contoso.onmicrosoft.com", "AuditBypassEnabled": "True"}},
        {"Parameters": '-Identity "alex@contoso.onmicrosoft.com" -AuditBypassEnabled "True"'},
        {"RecordType": "1"},
        {"UserType": "Admin"},
    ],
)
async def test_a_shape_of_an_export_in_the_feed_is_kept_and_not_acted_on(fields: dict[str, Any]) -> None:
    world = await polled(a_record(**fields))

    assert world.directory.enabled[ALEX]
    assert [item.reason for item in world.feed_store.kept] == ["wrong_type"]


async def test_a_record_nested_too_deeply_hides_no_bypass_beside_it() -> None:
    """At depths around the interpreter's limit, one JSON reader may succeed and the next one fail."""
    nested = [json.dumps(a_record(Id=str(depth)))[:-1] + f',"X":{"[" * depth}{"]" * depth}}}' for depth in DEPTHS]
    world = await polled(",".join([*nested, json.dumps(a_record())]))

    assert not world.directory.enabled[ALEX]


async def test_an_enormous_organization_switch_hides_no_bypass_beside_it() -> None:
    parameters = [{"Name": "AuditDisabled", "Value": "x" * 600_000}]
    tampering = a_record(Id="other", Operation="Set-OrganizationConfig", Parameters=parameters)
    world = await polled(tampering, a_record())

    assert not world.directory.enabled[ALEX]


async def test_a_copy_that_this_process_has_stored_asks_the_ledger_nothing() -> None:
    world = await polled(a_record())
    world.ledger.calls.clear()
    await polled(a_record(), world=world)

    assert [call for call in world.ledger.calls if call[1] == ALEX] == []


async def test_copies_in_one_blob_are_stored_once() -> None:
    world = await polled(a_record(), a_record())

    assert world.ledger.calls.count(("add_finding", ALEX)) == 1


async def test_a_copy_that_says_more_is_stored() -> None:
    parameters = [{"Name": "Identity", "Value": "alex@contoso.onmicrosoft.com"}]
    world = await polled(a_record(ResultStatus="", Parameters=[*parameters, *SWITCHED_ON]))
    await polled(a_record(), world=world)

    assert not world.directory.enabled[ALEX]


class ThenStorageIsAway(FakeLedger):
    """The finding is stored, and the work list is away when it is announced again."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.work = world.work

    async def add_finding(self, finding: Finding) -> bool:
        self.work.fail("touch", TransientError("storage is away"), about=finding.target)
        return await super().add_finding(finding)


async def test_a_stored_record_is_announced_again_when_that_failed() -> None:
    world = World()
    world.services = dataclasses.replace(world.services, ledger=ThenStorageIsAway(world))
    await polled(a_record(), world=world)
    world.work.held.clear()
    world.work.recover()
    world.now += timedelta(minutes=5)
    await poll_audit_feed(world.services)

    assert ALEX in world.work.held


def dated(at: datetime, **fields: Any) -> dict[str, Any]:
    return a_record(CreationTime=f"{at:%Y-%m-%dT%H:%M:%S}", **fields)


async def bypassed(record: dict[str, Any], world: World) -> None:
    """The account is bypassed, the record of it arrives, and the worker restores auditing."""
    world.bypassed[ALEX] = True
    await polled(record, world=world)
    for _ in range(5):
        await world.answer()
        await world.passes(minutes=1)


@pytest.mark.parametrize("ahead", [timedelta(minutes=55), timedelta(hours=5)])
async def test_a_record_dated_ahead_of_its_receipt_opens_one_incident(ahead: timedelta) -> None:
    world = World()
    await bypassed(dated(START + ahead), world)
    [incident] = await world.incidents()
    [finding] = [row for row in (await world.case()).by_key.values() if isinstance(row, Finding)]

    assert finding.effective_at == finding.received_at
    assert finding.stated_at == START + ahead
    assert incident.restored_at is not None
    assert incident.restored_at <= world.now
    assert len([each for each in world.exchange.sent if each.kind is CommandKind.DISABLE_BYPASS]) == 1


async def test_an_attack_after_a_record_dated_ahead_is_decided() -> None:
    world = World()
    await bypassed(dated(START + timedelta(minutes=55)), world)
    await world.decides("release", (await world.incidents())[0].id)
    await world.passes(minutes=1)
    again = dated(world.now, Id="20fd5006-645b-42be-e9de-08db592255ab", UserId="other@contoso.onmicrosoft.com")
    await polled(again, world=world)

    assert len(await world.incidents()) == 2


async def test_a_record_ahead_of_a_slow_clock_is_not_taken_for_one_of_the_ended_episode() -> None:
    world = World()
    await bypassed(a_record(), world)
    restored = (await world.case()).head.restored_at
    assert restored is not None
    world.now = restored - timedelta(minutes=6)  # another host: the poll is a minute before the restoration
    again = dated(restored + timedelta(seconds=30), Id="20fd5006-645b-42be-e9de-08db592255ab")
    await polled(again, world=world)

    assert len(await world.incidents()) == 2


async def test_copies_of_a_record_dated_ahead_are_one_finding() -> None:
    world = World()
    await polled(dated(START + timedelta(hours=5)), world=world)
    await polled(dated(START + timedelta(hours=5)), world=world)
    findings = [row for row in (await world.case()).by_key.values() if isinstance(row, Finding)]

    assert len(findings) == 1
    assert findings[0].fingerprint == findings[0].model_copy(update={"effective_at": START}).fingerprint
