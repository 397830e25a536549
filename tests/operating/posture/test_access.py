"""What is answered about who else opened a watched mailbox: found, nobody, or not known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bypass_responder.errors import InputError
from bypass_responder.model.change import Actor
from bypass_responder.model.mailbox_access import AccessDay, AccessLogon, AccessState, MailboxAccess
from bypass_responder.operating.posture.access import Accesses, read_access
from tests.sensing.access.records import APP, CEO, CEO_ID, EVE, an_access
from tests.tampering.test_permissions import a_change
from tests.world import START, World, a_finding, an_account

DAY = timedelta(days=1)
TODAY = START.date()


def ago(days: int, **fields: Any) -> MailboxAccess:
    return an_access(TODAY - days * DAY, **fields)


def a_day(day: date, **fields: Any) -> AccessDay:
    return AccessDay(day=day, read_at=START, source="hunting", **({"mailboxes": (CEO,)} | fields))


async def world_with(*rows: MailboxAccess, days: int = 31, watched: tuple[str, ...] = (CEO,)) -> World:
    """CEO is watched, and the last days were read."""
    world = World(an_account(CEO_ID, CEO), an_account())
    await world.access.save(AccessState(watched=watched))
    for number in range(days):
        day = TODAY - number * DAY
        await world.access.keep(a_day(day), [row for row in rows if row.day == day])
    return world


async def answer(world: World, **asked: Any) -> Accesses:
    return await read_access(world.services, **asked)


async def test_each_actor_is_one_line_over_all_days() -> None:
    rows = [ago(1, operation="Send"), ago(2, count=5), ago(2, actor="bob@contoso.com", logon=AccessLogon.ADMIN)]
    found = await answer(await world_with(*rows))
    [eve, bob] = found.actors

    assert (eve.actor, eve.days, eve.count, eve.operations) == (EVE, 2, 7, ("MailItemsAccessed 5", "Send 2"))
    assert (bob.logons, eve.last - eve.first) == ((AccessLogon.ADMIN,), DAY)
    assert (found.state, found.whole, len(found.rows)) == ("found", True, 3)


async def test_nobody_is_nobody_when_every_day_was_read() -> None:
    found = await answer(await world_with())

    assert (found.state, found.whole, found.unknown) == ("empty", True, ())
    assert found.sentence.startswith("Nobody else: 1 watched mailbox, since")


async def test_a_day_that_was_not_read_is_named() -> None:
    world = await world_with()
    for number in (3, 4, 9):
        del world.access.read[TODAY - number * DAY]
    found = await answer(world)

    assert found.unknown == ("not read: 2026-02-21, 2026-02-26 to 2026-02-27",)
    assert found.sentence.startswith("Nobody else, in what was read")


async def test_before_the_first_read_it_is_not_known() -> None:
    found = await answer(await world_with(days=0))

    assert (found.state, found.whole) == ("unavailable", False)
    assert found.sentence.endswith("No day was read yet.")


@pytest.mark.parametrize(
    ("days", "advice"), [(0, "Fix: grant it."), (31, "Since 2026-03-02 09:00:00Z: no permission. Fix: grant it.")]
)
async def test_a_problem_is_named_once_with_its_fix(days: int, advice: str) -> None:
    world = await world_with(days=days)
    refused = {"problem": "no permission.", "fix": "grant it", "problem_since": START}
    world.access.saved = world.access.saved.model_copy(update=refused)
    found = await answer(world)

    assert found.advice == advice


async def test_days_without_any_record_of_exchange_are_not_nobody() -> None:
    world = await world_with()
    world.access.read |= {day: each.model_copy(update={"silent": True}) for day, each in world.access.read.items()}
    found = await answer(world)

    assert found.state == "unavailable"
    assert found.unknown[0].startswith("the source had no record of Exchange at all: 2026-02-01 to 2026-03-02")


async def test_without_a_watched_mailbox_the_fix_is_the_setting() -> None:
    found = await answer(await world_with(watched=()))

    assert (found.state, "WATCHED_MAILBOXES" in found.fix) == ("unavailable", True)


async def test_what_refuses_now_is_named_beside_what_is_known() -> None:
    world = await world_with(ago(1))
    refused = {"problem": "403", "fix": "grant it", "problem_since": START}
    world.access.saved = world.access.saved.model_copy(update=refused)
    found = await answer(world)

    assert (found.state, found.problem, found.fix) == ("found", "Since 2026-03-02 09:00:00Z: 403", "grant it")


async def test_a_mailbox_that_is_watched_since_later_is_named() -> None:
    world = await world_with(watched=(CEO, "cfo@contoso.com", "new@contoso.com"))
    world.access.read[TODAY] = a_day(TODAY, mailboxes=(CEO, "cfo@contoso.com"))
    found = await answer(world)

    assert found.unknown == ("cfo@contoso.com: nothing before 2026-03-02", "new@contoso.com: not read yet")


async def test_unresolved_names_and_unreadable_rows_are_named() -> None:
    world = await world_with()
    world.access.saved = world.access.saved.model_copy(update={"unresolved": ("x@contoso.com",)})
    world.access.read[TODAY] = a_day(TODAY, unreadable=2)
    found = await answer(world)

    assert [each.partition(":")[0] for each in found.unknown] == [
        "the directory does not know x@contoso.com",
        "2 rows of the source could not be read",
    ]


async def test_more_rows_than_the_limit_are_said_to_be_left_out() -> None:
    found = await answer(await world_with(ago(1), ago(2)), limit=1)

    assert (len(found.rows), found.complete, found.whole) == (1, False, False)


async def test_filters_are_those_of_the_store() -> None:
    world = await world_with(ago(1), ago(2, actor="bob@contoso.com"), ago(9))
    found = await answer(world, actor=EVE.upper(), since=START - 5 * DAY, until=START)

    assert [row.day for row in found.rows] == [TODAY - DAY]


@pytest.mark.parametrize("since", [START, START + DAY])
async def test_a_period_that_is_none_is_refused(since: Any) -> None:
    with pytest.raises(InputError, match="since must be before until"):
        await answer(await world_with(), since=since)


async def test_a_bypass_in_the_period_is_named_beside_the_list() -> None:
    world = await world_with(ago(1))
    await world.sees(a_finding(effective_at=START - DAY))
    found = await answer(world)

    assert [each.partition(",")[0] for each in found.windows] == [
        "Records of actions by alex@contoso.onmicrosoft.com",
    ]


@pytest.mark.parametrize("trustee", [EVE, "EVE"])
async def test_the_permission_of_a_pair_is_named(trustee: str) -> None:
    world = await world_with(ago(1), ago(1, actor="bob@contoso.com"))
    changes = [a_change(granted=True, at=START - days * DAY, trustee=trustee, target="CEO") for days in (9, 5)]
    await world.permissions.note([*changes, a_change(granted=False, at=START - DAY, trustee=trustee)])
    found = await answer(world)
    by = Actor(user_id=f"{changes[0].actor.user_id}")

    assert sorted(each.grant for each in found.actors) == ["", f"FullAccess given by {by} at 2026-02-25 09:00:00Z"]


async def test_a_right_to_a_folder_is_named_with_the_folder_and_membership_is_none() -> None:
    world = await world_with(ago(1), ago(1, actor="", app_id=APP))
    inbox = {"right": "folder", "target": "ceo:\\Inbox"}
    await world.permissions.note([a_change(granted=True, at=START - DAY, **inbox)])
    await world.permissions.note([a_change(granted=True, at=START - DAY, right="member", trustee=APP)])
    found = await answer(world)

    assert {each.actor: each.grant.partition(" given")[0] for each in found.actors} == {
        EVE: "a right to ceo:\\Inbox",
        f"application {APP}": "",
    }


async def test_the_sentence_counts_actors_and_mailboxes_and_says_when_there_may_be_more() -> None:
    bob = {"actor": "bob@contoso.com"}
    world = await world_with(ago(1), ago(1, **bob), ago(2, mailbox="cfo@contoso.com", mailbox_id="", **bob))
    known = await answer(world)
    del world.access.read[TODAY - 9 * DAY]
    partial = await answer(world)

    assert known.sentence.startswith("2 other actors opened 2 watched mailboxes, since 2026-")
    assert (known.sentence.endswith("Z."), partial.sentence.endswith("There may be more.")) == (True, True)
