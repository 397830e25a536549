"""Permissions through the feed: kept, and notified once where they were given for a while only."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import TransientError
from bypass_responder.model.case import Case
from bypass_responder.model.notification import Severity
from bypass_responder.operating.incidents.tampering import view_of_change
from bypass_responder.tampering.permissions import KEPT
from bypass_responder.triggers import store_permissions
from bypass_responder.triggers.ask_organization import ask_organization
from bypass_responder.triggers.read_posture import read_posture
from bypass_responder.triggers.store_permissions import compare_permissions
from tests.sensing.builders import Json
from tests.tampering.family import ran
from tests.tampering.sensors import notified, ours, stored
from tests.triggers.test_store_records import a_record, polled
from tests.triggers.test_store_tampering import OTHER_TENANT
from tests.world import ALEX, START, World

EVE = "eve@contoso.onmicrosoft.com"
SERVICE = "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.ServiceHost)"


def changed(verb: str, *, days_ago: float = 0, rights: str = "FullAccess", **fields: Any) -> Json:
    at = START - timedelta(days=days_ago, minutes=5)
    record = ran(f"{verb}-MailboxPermission", "ceo", Identity="ceo", User=EVE, AccessRights=rights)
    return ours(record, Id=f"{verb}-{days_ago}", CreationTime=f"{at:%Y-%m-%dT%H:%M:%S}") | fields


GRANT, REMOVAL = changed("Add", days_ago=2), changed("Remove", days_ago=1)


async def compared(*records: Any, world: World | None = None) -> World:
    """The records arrive in one blob, and what they say of permissions is compared."""
    world = await polled(*records, world=world)
    await compare_permissions(world.services)
    await world.sends()
    return world


def titles(world: World) -> list[str]:
    return [each.title for each in notified(world)]


async def test_a_grant_alone_is_kept_and_not_notified() -> None:
    world = await compared(GRANT)

    assert [(each.granted, each.target) for each in world.permissions.noted.values()] == [(True, "ceo")]
    assert world.notifier.sent == []


@pytest.mark.parametrize("order", list(itertools.permutations([GRANT, REMOVAL])), ids=["in order", "removal first"])
async def test_a_grant_that_is_removed_is_notified_once_in_any_order(order: tuple[Json, Json]) -> None:
    world = await compared(order[0])
    for record in (order[1], *order):
        await compared(record, world=world)
    [row], [sent] = await stored(world), notified(world)

    assert (row.technique, row.target, row.value) == ("grant_removed", "ceo", EVE)
    assert (sent.severity, "bypassctl posture grants --removed" in str(sent.left_to_do)) == (Severity.WARNING, True)
    assert "FullAccess was given at 2026-02-28" in sent.text


async def test_both_in_one_blob_are_found() -> None:
    world = await compared(REMOVAL, GRANT)

    assert titles(world) == ["A permission was granted and removed within 7 days: ceo"]


async def test_rights_that_one_command_takes_away_are_one_notification() -> None:
    rights = "FullAccess, ReadPermission"
    world = await compared(changed("Add", days_ago=2, rights=rights), changed("Remove", days_ago=1, rights=rights))

    assert ["FullAccess, ReadPermission was given" in each.text for each in notified(world)] == [True]


@pytest.mark.parametrize(
    "removal",
    [
        changed("Remove", days_ago=1, ResultStatus="False"),
        changed("Remove", days_ago=1, UserId=SERVICE),
        changed("Remove", days_ago=1, rights="SendAs"),
        changed("Remove", days_ago=3),
    ],
    ids=["failed", "by a service", "another right", "before the grant"],
)
async def test_what_takes_nothing_away_is_not_notified(removal: Json) -> None:
    world = await compared(GRANT, removal)

    assert world.notifier.sent == []


async def test_a_grant_of_long_ago_is_not_notified() -> None:
    world = await compared(changed("Add", days_ago=9), REMOVAL)

    assert world.notifier.sent == []


async def test_what_was_done_and_by_whom_is_the_evidence() -> None:
    world = await compared(GRANT, REMOVAL)
    [row] = await stored(world)

    assert str(row.evidence.text).count('"actor"') == 2


async def test_a_script_is_not_notified_line_by_line() -> None:
    records = [
        changed(verb, days_ago=day, Id=f"{verb}{number}", ObjectId=f"m{number}")
        for number in range(30)
        for verb, day in (("Add", 2), ("Remove", 1))
    ]
    world = await compared(*records)

    assert (len(await stored(world)), len(notified(world))) == (30, 6)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"OrganizationId": OTHER_TENANT}, ["other_tenant"]),
        ({"Parameters": "-User eve"}, []),
        ({"Parameters": 17}, ["wrong_type"]),
    ],
)
async def test_a_record_that_cannot_be_judged_is_no_change(fields: dict[str, Any], reason: list[str]) -> None:
    world = await compared(GRANT | fields)

    assert world.permissions.noted == {}
    assert [each.reason for each in world.feed_store.kept] == reason


async def test_nothing_of_permissions_costs_nothing() -> None:
    world = await polled(ours(ran("Set-Mailbox", "ceo", Identity="ceo", AuditOwner="-Update")))

    assert world.permissions.calls == []


async def test_a_change_is_forgotten_after_a_month() -> None:
    world = await compared(GRANT)
    world.now += KEPT
    await ask_organization(world.services)

    assert world.permissions.noted == {}


async def test_it_is_part_of_the_story_of_who_took_it_away() -> None:
    world = await compared(GRANT, REMOVAL)
    [row] = await stored(world)
    shown = view_of_change(row, Case(target="tenant"))

    assert row.actor.user_id == REMOVAL["UserId"]
    assert (shown.technique, shown.target, shown.read_back) == ("grant_removed", "ceo", None)


async def test_a_list_of_thousands_is_one_row_and_one_query() -> None:
    members = ";".join(f"u{number}" for number in range(20_000))
    world = await compared(ours(ran("Update-RoleGroupMember", "Tools", Members=members)))

    assert [name for name, _ in world.permissions.calls] == ["defer", "deferred", "note", "of", "drop_deferred"]
    assert len(world.permissions.noted) == 1


async def test_sensors_only_defer_so_that_no_containment_waits() -> None:
    script = [changed("Add", days_ago=2, Id=f"a{number}", ObjectId=f"m{number}") for number in range(300)]
    world = await polled(*script, a_record())

    assert (world.directory.enabled[ALEX], {*world.permissions.calls}) == (False, {("defer", "")})


async def test_what_a_run_has_no_time_for_the_next_one_compares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_permissions, "ROWS_IN_A_RUN", 1)
    world = await polled(REMOVAL, world=await polled(GRANT))
    await compare_permissions(world.services)
    first = len(await stored(world))
    await compare_permissions(world.services)

    assert (first, len(await stored(world)), world.permissions.waiting) == (0, 1, {})


async def test_an_error_loses_nothing() -> None:
    world = await polled(GRANT, REMOVAL)
    world.permissions.fail("of", TransientError("503"))
    with pytest.raises(TransientError):
        await compare_permissions(world.services)
    await compare_permissions(world.services)

    assert len(await stored(world)) == 1


async def test_the_timer_compares() -> None:
    world = await polled(GRANT, REMOVAL)
    await read_posture(world.services)

    assert len(await stored(world)) == 1
