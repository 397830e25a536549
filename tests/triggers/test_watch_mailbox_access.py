"""Once a day, what others did in watched mailboxes is counted.

The outcomes found, nobody and unavailable are never mixed up.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bypass_responder.case.new_access import ALERT
from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.account import Account
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.mailbox_access import AccessDay, AccessFilter, AccessLogon, MailboxAccess, midnight
from bypass_responder.model.notification import Notification
from bypass_responder.sensing.access.days import BACK
from bypass_responder.sensing.hunting import hunt
from bypass_responder.triggers.gather_evidence import gather_evidence
from bypass_responder.triggers.watch_mailbox_access import MOST_DAYS, watch_mailbox_access
from tests.sensing.access.records import APP, CEO, CEO_ID, EVE, a_record, by_owner
from tests.world import START, World, an_account, some_settings

BOB = "bob@contoso.onmicrosoft.com"
DAY = timedelta(days=1)
TODAY = START.date()
RUNS = -(-(BACK.days + 1) // MOST_DAYS)
"""Until all days are read."""


def watching(*accounts: Account, mailboxes: str = CEO, **settings: Any) -> World:
    return World(*(accounts or (an_account(CEO_ID, CEO),)), watched_mailboxes=mailboxes, **settings)


async def runs(world: World, times: int = RUNS, **later: float) -> None:
    world.now += timedelta(**later)
    for _ in range(times):
        await watch_mailbox_access(world.services)


async def rows_of(world: World) -> list[MailboxAccess]:
    return await world.access.newest(AccessFilter(since=START - 90 * DAY, until=world.now + DAY), 1000)


async def test_what_a_delegate_did_is_counted_by_day_and_operation() -> None:
    world = watching()
    for hours, operation in ((1, "Send"), (2, "MailItemsAccessed"), (3, "MailItemsAccessed"), (30, "Send")):
        world.hunting.add(a_record(START - timedelta(hours=hours), Operation=operation))
    await runs(world)
    found = {(row.day, row.operation): row.count for row in await rows_of(world)}

    assert found == {(TODAY, "Send"): 1, (TODAY, "MailItemsAccessed"): 2, (TODAY - DAY, "Send"): 1}


async def test_the_owner_and_other_mailboxes_are_left_out() -> None:
    world = watching()
    world.hunting.add(by_owner(START - DAY))
    world.hunting.add(a_record(START - DAY, MailboxOwnerUPN="cfo@contoso.onmicrosoft.com"))
    await runs(world)

    assert await rows_of(world) == []
    assert not any(day.silent for day in world.access.read.values())


async def test_an_administrator_and_an_application_are_found() -> None:
    world = watching()
    world.hunting.add(a_record(START - DAY, UserId="Admin@contoso.onmicrosoft.com", LogonType=1))
    world.hunting.add(a_record(START - DAY, UserId="S-1-5-18", LogonType=1, ClientAppId=APP))
    await runs(world)

    assert sorted((row.who, row.logon) for row in await rows_of(world)) == [
        ("admin@contoso.onmicrosoft.com", AccessLogon.ADMIN),
        (f"application {APP}", AccessLogon.ADMIN),
    ]


async def test_two_mailboxes_of_one_name_are_kept_apart() -> None:
    world = watching()
    for box in ("one", "two"):
        world.hunting.add(a_record(START - DAY, MailboxGuid=box))
    await runs(world)

    assert {row.mailbox_id for row in await rows_of(world)} == {"one", "two"}


async def test_a_mailbox_is_watched_by_its_object_id() -> None:
    world = watching(mailboxes=CEO_ID)
    world.hunting.add(a_record(START - DAY))
    await runs(world)

    assert [(row.mailbox, row.object_id) for row in await rows_of(world)] == [(CEO, CEO_ID)]


async def test_a_mailbox_that_the_directory_does_not_know_is_asked_by_its_name_and_said_so() -> None:
    world = watching(an_account(), mailboxes=f"{CEO},cccccccc-0000-4000-8000-00000000dead")
    world.hunting.add(a_record(START - DAY))
    await runs(world)

    assert len(await rows_of(world)) == 1
    assert world.access.saved.unresolved == ("cccccccc-0000-4000-8000-00000000dead", CEO)


async def test_a_directory_that_may_not_be_read_leaves_the_names() -> None:
    world = watching()
    world.directory.fail("find", PermissionMissingError("403", permission="User.Read.All"), always=True)
    world.hunting.add(a_record(START - DAY))
    await runs(world)

    assert len(await rows_of(world)) == 1


async def test_one_query_counts_all_watched_mailboxes_of_a_day() -> None:
    cfo = "cfo@contoso.onmicrosoft.com"
    world = watching(mailboxes=f"{CEO},{cfo}")
    world.hunting.add(a_record(START - DAY, MailboxOwnerUPN=cfo, MailboxGuid="cfo"))
    world.hunting.add(a_record(START - DAY))
    await runs(world)

    assert {row.mailbox for row in await rows_of(world)} == {CEO, cfo}
    assert world.hunting.calls.count(("run", "records")) == BACK.days + 1


async def test_a_run_reads_a_few_days_and_the_next_goes_on() -> None:
    world = watching()
    await runs(world, times=1)
    first = sorted(world.access.read)
    await runs(world, times=RUNS - 1)
    asked = len(world.hunting.windows)
    await runs(world, times=1)

    assert first == [TODAY - BACK + number * DAY for number in range(MOST_DAYS)]
    assert len(world.access.read) == BACK.days + 1
    assert len(world.hunting.windows) == asked


async def test_late_records_are_counted_by_a_later_run() -> None:
    world = watching()
    world.hunting.add(a_record(START - timedelta(hours=2)))
    world.hunting.add(a_record(START - timedelta(hours=1)), arrived=START + 2 * DAY)
    await runs(world)
    early = [row.count for row in await rows_of(world)]
    await runs(world, days=3)

    assert (early, [row.count for row in await rows_of(world)]) == ([1], [2])


async def test_days_while_nothing_ran_are_read_afterwards() -> None:
    world = watching()
    await runs(world)
    world.hunting.add(a_record(START + 2 * DAY))
    await runs(world, days=9)

    assert [row.day for row in await rows_of(world)] == [TODAY + 2 * DAY]
    assert sorted(world.access.read)[-10:] == [TODAY + number * DAY for number in range(10)]


async def test_a_day_with_too_many_rows_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hunt, "ROWS", 4)
    world = watching()
    world.hunting.most = 4
    for hour in range(8):
        world.hunting.add(a_record(START - DAY - timedelta(hours=hour), UserId=f"{hour}@contoso.com"))
        world.hunting.add(a_record(START - DAY - timedelta(hours=hour)))
    await runs(world)
    found = {row.actor: row.count for row in await rows_of(world)}

    assert found == {EVE: 8} | {f"{hour}@contoso.com": 1 for hour in range(8)}


async def test_a_row_that_cannot_be_read_costs_only_itself() -> None:
    world = watching()
    world.hunting.add(a_record(START - DAY))
    world.hunting.add(a_record(START - DAY, Operation=""))
    await runs(world)

    assert len(await rows_of(world)) == 1
    assert world.access.read[TODAY - DAY].unreadable == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionMissingError("403", permission="ThreatHunting.Read.All"), "bypassctl grant --evidence Threat"),
        (NotFoundError("Failed to resolve table CloudAppEvents."), "app connector"),
        (RefusedError("a semantic error"), "asked again"),
    ],
)
async def test_what_is_refused_is_unavailable_and_asked_again_in_an_hour(error: ResponderError, words: str) -> None:
    world = watching()
    world.hunting.fail("run", error, always=True)
    await runs(world)
    asked, state = len(world.hunting.calls), world.access.saved
    world.hunting.recover()
    await runs(world, minutes=61)

    assert (asked, str(error) in state.problem, words in state.fix) == (1, True, True)
    assert (world.access.saved.problem, len(world.access.read)) == ("", BACK.days + 1)


async def test_the_problem_keeps_its_beginning() -> None:
    world = watching()
    world.hunting.fail("run", NotFoundError("no table"), always=True)
    await runs(world)
    await runs(world, hours=5)

    assert world.access.saved.problem_since == START


async def test_a_throttled_query_waits_as_long_as_it_is_asked_to() -> None:
    world = watching()
    world.hunting.fail("run", ThrottledError("429", retry_after_seconds=900))
    await runs(world)

    assert (world.access.saved.next_at, world.access.read) == (START + timedelta(minutes=15), {})


async def test_a_day_without_any_record_of_exchange_is_not_known() -> None:
    world = watching()
    world.hunting.other_rows = False
    await runs(world)

    assert all(day.silent for day in world.access.read.values())


@pytest.mark.parametrize("call", ["state", "save", "days", "keep", "forget_before"])
async def test_a_run_that_storage_stopped_is_made_up_for(call: str) -> None:
    world = watching()
    world.hunting.add(a_record(START - BACK))
    world.access.fail(call, TransientError("503"))
    with pytest.raises(ExceptionGroup, match="could not be"):
        await gather_evidence(world.services)
    await runs(world)

    assert [row.count for row in await rows_of(world)] == [1]


async def test_old_rows_are_forgotten_also_when_nothing_is_watched_any_more() -> None:
    world = watching(access_retention_days=30)
    world.hunting.add(a_record(START - DAY))
    await runs(world)
    world.deploy(watched_mailboxes="", access_retention_days=30)
    asked = len(world.hunting.calls)
    await runs(world, days=31)

    assert (await rows_of(world), len(world.hunting.calls)) == ([], asked)


async def test_without_watched_mailboxes_nothing_is_asked() -> None:
    world = World()
    await gather_evidence(world.services)

    assert (world.hunting.calls, world.access.read) == ([], {})
    assert some_settings().access_retention_days == 400


async def notices(world: World) -> list[Notification]:
    rows = (await world.case(TENANT_TARGET)).rows(Notification)
    return [row for row in rows if row.facts.get("alert") == ALERT]


async def known_for(days: int, *, mailboxes: str = CEO) -> World:
    """BOB has opened the mailbox each day, and so many days before today are known."""
    world = watching(mailboxes=mailboxes)
    for number in range(BACK.days + 1):
        day = TODAY - number * DAY
        if number < days + 1:
            world.hunting.add(a_record(midnight(day) + timedelta(hours=1), UserId=BOB))
        else:
            await world.access.keep(silent_day(day), [])
    return world


def silent_day(day: date) -> AccessDay:
    read_at = midnight(day) + 9 * DAY
    return AccessDay(day=day, read_at=read_at, source="hunting", mailboxes=(CEO,), silent=True)


async def test_an_actor_who_opens_a_mailbox_for_the_first_time_is_notified_once() -> None:
    world = await known_for(8)
    await runs(world)
    for hour in (2, 3):
        world.hunting.add(a_record(START + timedelta(hours=hour), ClientIPAddress=f"203.0.113.{hour}"))
    await runs(world, days=1)
    await runs(world, days=1)
    await runs(world, days=1)
    [notice] = await notices(world)

    assert notice.facts["actor"] == [EVE]
    assert "as delegate (MailItemsAccessed 2; from 203.0.113.2, 203.0.113.3), first at 2026-03-02 11:00" in notice.text
    assert any("bypassctl posture access" in each for each in notice.commands)


async def test_the_new_actors_of_a_mailbox_are_one_notification() -> None:
    world = await known_for(8)
    await runs(world)
    for number in range(12):
        world.hunting.add(a_record(START + timedelta(hours=2), UserId=f"{number}@contoso.com"))
    await runs(world, days=1)
    [notice] = await notices(world)

    assert notice.text.startswith("12 actors opened this watched mailbox for the first time")
    assert "; and 2 more." in notice.text


async def test_new_actors_of_more_mailboxes_than_one_transaction_takes_are_all_notified() -> None:
    boxes = tuple(f"box{number}@contoso.onmicrosoft.com" for number in range(50))
    accounts = [an_account(f"cccccccc-0000-4000-8000-{number:012d}", box) for number, box in enumerate(boxes)]
    world = watching(*accounts, mailboxes=",".join(boxes))
    for number in range(1, BACK.days + 1):
        day = silent_day(TODAY - number * DAY)
        await world.access.keep(day.model_copy(update={"mailboxes": boxes, "silent": False}), [])
    for box in boxes:
        world.hunting.add(a_record(START - timedelta(hours=2), MailboxOwnerUPN=box, MailboxGuid=box))
    await runs(world)

    assert {notice.facts["mailbox"] for notice in await notices(world)} == {*boxes}


async def test_nobody_is_new_before_a_week_is_known() -> None:
    world = await known_for(6)
    world.hunting.add(a_record(START - timedelta(hours=1)))
    await runs(world)

    assert await notices(world) == []


async def test_who_was_new_long_ago_is_not_notified() -> None:
    world = watching()
    world.hunting.add(a_record(START - 5 * DAY))
    await runs(world)

    assert await notices(world) == []


async def test_a_late_record_of_an_earlier_day_is_the_same_actor() -> None:
    world = await known_for(8)
    await runs(world)
    world.hunting.add(a_record(START + 1.5 * DAY))
    world.hunting.add(a_record(START + timedelta(hours=1)), arrived=START + 2.5 * DAY)
    await runs(world, days=2)
    await runs(world, days=1)

    assert len(await notices(world)) == 1


async def test_the_alert_ends_a_day_later() -> None:
    world = await known_for(8)
    await runs(world)
    world.hunting.add(a_record(START + timedelta(hours=1)))
    await runs(world, days=1)
    raised = ALERT in await world.alerts()
    await runs(world, days=1)
    await world.passes(hours=3)

    assert (raised, ALERT in await world.alerts()) == (True, False)


@pytest.mark.parametrize("call", ["known", "keep"])
async def test_a_crash_repeats_one_day_and_notifies_once(call: str) -> None:
    world = await known_for(8)
    await runs(world)
    world.hunting.add(a_record(START + timedelta(hours=1)))
    world.access.fail(call, TransientError("503"))
    with pytest.raises(TransientError):
        await runs(world, days=1)
    await runs(world)

    assert len(await notices(world)) == 1
    assert EVE in {row.actor for row in await rows_of(world)}
