"""Edits of one entry: what they say first, what they write, and that the history knows who made them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import PermissionMissingError, RefusedError, TransientError
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.decision_message import Author
from bypass_responder.operating.allowlist.edit import (
    Edit,
    make,
    plan_add,
    plan_keep,
    plan_remove,
    plan_set,
    plan_undo,
)
from bypass_responder.operating.allowlist.history import Change, Known, history
from bypass_responder.services import Services
from tests.operating.allowlist.builders import allowed, delivers, makes, some_fields, swept
from tests.world import ALEX, OPS, START, World, a_finding, an_account, an_entry

LATER = START + timedelta(days=360)


async def changes(world: World) -> list[Change]:
    return history([entry async for entry in world.ledger.log(ALEX)])


async def extended(services: Services) -> Edit:
    return await plan_set(ALEX, {"expires_at": LATER}, services, author=OPS)


async def corrected(services: Services) -> Edit:
    return await plan_set(ALEX, {"owner": "new@contoso.com"}, services, author=OPS)


async def undone(services: Services) -> Edit:
    return await plan_undo(ALEX, services, author=OPS)


async def kept(services: Services) -> Edit:
    return await plan_keep(ALEX, services, author=OPS)


async def removed(services: Services) -> Edit:
    return await plan_remove(ALEX, services, author=OPS)


async def test_an_entry_bears_who_wrote_it_and_with_what() -> None:
    entry = await allowed(World())

    assert (entry.edited_by, entry.via, entry.approved_by, entry.reviewed_by) == (
        str(OPS),
        "bypassctl",
        *[str(OPS)] * 2,
    )


async def test_the_history_names_the_editor_of_each_edit() -> None:
    world = World()
    await allowed(world)
    for plan in (extended, corrected, kept, undone, removed):
        await makes(world, await plan(world.services))

    assert [line.known for line in await changes(world)] == [Known.CLAIMED] * 6


async def test_a_lost_report_leaves_what_the_row_says() -> None:
    world = World()
    await allowed(world)
    await makes(world, await corrected(world.services), deliver=False)

    assert [line.known for line in await changes(world)] == [Known.CLAIMED, Known.NAMED_BY_ROW]


async def test_an_edit_in_a_storage_tool_has_no_known_editor() -> None:
    world = World()
    entry = await allowed(world)
    await world.allowlist.put(entry.model_copy(update={"owner": "x@contoso.com"}), replaces=entry.etag)
    await world.passes(minutes=1)

    assert (await changes(world))[-1].known is Known.UNKNOWN


async def test_a_report_that_cannot_be_sent_leaves_the_edit_made() -> None:
    world = World()
    await allowed(world)
    world.decisions.fail("send", PermissionMissingError("no", permission="Storage Queue Data Message Sender"))
    made = await makes(world, await corrected(world.services))

    assert (made.reported, (await changes(world))[-1].known) == (False, Known.NAMED_BY_ROW)


@pytest.mark.parametrize("plan", [extended, corrected, kept])
async def test_two_editors_are_shown_both_changes(plan: Callable[[Services], Awaitable[Edit]]) -> None:
    world = World()
    await allowed(world)
    edit = await plan(world.services)
    other = await plan_set(ALEX, {"ticket": "CHG-2"}, world.services, author=Author(name="blake@contoso.com"))
    await make(other, world.services, author=Author(name="blake@contoso.com"), via="console", reason="mine")

    with pytest.raises(RefusedError, match=r"changed by blake@contoso.com .* meanwhile: .*CHG-2.*Yours was not made"):
        await make(edit, world.services, author=OPS, via="bypassctl", reason="mine")


async def test_an_entry_that_was_removed_meanwhile_is_not_written_again() -> None:
    world = World()
    await allowed(world)
    edit = await corrected(world.services)
    world.allowlist.take_away(ALEX)

    with pytest.raises(RefusedError, match="an unknown editor meanwhile"):
        await make(edit, world.services, author=OPS, via="bypassctl", reason="mine")


@pytest.mark.parametrize("author", [Author(object_id=ALEX, name="a"), Author(name="ALEX@contoso.onmicrosoft.com")])
async def test_nobody_allowlists_themselves(author: Author) -> None:
    world = World()
    with pytest.raises(RefusedError, match="cannot allowlist their own account"):
        await plan_add(an_account(), some_fields(), world.services, author=author)


async def test_nobody_extends_their_own_entry() -> None:
    world = World()
    await allowed(world)

    with pytest.raises(RefusedError, match="cannot allowlist their own account"):
        await plan_set(ALEX, {"expires_at": LATER}, world.services, author=Author(object_id=ALEX, name="a"))


async def test_a_person_may_remove_their_own_entry() -> None:
    world = World()
    await allowed(world)
    edit = await plan_remove(ALEX, world.services, author=Author(object_id=ALEX, name="a"))

    assert edit.after is None


async def test_wrong_fields_are_refused_with_the_fix() -> None:
    world = World()
    await allowed(world)

    with pytest.raises(RefusedError, match="is not an e-mail address"):
        await plan_set(ALEX, {"owner": "somebody"}, world.services, author=OPS)


async def test_the_same_values_are_no_edit() -> None:
    world = World()
    entry = await allowed(world)

    with pytest.raises(RefusedError, match="has these values already"):
        await plan_set(ALEX, {"owner": entry.owner}, world.services, author=OPS)


async def test_a_row_that_cannot_be_read_is_not_changed() -> None:
    world = World()
    world.allowlist.rows[ALEX] = MalformedEntry(object_id=ALEX, problem="Owner is missing")

    with pytest.raises(RefusedError, match="Owner is missing"):
        await corrected(world.services)


async def test_adding_an_account_that_has_an_entry_shows_the_difference() -> None:
    world = World()
    await allowed(world)

    with pytest.raises(RefusedError, match=r"has an entry already.*CHG-2"):
        await plan_add(an_account(), some_fields(ticket="CHG-2"), world.services, author=OPS)


# ---- what an edit says first ------------------------------------------------------------------------------------


async def test_removing_says_that_a_bypassed_account_will_be_contained() -> None:
    world = World()
    await allowed(world)
    swept(world, ALEX)
    edit = await removed(world.services)

    assert edit.says[0].startswith("Bypassed now (as of 2026-03-02 09:02:00Z): this account will be contained")


async def test_removing_in_observe_says_that_it_would_be() -> None:
    world = World(mode="observe")
    await allowed(world)
    swept(world, ALEX)
    edit = await removed(world.services)

    assert "this account would be contained" in edit.says[0]


async def test_removing_an_account_that_is_off_says_nothing() -> None:
    world = World()
    await allowed(world)
    swept(world)

    assert (await removed(world.services)).says == ()


async def test_removing_says_so_when_nothing_is_known() -> None:
    world = World()
    await allowed(world)

    assert (await removed(world.services)).says[0].startswith("It is not known whether its bypass is on")


async def test_adding_an_account_that_is_bypassed_says_what_that_means() -> None:
    world = World()
    swept(world, ALEX)
    edit = await plan_add(an_account(), some_fields(), world.services, author=OPS)

    assert "Its bypass is on already" in edit.says[0]


async def test_adding_says_that_an_approval_is_needed() -> None:
    world = World(allowlist_approval="required")
    swept(world)
    edit = await plan_add(an_account(), some_fields(), world.services, author=OPS)

    assert edit.says[0].startswith("It does not count until another person approves it")


async def test_extending_says_that_the_account_stays_covered() -> None:
    world = World()
    await allowed(world)
    swept(world, ALEX)

    assert (await extended(world.services)).says == ("The account stays covered without interruption.",)


async def test_undoing_an_addition_says_what_removing_says() -> None:
    world = World()
    await allowed(world)
    swept(world, ALEX)

    assert "this account will be contained" in (await undone(world.services)).says[0]


# ---- undo -------------------------------------------------------------------------------------------------------


async def test_undo_restores_each_field() -> None:
    world = World()
    before = await allowed(world)
    await makes(world, await plan_set(ALEX, {"owner": "new@contoso.com", "ticket": "2"}, world.services, author=OPS))
    await makes(world, await undone(world.services))
    after = await world.allowlist.get(ALEX)

    assert after is not None
    assert after.columns == before.columns


async def test_undo_of_an_undo_is_the_edit_again() -> None:
    world = World()
    await allowed(world)
    await makes(world, await corrected(world.services))
    await makes(world, await undone(world.services))
    await makes(world, await undone(world.services))
    after = await world.allowlist.get(ALEX)

    assert isinstance(after, AllowlistEntry)
    assert after.owner == "new@contoso.com"


async def test_undo_restores_what_a_person_did_in_a_storage_tool() -> None:
    world = World()
    entry = await allowed(world)
    await world.allowlist.put(entry.model_copy(update={"owner": "x@contoso.com"}), replaces=entry.etag)
    await world.passes(minutes=1)
    await makes(world, await undone(world.services))
    after = await world.allowlist.get(ALEX)

    assert isinstance(after, AllowlistEntry)
    assert after.owner == entry.owner


async def test_undo_waits_for_the_responder_to_have_seen_the_last_change() -> None:
    world = World()
    entry = await allowed(world)
    await world.allowlist.put(entry.model_copy(update={"owner": "x@contoso.com"}), replaces=entry.etag)

    with pytest.raises(RefusedError, match="Try again in a minute"):
        await undone(world.services)


async def test_there_is_nothing_to_undo_without_a_change() -> None:
    with pytest.raises(RefusedError, match="No change"):
        await undone(World().services)


async def test_a_value_that_was_cut_is_not_restored() -> None:
    world = World()
    await world.passes(minutes=1)
    await world.allowlist.put(an_entry(justification="x" * 500, edited_at=None))
    await world.passes(minutes=1)
    world.allowlist.take_away(ALEX)
    await world.passes(minutes=1)

    with pytest.raises(RefusedError, match="not known in full"):
        await undone(world.services)


# ---- an account that has been bypassed for months ---------------------------------------------------------------


async def bypassed_for_months(world: World) -> None:
    """ALEX is allowlisted, bypassed since January, and in the baseline as covered."""
    await allowed(world)
    world.now += timedelta(minutes=15)
    await world.sweep()
    world.bypassed[ALEX] = True
    world.now += timedelta(days=60)
    await world.sweep()
    await world.answer()


async def late_record(world: World, at: Any) -> str:
    """A record of an hour ago arrives: the archive tool sets the bypass again each night."""
    world.now += timedelta(hours=1)
    finding = a_finding(effective_at=at, received_at=world.now)
    await world.sees(finding)
    found = (await world.case()).by_key[f"finding-{finding.id}"]
    return str(found.verdict)  # type: ignore[attr-defined]


@pytest.mark.parametrize("plan", [extended, corrected, kept, undone])
async def test_an_edit_of_an_account_that_is_bypassed_for_months_changes_nothing(
    plan: Callable[[Services], Awaitable[Edit]],
) -> None:
    world = World()
    await bypassed_for_months(world)
    if plan is undone:
        await makes(world, await corrected(world.services))
    at = world.now
    world.now += timedelta(minutes=5)
    await makes(world, await plan(world.services))
    verdict = await late_record(world, at)
    await world.sweep()
    await world.answer()

    assert (verdict, world.bypassed[ALEX], await world.incidents()) == ("allowlisted", True, [])


async def test_two_edits_within_a_minute_change_nothing() -> None:
    """The responder gets the reports of both before a run compares the table."""
    world = World()
    await bypassed_for_months(world)
    at = world.now
    for plan in (extended, corrected):
        world.now += timedelta(seconds=10)
        edit = await plan(world.services)
        await make(edit, world.services, author=OPS, via="bypassctl", reason="ticket")
        await delivers(world, world.decisions.sent[-1])
    await world.passes(minutes=1)

    assert await late_record(world, at) == "allowlisted"


async def test_a_removal_that_is_undone_changes_nothing() -> None:
    """The entry was removed by mistake and restored ten minutes later, before a sweep.

    A record from before the removal comes later.
    """
    world = World()
    await bypassed_for_months(world)
    at = world.now
    world.now += timedelta(minutes=5)
    await makes(world, await removed(world.services))
    world.now += timedelta(minutes=10)
    await makes(world, await undone(world.services))
    verdict = await late_record(world, at)
    await world.sweep()
    await world.answer()

    assert (verdict, world.bypassed[ALEX], await world.incidents()) == ("allowlisted", True, [])


async def test_a_bypass_that_began_while_the_entry_was_removed_stays_uncovered() -> None:
    world = World()
    await bypassed_for_months(world)
    await makes(world, await removed(world.services))
    world.now += timedelta(minutes=5)
    at = world.now
    world.now += timedelta(minutes=5)
    await makes(world, await undone(world.services))

    assert await late_record(world, at) == "allowlist_unclear"


# ---- reports ----------------------------------------------------------------------------------------------------


async def test_a_report_that_is_delivered_twice_is_recorded_once() -> None:
    world = World()
    await allowed(world)
    await delivers(world, world.decisions.sent[-1])

    assert len(await changes(world)) == 1


async def test_a_report_about_an_account_that_nobody_knows_is_refused() -> None:
    world = World()
    await allowed(world)
    row = world.decisions.sent[-1].edit
    assert row is not None
    forged = row.model_copy(update={"rows": (row.rows[0].model_copy(update={"object_id": OPS.object_id}),)})
    message = world.decisions.sent[-1].model_copy(update={"message_id": world.services.new_id(), "edit": forged})
    await delivers(world, message)

    assert OPS.object_id not in await world.ledger.targets()
    assert await world.notifications("tenant") == ["decision_refused"]


async def test_a_report_about_ones_own_entry_is_refused_and_notified() -> None:
    world = World()
    await allowed(world)
    message = world.decisions.sent[-1].model_copy(
        update={"message_id": world.services.new_id(), "author": Author(object_id=ALEX, name="alex")}
    )
    await delivers(world, message)

    assert "decision_refused" in await world.notifications()


@pytest.mark.parametrize("after", [None, {}, {"display_name": "blake@contoso.onmicrosoft.com"}])
async def test_a_report_that_hides_whose_entry_it_is_is_refused(after: dict[str, str] | None) -> None:
    world = World()
    await allowed(world)
    sent, entry = world.decisions.sent[-1], await world.allowlist.get(ALEX)
    assert sent.edit is not None
    assert isinstance(entry, AllowlistEntry)
    edit = sent.edit.model_copy(update={"rows": (sent.edit.rows[0].model_copy(update={"after": after}),)})
    author = Author(name=entry.display_name)
    again = {"message_id": world.services.new_id(), "edit": edit, "author": author}
    await delivers(world, sent.model_copy(update=again))

    assert "decision_refused" in await world.notifications()


async def test_the_notification_of_a_change_names_its_editor() -> None:
    world = World()
    await allowed(world)
    await makes(world, await corrected(world.services))

    assert f"Edited by {OPS}, claimed" in world.notifier.sent[-1].text


async def test_a_transient_error_of_the_table_makes_no_edit() -> None:
    world = World()
    await allowed(world)
    world.allowlist.fail("put", TransientError("no answer"))

    with pytest.raises(TransientError):
        await make(await corrected(world.services), world.services, author=OPS, via="bypassctl", reason="t")
    assert len(world.decisions.sent) == 1
