"""What an import would do with each row of a file."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bypass_responder.errors import PermissionMissingError, RefusedError
from bypass_responder.model.account import MalformedEntry
from bypass_responder.model.decision_message import Author
from bypass_responder.operating.allowlist.csv_file import FIELDS, write_file
from bypass_responder.operating.allowlist.entries import read_entries
from bypass_responder.operating.allowlist.import_plan import ImportPlan, PlannedRow, Verdict, plan_import
from bypass_responder.operating.inspect_account import inspect
from tests.operating.allowlist.builders import allowed, swept
from tests.world import ALEX, BLAKE, OPS, START, World, an_entry

MALFORMED = MalformedEntry(object_id=ALEX, problem="Owner is missing")
FOREIGN = "cccccccc-0000-4000-8000-000000000003"
CELLS = {
    "object_id": ALEX,
    "account": "",
    "reason_class": "archiving",
    "justification": "journal archive",
    "owner": "ops@contoso.com",
    "ticket": "CHG-1",
    "expires": "2026-12-27",
    "documentation": "",
}


def a_file(*rows: dict[str, str]) -> bytes:
    lines = [",".join(FIELDS), *(",".join(f'"{(CELLS | row)[name]}"' for name in FIELDS) for row in rows)]
    return "\n".join(lines).encode()


async def planned(*rows: dict[str, str], world: World | None = None, author: Author = OPS) -> ImportPlan:
    return await plan_import(a_file(*rows), (world or World()).services, author=author)


async def one(row: dict[str, str], world: World | None = None, **given: Any) -> PlannedRow:
    [found] = (await planned(row, world=world, **given)).rows
    return found


async def test_a_new_account_is_added() -> None:
    row = await one({})

    assert (row.verdict, row.line, row.account) == (Verdict.ADD, 2, "alex@contoso.onmicrosoft.com")


async def test_a_name_stands_for_its_account() -> None:
    row = await one({"object_id": "", "account": "ALEX@contoso.onmicrosoft.com"})

    assert (row.verdict, row.object_id) == (Verdict.ADD, ALEX)


async def test_what_the_directory_refuses_is_the_reason() -> None:
    world = World()
    world.directory.fail("find", RefusedError("Graph was asked for alex and answered with blake."), always=True)
    row = await one({"object_id": "", "account": "alex@contoso.onmicrosoft.com"}, world)

    assert (row.verdict, row.why) == (Verdict.REJECT, "Graph was asked for alex and answered with blake")


async def test_a_name_in_an_entry_is_a_claim_that_resolves_nothing() -> None:
    world = World()
    await world.allowlist.put(an_entry(BLAKE, display_name="alex@contoso.onmicrosoft.com"))
    row = await one({"object_id": "", "account": "alex@contoso.onmicrosoft.com"}, world)

    assert (row.verdict, row.object_id) == (Verdict.ADD, ALEX)


async def test_a_name_that_only_an_entry_claims_is_asked_about() -> None:
    world = World()
    await world.allowlist.put(an_entry(BLAKE, display_name="alex@contoso.onmicrosoft.com"))
    world.directory.fail("find", PermissionMissingError("no right", permission="none"), always=True)
    plan = await planned({"object_id": "", "account": "alex@contoso.onmicrosoft.com"}, world=world)

    assert [row.verdict for row in plan.rows] == [Verdict.REJECT]
    assert plan.ask == ("alex@contoso.onmicrosoft.com",)


async def test_a_name_that_two_entries_have_is_looked_up() -> None:
    world = World()
    for object_id in (ALEX, BLAKE):
        await world.allowlist.put(an_entry(object_id, display_name="alex@contoso.onmicrosoft.com"))
    row = await one({"object_id": "", "account": "alex@contoso.onmicrosoft.com"}, world)

    assert (row.verdict, row.object_id) == (Verdict.CHANGE, ALEX)


@pytest.mark.parametrize("column", ["justification", "owner", "ticket", "documentation", "reason_class"])
@pytest.mark.parametrize(
    "text", ["1.23457E+11", "1,2E-05", "########", "#NAME?", "#DIV/0!", "#N/A", "#BEZUG!", "Err:508"]
)
async def test_what_a_spreadsheet_shows_in_place_of_a_value_is_rejected(column: str, text: str) -> None:
    world = World()
    await allowed(world)
    row = await one({column: text}, world)

    assert (row.verdict, "format the column as text" in row.why) == (Verdict.REJECT, True)


@pytest.mark.parametrize("ticket", ["#1234", "CHG-1E+5", "123456789012", "1E5", "1E-5", "#12 urgent!"])
async def test_a_ticket_that_looks_similar_is_taken(ticket: str) -> None:
    assert (await one({"ticket": ticket})).verdict is Verdict.ADD


async def test_a_damaged_text_that_the_entry_has_already_is_not_judged_again() -> None:
    world = World()
    await world.allowlist.put(an_entry(ticket="#NAME?", owner="ops@contoso.com"))

    assert (await one({"ticket": "#NAME?"}, world)).verdict is Verdict.CHANGE


@pytest.mark.parametrize(
    ("cells", "word"),
    [
        ({"object_id": FOREIGN}, "no account of this tenant"),
        ({"object_id": "", "account": "nobody@fabrikam.com"}, "no account of this tenant"),
        ({"object_id": "12345"}, "is not an object id"),
        ({"object_id": "", "account": ""}, "are empty"),
        ({"object_id": "", "account": "alex\u202e@contoso.com"}, "U+202E"),
        ({"object_id": "", "account": "<b>alex</b>@contoso.com"}, "markup"),
        ({"expires": "soon"}, "is not a date"),
        ({"expires": "2020-01-01"}, "out of range"),
        ({"owner": "the team"}, "is not an e-mail address"),
        ({"justification": "<img src=x>"}, "has markup"),
        ({"ticket": "CHG\u200b1"}, "U+200B"),
        ({"reason_class": "vendor"}, "needs documentation"),
        ({"reason_class": ""}, "reason_class is empty"),
    ],
)
async def test_a_row_is_rejected_with_the_reason(cells: dict[str, str], word: str) -> None:
    row = await one(cells)

    assert (row.verdict, word in row.why, row.after) == (Verdict.REJECT, True, None)


async def test_several_lines_about_one_account_are_all_rejected() -> None:
    plan = await planned({}, {"object_id": ALEX.upper()}, {"object_id": BLAKE})

    assert [row.verdict for row in plan.rows] == [Verdict.REJECT, Verdict.REJECT, Verdict.ADD]


async def test_ones_own_account_is_rejected() -> None:
    row = await one({}, author=Author(object_id=ALEX, name="alex"))

    assert (row.verdict, "another person" in row.why) == (Verdict.REJECT, True)


async def test_a_changed_row_says_what_changes() -> None:
    world = World()
    await allowed(world)
    row = await one({"owner": "new@contoso.com", "expires": "2026-12-27T09:00:00Z"}, world)

    assert (row.verdict, row.why) == (Verdict.CHANGE, "owner: ops@contoso.com → new@contoso.com")


async def test_a_malformed_row_is_replaced() -> None:
    world = World()
    world.allowlist.rows = {ALEX: MALFORMED}

    assert (await one({}, world)).verdict is Verdict.CHANGE


async def test_accounts_that_are_bypassed_already_are_named() -> None:
    world = World()
    swept(world, ALEX)

    assert "Bypassed already: alex@contoso" in (await planned({}, world=world)).says[0]


async def test_a_needed_approval_is_said() -> None:
    plan = await planned({}, world=World(allowlist_approval="required"))

    assert "until another person approves it" in plan.says[0]


async def test_without_the_directory_an_account_needs_an_answer_of_the_responder() -> None:
    world = World()
    answer = await inspect(ALEX, world.services)
    world.directory.fail("find", PermissionMissingError("no", permission="User.Read.All"), always=True)
    before = await planned({}, world=world)
    await world.inspections.save(answer)
    after = await planned({}, world=world)

    assert (before.rows[0].verdict, before.ask) == (Verdict.REJECT, (ALEX,))
    assert (after.rows[0].verdict, after.rows[0].account) == (Verdict.ADD, "alex@contoso.onmicrosoft.com")


OTHER_NAME = {"account": "blake@contoso.onmicrosoft.com"}


@pytest.mark.parametrize("row", [None, an_entry(display_name="alex@contoso.com"), MALFORMED])
@pytest.mark.parametrize("readable", [True, False])
async def test_a_name_that_is_not_that_of_the_object_id_is_rejected(row: Any, readable: bool) -> None:
    world = World()
    world.allowlist.rows = {ALEX: row} if row else {}
    if not readable:
        await world.inspections.save(await inspect(ALEX, world.services))
        world.directory.fail("find", PermissionMissingError("no", permission="User.Read.All"), always=True)
    found = await one(OTHER_NAME, world)

    assert (found.verdict, "is not the name of" in found.why) == (Verdict.REJECT, True)


async def test_a_name_that_another_line_resolves_is_not_that_of_a_line_with_an_object_id() -> None:
    name = {"account": "alex@contoso.onmicrosoft.com"}
    plan = await planned({"object_id": FOREIGN, **name}, {"object_id": "", **name})

    assert [row.verdict for row in plan.rows] == [Verdict.REJECT, Verdict.ADD]


async def test_the_entry_may_bear_the_accounts_earlier_name() -> None:
    world = World()
    await world.allowlist.put(an_entry(display_name="Old@contoso.com"))
    old = await one({"account": "old@contoso.com"}, world)
    new = await one({"account": "alex@contoso.onmicrosoft.com"}, world)

    assert (old.verdict, new.verdict) == (Verdict.CHANGE, Verdict.CHANGE)


async def test_the_same_file_has_the_same_plan_id() -> None:
    assert (await planned({})).plan_id == (await planned({})).plan_id != (await planned({"ticket": "2"})).plan_id


texts = st.text(min_size=1, max_size=20).filter(lambda text: text == text.strip() and "\u00a0" not in text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=50)
@given(justification=texts, ticket=texts, seconds=st.integers(0, 10**7))
async def test_what_was_exported_is_imported_as_it_is(justification: str, ticket: str, seconds: int) -> None:
    """Whatever was typed in a storage tool: nothing is rejected that nobody changes."""
    world = World()
    entry = an_entry(justification=justification, ticket=ticket, expires_at=START + timedelta(seconds=seconds))
    world.allowlist.rows = {ALEX: entry}
    data = write_file(await read_entries(world.services)).encode("utf-8-sig")
    plan = await plan_import(data, world.services, author=OPS)

    assert [row.verdict for row in plan.rows] == [Verdict.SAME]
