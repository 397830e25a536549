"""Without hunting, the audit log is searched: one query for each mailbox, over several runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.question import Answer, Empty, Found, Pending, Question, Unavailable
from bypass_responder.operating.posture.access import read_access
from bypass_responder.sensing.access.days import BACK
from tests.fakes import FakeSource
from tests.sensing.access.records import CEO, EVE, a_record, by_owner
from tests.triggers.test_watch_mailbox_access import RUNS, notices, rows_of, runs, watching
from tests.world import START, World

DAY = timedelta(days=1)
TODAY = START.date()
CFO = "cfo@contoso.onmicrosoft.com"
FORBIDDEN = PermissionMissingError("403", permission="ThreatHunting.Read.All")


def searching(answer: Any = None, *, mailboxes: str = CEO) -> World:
    """Hunting may not be read, and the audit log answers."""
    world = watching(mailboxes=mailboxes)
    world.hunting.fail("run", FORBIDDEN, always=True)
    world.sources["mailbox_access"] = FakeSource(answer)
    return world


def having(*records: dict[str, Any], complete: bool = True) -> Any:
    """An audit log that has these records: submitted at the first ask, answered at the next."""

    def answer(question: Question, memo: str | None) -> Answer:
        if memo is None:
            return Pending(memo=f"{question.account.user_principal_name} {question.start:%d}")
        span = f"{question.start:%Y-%m-%dT%H:%M:%S}", f"{question.end:%Y-%m-%dT%H:%M:%S}"
        found = tuple(each for each in records if span[0] <= each["CreationTime"] < span[1])
        return Found(count=len(found), complete=complete, raw=found) if found else Empty()

    return answer


async def test_each_mailbox_is_searched_over_several_runs() -> None:
    world = searching(having(a_record(START - DAY), a_record(START - 2 * DAY, Operation="Send")))
    await runs(world, times=1)
    submitted = world.access.saved.search
    await runs(world, times=2 * RUNS)
    found = {(row.day, row.operation): row.count for row in await rows_of(world)}

    assert submitted is not None
    assert submitted.open == {CEO: f"{CEO} {TODAY - BACK:%d}"}
    assert found == {(TODAY - DAY, "MailItemsAccessed"): 1, (TODAY - 2 * DAY, "Send"): 1}
    assert {day.source for day in world.access.read.values()} == {"audit log"}
    assert (len(world.access.read), world.access.saved.problem) == (BACK.days + 1, "")


async def test_the_owner_and_other_mailboxes_are_left_out() -> None:
    other = a_record(START - DAY, MailboxOwnerUPN=CFO)
    world = searching(having(by_owner(START - DAY), other, a_record(START - DAY)))
    await runs(world, times=3 * RUNS)

    assert [(row.mailbox, row.actor, row.count) for row in await rows_of(world)] == [(CEO, EVE, 1)]


async def test_one_mailbox_is_one_query_and_what_one_answers_is_kept() -> None:
    def answer(question: Question, memo: str | None) -> Answer:
        late = question.account.user_principal_name == CFO
        return Pending(memo="cfo") if late or memo is None else Empty()

    world = searching(answer, mailboxes=f"{CEO},{CFO}")
    await runs(world, times=2)
    search = world.access.saved.search

    assert search is not None
    assert search.open == {CFO: "cfo"}
    assert {each.mailboxes for each in world.access.read.values()} == {(CEO,)}
    assert len(world.hunting.calls) == 1


async def test_a_search_under_way_is_named_as_not_known() -> None:
    world = searching(Pending(memo="x"))
    await runs(world, times=1)
    found = await read_access(world.services)

    assert found.state == "unavailable"
    assert any(each.startswith("the audit log is still searched for 2026-02-01 to") for each in found.unknown)


async def test_a_busy_mailbox_is_known_in_part() -> None:
    world = searching(having(a_record(START - DAY), complete=False))
    await runs(world, times=3 * RUNS)
    found = await read_access(world.services)

    assert (found.state, found.whole) == ("found", False)
    assert any(each.startswith(f"{CEO} has more records than were read") for each in found.unknown)


async def test_an_unreadable_record_costs_only_itself() -> None:
    world = searching(having(a_record(START - DAY, Operation=""), a_record(START - DAY)))
    await runs(world, times=3 * RUNS)

    assert len(await rows_of(world)) == 1
    assert sum(each.unreadable for each in world.access.read.values()) == 1


async def test_neither_permission_is_unavailable_and_names_both() -> None:
    world = searching(PermissionMissingError("The token lacks it.", permission="AuditLogsQuery-Exchange.Read.All"))
    await runs(world)
    found = await read_access(world.services)

    assert (found.state, world.access.read, world.access.saved.search) == ("unavailable", {}, None)
    assert "ThreatHunting.Read.All" in found.problem
    assert "AuditLogsQuery-Exchange.Read.All" in found.problem
    assert len(world.sources["mailbox_access"].asked) == 1


@pytest.mark.parametrize(
    "answer", [Unavailable(reason="ended twice", fix="x"), RefusedError("400"), NotFoundError("x")]
)
async def test_a_mailbox_that_cannot_be_searched_is_asked_again_in_an_hour(answer: Any) -> None:
    world = searching(answer)
    await runs(world)
    asked, problem = len(world.sources["mailbox_access"].asked), world.access.saved.problem
    world.sources["mailbox_access"].answer = Empty()
    await runs(world, times=3 * RUNS, minutes=61)

    assert (asked, problem.startswith(f"The audit log was not searched for {CEO}: ")) == (1, True)
    assert len(world.access.read) == BACK.days + 1


@pytest.mark.parametrize(
    ("error", "raised"),
    [(ThrottledError("429", retry_after_seconds=900), False), (TransientError("503"), True)],
)
async def test_what_was_submitted_before_an_error_is_not_submitted_again(error: ResponderError, raised: bool) -> None:
    def answer(question: Question, memo: str | None) -> Answer:
        if question.account.user_principal_name == CFO:
            return Pending(memo="cfo")
        raise error

    world = searching(answer, mailboxes=f"{CFO},zoe@contoso.com")
    failed = False
    try:
        await runs(world, times=1)
    except TransientError:
        failed = True
    state = world.access.saved

    assert failed is raised
    assert state.search is not None
    assert state.search.open == {CFO: "cfo", "zoe@contoso.com": ""}
    assert state.next_at == (None if raised else START + timedelta(minutes=15))


async def test_a_mailbox_that_is_watched_no_more_is_dropped_from_a_search() -> None:
    world = searching(Pending(memo="x"), mailboxes=f"{CEO},{CFO}")
    await runs(world, times=1)
    world.deploy(watched_mailboxes=CEO)
    await runs(world, times=1)
    search = world.access.saved.search

    assert search is not None
    assert set(search.open) == {CEO}


async def test_a_new_actor_is_reported_from_the_audit_log_as_well() -> None:
    days = [a_record(START - number * DAY, UserId="bob@contoso.com") for number in range(1, 20)]
    world = searching(having(*days, a_record(START - DAY)))
    await runs(world, times=3 * RUNS)
    [notice] = await notices(world)

    assert notice.facts["actor"] == [EVE]
