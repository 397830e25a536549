"""The entries of the allowlist as people see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import InputError, NotFoundError, PermissionMissingError, RefusedError
from bypass_responder.model.account import MalformedEntry
from bypass_responder.operating.allowlist.entries import (
    EntryState,
    EntryView,
    expiring,
    find_object_id,
    matching,
    read_entries,
    read_entry,
)
from tests.operating.allowlist.builders import swept
from tests.world import ALEX, BLAKE, START, World, an_entry

UPN = "alex@contoso.onmicrosoft.com"


async def listed(*rows: Any, **settings: Any) -> list[EntryView]:
    world = World(**settings)
    world.allowlist.rows = {row.object_id: row for row in rows}
    swept(world, BLAKE)
    return await read_entries(world.services)


async def test_the_first_to_expire_comes_first_and_malformed_rows_before_all() -> None:
    later = an_entry(BLAKE, expires_at=START + timedelta(days=90))
    broken = MalformedEntry(object_id="x", problem="Owner is missing")
    found = await listed(later, an_entry(), broken)

    assert [entry.object_id for entry in found] == ["x", ALEX, BLAKE]


@pytest.mark.parametrize(
    ("row", "settings", "state"),
    [
        (an_entry(), {}, EntryState.VALID),
        (an_entry(expires_at=START), {}, EntryState.EXPIRED),
        (an_entry(), {"allowlist_approval": "required"}, EntryState.NOT_APPROVED),
        (MalformedEntry(object_id=ALEX, problem="p"), {}, EntryState.MALFORMED),
    ],
)
async def test_an_entry_has_a_state(row: Any, settings: dict[str, Any], state: EntryState) -> None:
    [entry] = await listed(row, **settings)

    assert entry.state is state


async def test_an_entry_says_whether_its_account_is_bypassed() -> None:
    found = await listed(an_entry(), an_entry(BLAKE))

    assert {entry.object_id: entry.bypass.on for entry in found} == {ALEX: False, BLAKE: True}


async def test_without_a_sweep_it_is_not_known() -> None:
    world = World()
    world.allowlist.rows = {ALEX: an_entry()}
    entry = await read_entry(ALEX, world.services)

    assert entry is not None
    assert (entry.bypass.on, entry.behavior.text) == (None, "not checked")


async def test_a_review_is_due_so_many_days_after_the_last() -> None:
    [entry] = await listed(an_entry(reviewed_at=START), allowlist_review_days="30")

    assert entry.review_due == START + timedelta(days=30)


async def test_entries_that_expire_within_30_days_are_found() -> None:
    found = await listed(an_entry(), an_entry(BLAKE, expires_at=START + timedelta(days=30, hours=1)))

    assert [entry.object_id for entry in expiring(found)] == []
    assert [entry.object_id for entry in expiring(await listed(an_entry(expires_at=START)))] == [ALEX]


async def test_a_text_is_found_in_any_letter_case() -> None:
    found = await listed(an_entry(), an_entry(BLAKE, owner="backup@contoso.com"))

    assert [entry.object_id for entry in matching(found, " BACKUP@ ")] == [BLAKE]


@pytest.mark.parametrize("text", [ALEX, ALEX.upper(), f"{{{ALEX}}}", UPN, UPN.upper(), ALEX[:8]])
async def test_an_entry_is_found_by_id_part_of_an_id_or_name(text: str) -> None:
    world = World()
    world.allowlist.rows = {ALEX: an_entry(display_name=UPN), BLAKE: an_entry(BLAKE)}

    assert await find_object_id(text, world.services) == ALEX


async def test_a_text_that_matches_several_entries_is_refused() -> None:
    world = World()
    world.allowlist.rows = {row: an_entry(row) for row in (ALEX, ALEX.replace("0001", "0009"))}

    with pytest.raises(RefusedError, match="matches 2 entries"):
        await find_object_id("aaaa", world.services)


@pytest.mark.parametrize("text", ["nobody@contoso.com", "", " "])
async def test_a_text_that_matches_none_is_not_found(text: str) -> None:
    world = World()
    world.allowlist.rows = {ALEX: an_entry()}

    with pytest.raises(NotFoundError):
        await find_object_id(text, world.services)


@pytest.mark.parametrize("error", [InputError("corrupt_row", "x"), PermissionMissingError("no", permission="p")])
async def test_where_the_last_sweep_cannot_be_read_the_bypass_is_unknown(error: Exception) -> None:
    world = World()
    world.allowlist.rows = {ALEX: an_entry()}
    world.sweeps.fail("baseline", error)
    [entry] = await read_entries(world.services)

    assert entry.bypass.on is None


async def test_a_name_that_no_entry_bears_is_asked_of_the_directory() -> None:
    world = World()
    world.allowlist.rows = {ALEX: an_entry(display_name="")}

    assert await find_object_id(UPN, world.services) == ALEX


async def test_an_account_that_may_have_no_entry_is_found_in_the_directory() -> None:
    assert await find_object_id(UPN, World().services, listed=False) == ALEX


async def test_an_account_without_an_entry_is_not_on_the_allowlist() -> None:
    with pytest.raises(NotFoundError, match=f"{UPN} is not on the allowlist"):
        await find_object_id(UPN, World().services)
