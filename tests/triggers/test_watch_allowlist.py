"""Changes of the allowlist are seen once a minute, and an entry counts since it was first there."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.errors import RefusedError, TransientError
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.allowlist import SeenRow, Snapshot
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import Author, DecisionMessage
from bypass_responder.model.finding import Finding
from bypass_responder.model.step import StepKind, StepState
from bypass_responder.operating.decide import is_approved, prepare_approval
from bypass_responder.triggers.watch_allowlist import watch_allowlist
from tests.adversary.scenes import numbered_accounts, verdict_of
from tests.world import ALEX, MALLORY, OPS, START, World, a_finding, a_hint, an_account, an_entry


async def edited(world: World, **fields: Any) -> None:
    """Somebody edits ALEX's row, or adds it; then a minute passes and a run follows."""
    before = await world.allowlist.get(ALEX)
    given = before.model_copy(update=fields) if isinstance(before, AllowlistEntry) else an_entry(**fields)
    await world.allowlist.put(given, replaces=before.etag if before else None)
    await world.passes(minutes=1)


async def watched(**settings: Any) -> World:
    """A responder that has seen the empty allowlist."""
    world = World(**settings)
    await world.passes(minutes=1)
    return world


def overtake(world: World, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[Snapshot], Awaitable[None]]) -> None:
    """Call ``meanwhile`` after the next run has stored the snapshot that it is about to record.

    It receives that snapshot.
    """
    replace = world.allowlist_snapshot.replace

    async def overtaken(snapshot: Snapshot) -> str:
        monkeypatch.setattr(world.allowlist_snapshot, "replace", replace)
        etag = await replace(snapshot)
        await meanwhile(dataclasses.replace(snapshot, etag=etag))
        return etag

    monkeypatch.setattr(world.allowlist_snapshot, "replace", overtaken)


def notified(world: World, about: str) -> list[str]:
    return [note.title for note in world.notifier.sent if note.about == about]


async def verdict(world: World, **fields: Any) -> str:
    finding: Finding = a_finding(**fields)
    await world.sees(finding)
    return await verdict_of(finding, world)


async def test_an_owner_corrected_after_the_bypass_leaves_it_exempt() -> None:
    """Entry, bypass, owner corrected ten minutes later; the record arrives after an hour."""
    world = await watched()
    await edited(world)
    began = world.now + timedelta(seconds=5)
    world.bypassed[ALEX] = True
    world.now += timedelta(minutes=10)
    await edited(world, owner="new@contoso.com")
    world.now += timedelta(hours=1)

    assert await verdict(world, effective_at=began) == "allowlisted"


async def test_an_entry_added_after_the_bypass_is_unclear() -> None:
    world = await watched()
    began = world.now
    world.now += timedelta(minutes=1)
    await edited(world)
    await edited(world, owner="new@contoso.com")

    assert await verdict(world, effective_at=began) == "allowlist_unclear"


async def test_an_entry_that_was_removed_in_between_is_unclear() -> None:
    world = await watched()
    await edited(world)
    world.allowlist.take_away(ALEX)
    await world.passes(minutes=1)
    began = world.now
    world.now += timedelta(minutes=1)
    await edited(world)

    assert await verdict(world, effective_at=began) == "allowlist_unclear"


async def removed_after_use(*, on: bool, **settings: Any) -> World:
    """An entry, a bypass five minutes later, and the removal of the entry after 40 more.

    The record of the bypass comes after the removal.
    """
    world = await watched(**settings)
    await edited(world)
    world.now += timedelta(minutes=5)
    began = world.now
    world.now += timedelta(minutes=40)
    world.bypassed[ALEX] = on
    world.allowlist.take_away(ALEX)
    await world.passes(minutes=20)
    await world.sees(a_finding(effective_at=began, received_at=world.now))
    return world


async def test_a_late_record_of_an_allowed_bypass_that_ended_with_its_entry_is_held() -> None:
    world = await removed_after_use(on=False)
    await world.answer()
    await world.answer()
    steps = await world.steps()

    assert (await world.incidents())[0].verdict == "allowlist_unclear"
    assert (world.directory.enabled[ALEX], steps[StepKind.BLOCK_SIGN_IN].state) == (True, StepState.HELD)
    assert "held" in await world.notifications()


async def test_a_late_record_of_an_allowed_bypass_that_outlived_its_entry_contains() -> None:
    world = await removed_after_use(on=True)
    await world.answer()
    [incident] = await world.incidents()

    assert (incident.verdict, world.directory.enabled[ALEX]) == ("violation", False)
    assert "removed from the allowlist" in incident.reason


async def test_a_bypass_that_began_after_its_entry_was_removed_contains_without_a_question() -> None:
    world = await watched()
    await edited(world)
    world.allowlist.take_away(ALEX)
    await world.passes(minutes=1)
    await world.sees(a_finding(effective_at=world.now + timedelta(seconds=5)))

    assert not world.directory.enabled[ALEX]


async def test_where_approvals_are_required_a_removed_entry_excuses_nothing() -> None:
    world = await removed_after_use(on=False, allowlist_approval="required")

    assert not world.directory.enabled[ALEX]


async def test_auditing_of_a_protected_account_waits_for_no_question_about_a_removed_entry() -> None:
    world = await removed_after_use(on=True, protected_object_ids=ALEX)

    assert [sent.kind for sent in world.exchange.sent] == ["disable_bypass"]


async def test_a_removal_that_no_run_has_seen_yet_is_one() -> None:
    world = await watched()
    await edited(world)
    began = world.now = world.now + timedelta(minutes=5)
    world.now += timedelta(minutes=40)
    world.allowlist.take_away(ALEX)
    finding = a_finding(effective_at=began, received_at=world.now)
    await world.sees(finding)
    await world.answer()

    assert await verdict_of(finding, world) == "allowlist_unclear"


async def test_each_change_is_notified_once() -> None:
    world = await watched()
    await edited(world)
    await edited(world, owner="new@contoso.com")
    world.allowlist.take_away(ALEX)
    for _ in range(3):
        await world.passes(minutes=1)
    titles = [title.split(":")[0] for title in notified(world, "allowlist_changed")]

    assert titles == ["Allowlist entry added", "Allowlist entry changed", "Allowlist entry removed"]


async def test_the_first_run_notifies_of_all_entries_together() -> None:
    world = World()
    for account in numbered_accounts(1000):
        world.allowlist.rows[account.object_id] = an_entry(account.object_id)
    await world.passes(minutes=1)
    await world.passes(minutes=1)

    assert notified(world, "allowlist_changed") == [
        "The allowlist has 1,000 entries; from now on each change is notified"
    ]


async def test_without_a_change_nothing_is_written() -> None:
    world = World()
    for account in numbered_accounts(50):
        world.allowlist.rows[account.object_id] = an_entry(account.object_id)
    for _ in range(4):
        await world.passes(minutes=1)
    before = (len(world.ledger.calls), world.allowlist_snapshot.calls.count(("replace", "")))
    await world.passes(minutes=1)
    ledger_calls = world.ledger.calls[before[0] :]

    assert world.allowlist_snapshot.calls.count(("replace", "")) == before[1]
    assert [call for call in ledger_calls if call[0] == "commit"] == []


async def test_a_lost_snapshot_repeats_no_notification() -> None:
    world = await watched()
    await edited(world)
    world.allowlist_snapshot.kept = None
    await world.passes(minutes=1)

    assert len([title for title in notified(world, "allowlist_changed") if "added" in title]) == 1


async def test_a_row_that_cannot_be_recorded_is_recorded_at_the_next_run() -> None:
    world = await watched()
    world.ledger.fail("load", TransientError("503"), about=ALEX)
    with pytest.raises(ExceptionGroup):
        await edited(world)
    await world.passes(minutes=1)
    await world.passes(minutes=1)

    assert len(notified(world, "allowlist_changed")) == 1


async def test_the_first_use_of_an_entry_is_notified_once() -> None:
    world = await watched()
    await edited(world)
    for minutes in (5, 10):
        await verdict(world, effective_at=world.now + timedelta(minutes=minutes))
    await world.passes(hours=1)

    assert len(notified(world, "allowlist_used")) == 1


async def test_an_entry_that_was_removed_and_added_again_is_used_for_the_first_time_again() -> None:
    world = await watched()
    for minutes in (5, 10):
        await edited(world)
        await verdict(world, effective_at=world.now + timedelta(minutes=minutes))
        world.allowlist.take_away(ALEX)
        await world.passes(minutes=1)

    assert len(notified(world, "allowlist_used")) == 2


async def test_an_entry_that_was_gone_before_a_comparison_saw_it_begins_anew() -> None:
    """Used within a minute, and removed: what the decision recorded lends no age to a later entry."""
    world = await watched()
    await world.allowlist.put(an_entry())
    await world.sees(a_finding(effective_at=world.now + timedelta(seconds=1)))
    world.allowlist.take_away(ALEX)
    await world.passes(minutes=1)
    began = world.now
    world.now += timedelta(minutes=1)
    await world.allowlist.put(an_entry())

    assert await verdict(world, id="20fd5006-645b-42be-8000-00000000beef", effective_at=began) == "allowlist_unclear"


async def test_a_row_that_was_recorded_before_a_crash_and_removed_is_found_to_be_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = await watched()
    await world.allowlist.put(an_entry())
    replace = world.allowlist_snapshot.replace
    stored: list[Snapshot] = []

    async def once(snapshot: Snapshot) -> str:
        if stored:
            raise TransientError("the host ends here")
        stored.append(snapshot)
        return await replace(snapshot)

    monkeypatch.setattr(world.allowlist_snapshot, "replace", once)
    with pytest.raises(TransientError):
        await watch_allowlist(world.services)
    monkeypatch.setattr(world.allowlist_snapshot, "replace", replace)
    world.allowlist.take_away(ALEX)
    await watch_allowlist(world.services)

    assert [row.gone_at is None for row in (await world.case()).rows(SeenRow)] == [False]


async def test_what_a_slower_run_recorded_is_compared_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that has read an entry is held up; the entry is removed, and another run compares.

    The slower run then records the entry.
    """
    world = await watched()
    await world.allowlist.put(an_entry())

    async def removed_and_compared(stored: Snapshot) -> None:
        world.allowlist.take_away(ALEX)
        await world.allowlist_snapshot.replace(Snapshot({}, stored.etag, comparison=stored.comparison + 1))

    overtake(world, monkeypatch, removed_and_compared)
    await watch_allowlist(world.services)

    assert [row.gone_at is None for row in (await world.case()).rows(SeenRow)] == [False]


async def test_a_run_overtaken_between_its_two_reads_leaves_the_newer_row_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another run records a new entry after this one has made one of its two reads."""
    world = await watched()
    read, entries = world.allowlist_snapshot.read, world.allowlist.entries

    async def another_run() -> None:
        monkeypatch.setattr(world.allowlist_snapshot, "read", read)
        monkeypatch.setattr(world.allowlist, "entries", entries)
        await world.allowlist.put(an_entry())
        await watch_allowlist(world.services)

    async def read_then_overtaken() -> Snapshot | None:
        before = await read()
        await another_run()
        return before

    async def entries_then_overtaken() -> AsyncIterator[AllowlistEntry | MalformedEntry]:
        rows = [row async for row in entries()]
        await another_run()
        for row in rows:
            yield row

    monkeypatch.setattr(world.allowlist_snapshot, "read", read_then_overtaken)
    monkeypatch.setattr(world.allowlist, "entries", entries_then_overtaken)
    await watch_allowlist(world.services)

    assert [row.gone_at for row in (await world.case()).rows(SeenRow)] == [None]


async def test_what_a_run_records_after_a_later_one_saw_the_entry_removed_is_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The slower run ends there, so that it does not compare again."""
    world = await watched()
    await world.allowlist.put(an_entry())

    async def removed_and_compared(_: Snapshot) -> None:
        world.allowlist.take_away(ALEX)
        await watch_allowlist(world.services)
        monkeypatch.setattr(world.allowlist_snapshot, "replace", ended)

    async def ended(_: Snapshot) -> str:
        raise TransientError("the host ends here")

    overtake(world, monkeypatch, removed_and_compared)
    with pytest.raises(TransientError):
        await watch_allowlist(world.services)

    assert [row.gone_at is None for row in (await world.case()).rows(SeenRow)] == [False]


async def test_a_removal_recorded_after_the_entry_is_back_is_corrected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run is held up before it records a removal, while the entry is added again.

    Another run records that the entry is back.
    """
    world = await watched()
    await world.allowlist.put(an_entry())
    await world.passes(minutes=1)
    world.allowlist.take_away(ALEX)

    async def added_and_compared(_: Snapshot) -> None:
        await world.allowlist.put(an_entry())
        await watch_allowlist(world.services)

    overtake(world, monkeypatch, added_and_compared)
    await watch_allowlist(world.services)

    assert [row.gone_at for row in (await world.case()).rows(SeenRow)] == [None]


async def test_a_misspelled_row_that_could_mean_the_account_is_unclear() -> None:
    world = await watched()
    keys = ("tenant", f"{ALEX}\u200b")
    world.allowlist.rows["misspelled"] = MalformedEntry(object_id=keys[1], problem="the keys", keys=keys, etag="v1")

    assert await verdict(world) == "allowlist_unclear"


async def test_a_name_as_key_is_unclear_for_the_account_of_that_name() -> None:
    world = await watched()
    keys = ("tenant", "Alex@contoso.onmicrosoft.com ")
    world.allowlist.rows["misspelled"] = MalformedEntry(object_id=keys[1], problem="the keys", keys=keys, etag="v1")

    assert await verdict(world) == "allowlist_unclear"


async def test_a_misspelled_row_of_no_account_is_notified_in_the_tenant() -> None:
    world = await watched()
    keys = ("tenant", "svc@contoso.com")
    world.allowlist.rows["misspelled"] = MalformedEntry(object_id=keys[1], problem="the keys", keys=keys, etag="v1")
    await world.passes(minutes=1)

    assert "allowlist_changed" in await world.notifications(TENANT_TARGET)


async def test_a_hundred_removed_rows_of_no_account_do_not_stop_the_comparison() -> None:
    """Their marks are forgotten an hour later: all at once they were more than a transaction holds."""
    world = await watched()
    for number in range(100):
        keys = ("tenant", f"svc{number}@contoso.com")
        row = MalformedEntry(object_id=keys[1], problem="the keys", keys=keys, etag="v1")
        world.allowlist.rows[f"misspelled {number}"] = row
    await world.passes(minutes=1)
    last = world.allowlist.rows.pop("misspelled 99")
    world.allowlist.rows = {"misspelled 99": last}
    await world.passes(minutes=1)
    world.allowlist.rows = {}
    await world.passes(hours=2)
    left = [row for row in (await world.case(TENANT_TARGET)).rows(SeenRow) if row.gone_at is not None]

    assert len(left) == 100 - 30


# --- approval


REQUIRED = {"allowlist_approval": "required"}


async def approval(world: World, *, author: Author = OPS) -> DecisionMessage:
    _, message = await prepare_approval(ALEX, world.services, reason="checked", author=author)
    return message


async def test_an_entry_that_nobody_approved_is_unclear() -> None:
    world = await watched(**REQUIRED)
    await edited(world)

    assert await verdict(world, effective_at=world.now + timedelta(minutes=5)) == "allowlist_unclear"


async def test_an_approved_entry_exempts() -> None:
    world = await watched(**REQUIRED)
    await edited(world)
    await world.delivers(await approval(world))

    assert await verdict(world, effective_at=world.now + timedelta(minutes=5)) == "allowlisted"


async def test_an_approval_after_the_bypass_is_unclear() -> None:
    world = await watched(**REQUIRED)
    await edited(world)
    began = world.now
    world.now += timedelta(minutes=5)
    await world.delivers(await approval(world))

    assert await verdict(world, effective_at=began) == "allowlist_unclear"


async def test_a_changed_entry_needs_approval_again() -> None:
    world = await watched(**REQUIRED)
    await edited(world)
    await world.delivers(await approval(world))
    await edited(world, expires_at=START + timedelta(days=300))
    after_edit = await verdict(world, effective_at=world.now + timedelta(minutes=5))

    assert after_edit == "allowlist_unclear"


async def shown_as_approved(world: World) -> bool:
    entry = await world.allowlist.get(ALEX)
    return isinstance(entry, AllowlistEntry) and await is_approved(entry, world.services)


async def test_an_entry_is_shown_as_approved_until_it_is_edited() -> None:
    world = await watched(**REQUIRED)
    await edited(world)
    added = await shown_as_approved(world)
    await world.delivers(await approval(world))
    approved = await shown_as_approved(world)
    await edited(world, owner="new@contoso.com")

    assert (added, approved, await shown_as_approved(world)) == (False, True, False)


async def test_an_approved_correction_does_not_begin_anew() -> None:
    world = await watched(**REQUIRED)
    await edited(world)
    await world.delivers(await approval(world))
    began = world.now + timedelta(seconds=5)
    world.now += timedelta(minutes=10)
    await edited(world, owner="new@contoso.com")
    await world.delivers(await approval(world))

    assert await verdict(world, effective_at=began) == "allowlisted"


async def test_an_approval_of_another_row_is_refused() -> None:
    world = await watched(**REQUIRED)
    await edited(world)
    message = await approval(world)
    await edited(world, owner="new@contoso.com")
    recorded = await world.delivers(message)

    assert (recorded.outcome, "was changed" in recorded.why) == ("refused", True)


@pytest.mark.parametrize(
    "author",
    [
        Author(object_id=ALEX, name="somebody"),
        Author(object_id="0a0a0a0a-0000-4000-8000-00000000000a", name="editor@contoso.onmicrosoft.com"),
    ],
    ids=["account", "editor"],
)
async def test_neither_the_account_nor_its_editor_approves(author: Author) -> None:
    world = await watched(**REQUIRED)
    await edited(world, approved_by="editor@contoso.onmicrosoft.com (no object id)")

    with pytest.raises(RefusedError):
        await approval(world, author=author)


async def test_an_actor_of_an_active_incident_does_not_approve() -> None:
    world = await watched(**REQUIRED)
    await world.sees(a_finding())
    await edited(world)

    with pytest.raises(RefusedError, match="actor"):
        await approval(world, author=Author(name=MALLORY.user_id or ""))


async def test_a_repeated_approval_is_recorded_once() -> None:
    world = await watched(**REQUIRED)
    await edited(world)
    message = await approval(world)
    first, second = await world.delivers(message), await world.delivers(message)

    assert first == second


async def test_an_approval_for_an_account_without_an_entry_is_refused() -> None:
    world = await watched(**REQUIRED)
    await edited(world)
    message = await approval(world)
    world.allowlist.take_away(ALEX)

    assert (await world.delivers(message)).outcome == "refused"


async def test_a_correction_that_waits_for_approval_does_not_switch_the_bypass_off() -> None:
    """A sweep finds that the entry does not count now: everything is held."""
    world = await watched(**REQUIRED)
    await world.sweep()
    await edited(world)
    await world.delivers(await approval(world))
    await world.passes(minutes=20)
    await world.sweep()
    world.bypassed[ALEX] = True
    await world.passes(minutes=15)
    await world.sweep()
    await world.answer()
    await edited(world, owner="new@contoso.com")
    await world.passes(minutes=15)
    await world.sweep()
    await world.answer()

    assert (await world.states())[StepKind.DISABLE_BYPASS] is StepState.HELD
    assert world.bypassed[ALEX]


async def test_a_hint_begins_at_the_last_complete_sweep_that_had_the_account_off() -> None:
    """Off at the sweep, entry, on, alert: nobody can say whether the entry came first."""
    world = World(an_account())
    await world.sweep()
    world.now += timedelta(minutes=5)
    await world.allowlist.put(an_entry())
    world.now += timedelta(minutes=5)
    world.bypassed[ALEX] = True
    hint = a_hint(effective_at=world.now, received_at=world.now)
    await world.sees(hint)
    world.now += timedelta(seconds=10)
    await world.answer()

    assert await verdict_of(hint, world) == "allowlist_unclear"


async def test_entries_that_expire_soon_are_notified_once_a_week() -> None:
    world = await watched()
    await world.allowlist.put(an_entry(expires_at=START + timedelta(days=20)))
    for _ in range(21):
        await world.passes(days=1)

    assert len(notified(world, "allowlist_expiring")) == 3


async def test_an_allowlist_of_which_nothing_expires_soon_has_no_digest() -> None:
    world = await watched()
    await world.allowlist.put(an_entry(expires_at=START + timedelta(days=60)))
    await world.passes(days=1)

    assert notified(world, "allowlist_expiring") == []


async def test_a_run_without_a_change_and_a_due_digest_writes_no_snapshot() -> None:
    world = await watched()
    await world.allowlist.put(an_entry(expires_at=START + timedelta(days=3)))
    await world.passes(minutes=1)
    before = len(world.allowlist_snapshot.calls)
    await world.passes(minutes=1)

    assert [call for call, _ in world.allowlist_snapshot.calls[before:]] == ["read"]
