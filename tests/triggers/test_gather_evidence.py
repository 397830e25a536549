"""The evidence run: planned automatically, durable, and separate from everything that acts."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from datetime import timedelta

import pytest

from bypass_responder.errors import RefusedError, ResponderError, ThrottledError, TransientError
from bypass_responder.evidence import asking
from bypass_responder.evidence.sources import SOURCES
from bypass_responder.model.gathered import Inquiry, Round
from bypass_responder.model.log import LogEntry
from bypass_responder.model.question import Empty, Found, Item, Pending, Question, Unavailable
from bypass_responder.triggers import gather_evidence as run
from bypass_responder.triggers.gather_evidence import gather_evidence
from tests.fakes import FakeSource
from tests.operating.incidents import scenes
from tests.world import ALEX, BLAKE, START, World, a_finding, an_account

RULE = Item(what="inbox rule", detail={"to": "drop@example.net"}, notable="forwards outside")
PERSONS = {source.name for source in SOURCES if source.name != "sign_ins_application"}


async def an_incident(**sources: FakeSource) -> World:
    """ALEX is contained; every source answers, with nothing unless a test says otherwise."""
    world = await scenes.contained()
    world.sources.update({source.name: FakeSource() for source in SOURCES} | sources)
    return world


async def gathers(world: World, **later: float) -> list[Inquiry]:
    """The timer runs; every question of the newest incident."""
    world.now += timedelta(**later)
    await gather_evidence(world.services)
    await world.passes()
    return await stored(world)


async def stored(world: World) -> list[Inquiry]:
    return await world.gathered.inquiries((await world.incidents())[-1].id)


async def logged(world: World) -> list[LogEntry]:
    return [entry async for entry in world.ledger.log(ALEX) if entry.event == "evidence_gathered"]


async def test_every_source_is_asked_about_a_new_incident() -> None:
    found = await gathers(await an_incident())

    assert {each.source for each in found} == PERSONS
    assert {type(each.answer) for each in found} == {Empty}


async def test_a_complete_round_is_in_the_response_log_once() -> None:
    world = await an_incident(sign_ins=FakeSource(Found(count=2)))
    await gathers(world)
    await gathers(world, minutes=5)
    [entry] = await logged(world)

    assert entry.text.startswith("evidence, round opened: 2 found, ")
    assert entry.text.endswith(" empty, 0 unavailable")


async def test_the_same_is_asked_again_a_day_after_the_restoration() -> None:
    world = await an_incident()
    await gathers(world)
    found = await gathers(world, hours=25)

    assert {each.round for each in found} == {Round.OPENED, Round.LATE}


async def test_nothing_is_asked_between_the_rounds() -> None:
    world = await an_incident()
    await gathers(world)
    before = len(world.sources["sign_ins"].asked)
    await gathers(world, hours=3)

    assert len(world.sources["sign_ins"].asked) == before


async def test_an_incident_that_is_restored_later_is_asked_about_again() -> None:
    world = await scenes.held()
    world.sources["sign_ins"] = FakeSource()
    await gathers(world)
    [incident] = await world.incidents()
    await world.decides("approve", incident.id)
    await world.answer()
    found = await gathers(world, minutes=11)

    assert Round.RESTORED in {each.round for each in found}


async def test_a_notable_item_is_notified_once() -> None:
    world = await an_incident(inbox_rules=FakeSource(Found(count=1, items=(RULE,))))
    await gathers(world)
    await gathers(world, hours=25)
    notes = [note for note in world.notifier.sent if note.about == "follow_on"]

    assert len(notes) == 1
    assert "inbox rule, forwards outside" in notes[0].text


async def test_facts_that_read_the_same_are_listed_once_with_their_number() -> None:
    twice = tuple(RULE.model_copy(update={"detail": {"to": to}}) for to in ("a@example.net", "b@example.net"))
    world = await an_incident(inbox_rules=FakeSource(Found(count=2, items=twice)))
    await gathers(world)
    [notes] = [note for note in world.notifier.sent if note.about == "follow_on"]

    assert notes.text.endswith("inbox rule, forwards outside (2 times).")


async def test_without_a_notable_item_nobody_is_notified() -> None:
    world = await an_incident(inbox_rules=FakeSource(Found(count=1, items=(Item(what="inbox rule"),))))
    await gathers(world)

    assert "follow_on" not in [note.about for note in world.notifier.sent]


async def test_what_was_found_is_notified_although_another_source_is_slow() -> None:
    slow = FakeSource(Pending(memo="query-1"))
    world = await an_incident(inbox_rules=FakeSource(Found(count=1, items=(RULE,))), ediscovery=slow)
    await gathers(world)
    before = [note.about for note in world.notifier.sent].count("follow_on")
    await gathers(world, minutes=16)

    assert (before, [note.about for note in world.notifier.sent].count("follow_on")) == (0, 1)


async def test_raw_records_are_kept_as_a_blob_without_subjects() -> None:
    world = await an_incident(sign_ins=FakeSource(Found(count=1, raw=({"id": "7", "Subject": "secret"},))))
    found = await gathers(world)
    [raw] = {each.raw.blob for each in found if each.raw}

    assert json.loads(world.gathered.blobs[str(raw)]) == {"id": "7", "Subject": "(removed)"}


@pytest.mark.parametrize("name", sorted(source.name for source in SOURCES))
async def test_no_subject_and_no_body_of_any_source_is_stored(name: str) -> None:
    planted = {"subject": "top-secret", "body": {"content": "top-secret"}}
    item = Item(what="message", detail={"subject": "top-secret"})
    nested = {"AuditData": json.dumps({"Item": planted})}
    world = await an_incident(**{name: FakeSource(Found(count=2, items=(item,), raw=(planted, nested)))})
    await gathers(world)
    everything = repr((world.gathered.rows, world.gathered.blobs, world.ledger.stored, world.ledger.logs))

    assert name == "sign_ins_application" or world.gathered.blobs
    assert "top-secret" not in everything


async def test_a_source_that_fails_costs_only_its_own_questions() -> None:
    world = await an_incident(graph_activity=FakeSource(TransientError("503")))
    found = await gathers(world)

    assert {each.source for each in found if each.answer is None} == {"graph_activity"}


async def test_a_source_that_throttles_is_left_alone_for_the_rest_of_the_run() -> None:
    world = await an_incident(sign_ins=FakeSource(ThrottledError("429", retry_after_seconds=60)))
    await gathers(world)

    assert len(world.sources["sign_ins"].asked) == 1


async def test_a_source_that_always_fails_ends_as_unavailable() -> None:
    world = await an_incident(sign_ins=FakeSource(TransientError("not JSON")))
    for _ in range(30):
        await gathers(world, minutes=30)

    assert {type(each.answer) for each in await stored(world) if each.source == "sign_ins"} == {Unavailable}


async def test_a_source_that_hangs_is_given_up_on_and_delays_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = {source.name: source.model_copy(update={"seconds": 0.01}) for source in SOURCES}
    monkeypatch.setattr(asking, "BY_NAME", quick)
    hanging = FakeSource()
    hanging.hangs = True
    world = await an_incident(sign_ins=hanging)
    found = await gathers(world)

    assert {each.source for each in found if each.answer is None} == {"sign_ins"}


async def test_a_crash_repeats_only_the_question_that_was_asked() -> None:
    world = await an_incident()
    world.gathered.fail("put", TransientError("the process ended"), about="inbox_rules")
    with pytest.raises(ExceptionGroup):
        await gathers(world)
    before = {name: len(source.asked) for name, source in world.sources.items()}
    await gathers(world, minutes=10)
    again = {name for name, source in world.sources.items() if len(source.asked) > before[name]}

    assert again == {"inbox_rules"}


async def test_another_run_at_the_same_time_asks_nothing_twice() -> None:
    world = await an_incident()

    async def other() -> None:
        await gather_evidence(world.services)

    class Slow(FakeSource):
        async def ask(self, question: Question, memo: str | None) -> Empty:
            self.asked.append((question, memo))
            if len(self.asked) == 1:
                await other()
            return Empty()

    world.sources["sign_ins"] = Slow()
    await gathers(world)
    questions = [question for question, _ in world.sources["sign_ins"].asked]

    assert len({str(question.account) for question in questions}) == len(questions)


async def test_a_storage_error_fails_the_run_and_loses_nothing() -> None:
    world = await an_incident(sign_ins=FakeSource(Found(count=1, raw=({"id": "1"},))))
    world.gathered.fail("keep", TransientError("503"))
    with pytest.raises(ExceptionGroup):
        await gathers(world)
    found = await gathers(world, minutes=10)

    assert {each.answer.kind for each in found if each.answer and each.source == "sign_ins"} == {"found"}


async def test_a_new_actor_is_asked_about_although_the_round_was_complete() -> None:
    world = World()
    world.sources.update({source.name: FakeSource() for source in SOURCES})
    world.bypassed[ALEX] = False
    await world.sweep()
    world.bypassed[ALEX] = True
    world.now += timedelta(minutes=15)
    await world.sweep()
    await world.answer()
    await gathers(world)
    before = {str(each.account) for each in await stored(world)}
    await world.sees(a_finding(effective_at=world.now - timedelta(minutes=10), received_at=world.now))
    found = await gathers(world, hours=1)

    assert before == {"alex@contoso.onmicrosoft.com"}
    assert "mallory@contoso.onmicrosoft.com" in {str(each.account) for each in found}


async def test_an_incident_of_the_history_is_asked_about_too() -> None:
    world = await an_incident()
    await gathers(world)
    await scenes.bypassed(world, effective_at=world.now)
    await world.passes(hours=1)
    first = (await world.incidents())[0]
    loaded = (await world.ledger.load(ALEX)).incident(first.id)
    await gathers(world, hours=25)

    assert loaded is None
    assert Round.LATE in {each.round for each in await world.gathered.inquiries(first.id)}


async def test_an_actor_is_asked_about_with_the_object_id_that_the_directory_knows() -> None:
    world = await an_incident()
    world.directory.accounts[BLAKE] = an_account(BLAKE, "mallory@contoso.onmicrosoft.com")
    await gathers(world)
    asked = {question.account.object_id for question, _ in world.sources["sign_ins"].asked}

    assert asked == {ALEX, BLAKE}


async def test_evidence_is_gathered_in_observe_too() -> None:
    world = await scenes.contained(mode="observe")
    world.sources["sign_ins"] = FakeSource(Found(count=1))
    found = await gathers(world)

    assert "found" in {each.answer.kind for each in found if each.answer}


async def test_evidence_changes_nothing_in_the_tenant() -> None:
    world = await an_incident()
    before = (dict(world.directory.accounts), len(world.exchange.sent))
    await gathers(world)

    assert (dict(world.directory.accounts), len(world.exchange.sent)) == before


async def test_what_is_too_old_is_deleted() -> None:
    world = await an_incident(sign_ins=FakeSource(Found(count=1, raw=({"id": "1"},))))
    await gathers(world)
    found = await gathers(world, days=181)

    assert (found, world.gathered.blobs, world.gathered.stored) == ([], {}, {})


async def test_containment_makes_the_same_calls_while_evidence_is_gathered() -> None:
    alone, beside = await scenes.contained(), await an_incident()
    await gathers(beside)
    calls = []
    for world in (alone, beside):
        world.directory.calls.clear()
        world.now = START + timedelta(days=2)
        world.bypassed[ALEX] = True
        await world.sees(a_finding(effective_at=world.now - timedelta(minutes=1), received_at=world.now))
        calls.append(list(world.directory.calls))

    assert calls[0] == calls[1]
    assert calls[0]


async def test_an_index_entry_without_an_incident_is_left_alone() -> None:
    world = await an_incident()
    [entry] = [each async for each in world.index.newest(kinds=["incident"])]
    await world.index.put([entry.model_copy(update={"id": "20260302-ffffffff"})])
    await gathers(world)

    assert await world.gathered.inquiries("20260302-ffffffff") == []


async def test_a_run_that_is_out_of_time_asks_the_rest_later(monkeypatch: pytest.MonkeyPatch) -> None:
    world = await an_incident()
    monkeypatch.setattr(run, "RUN_SECONDS", 0.0)
    first = await gathers(world)
    monkeypatch.undo()
    second = await gathers(world, minutes=5)

    assert {each.answer for each in first} == {None}
    assert None not in {each.answer for each in second}


async def test_a_target_that_cannot_be_read_holds_back_no_other() -> None:
    world = await an_incident()
    world.services = dataclasses.replace(world.services, sources=world.sources)
    world.ledger.fail("load", TransientError("503"), about=ALEX)
    with pytest.raises(ExceptionGroup) as raised:
        await gathers(world)

    assert raised.group_contains(ResponderError)
    assert {type(each.answer) for each in await gathers(world, minutes=5)} == {Empty}


async def test_a_source_knows_the_ids_of_the_responder_and_of_its_worker() -> None:
    world = await an_incident()
    worker, responder = "66666666-6666-4666-8666-666666666666", "77777777-7777-4777-8777-777777777777"
    world.deploy(exchange_worker_ids=worker, azure_client_id=responder)
    await gathers(world)
    source = world.sources["exchange_changes"]

    assert isinstance(source, FakeSource)
    assert {question.own_ids for question, _ in source.asked} == {frozenset({worker, responder})}


async def another_incident(world: World) -> None:
    """BLAKE is contained a minute later."""
    world.now += timedelta(minutes=1)
    await world.sees(a_finding(object_id_text=BLAKE, identity_text="blake@contoso.onmicrosoft.com"))


async def test_old_evidence_that_cannot_be_deleted_does_not_hold_back_questions() -> None:
    world = await an_incident()
    world.gathered.fail("forget", RefusedError("409 BlobImmutableDueToPolicy"), always=True)
    with pytest.raises(ExceptionGroup):
        await gather_evidence(world.services)

    assert {type(each.answer) for each in await stored(world)} == {Empty}


@pytest.mark.parametrize("plans", [1, 20])
async def test_questions_that_cannot_be_stored_do_not_hold_back_others(
    plans: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PLANS_AT_ONCE", plans)
    world = await an_incident()
    [old] = await world.incidents(ALEX)
    put = world.gathered.put

    async def refuses(inquiry: Inquiry) -> Inquiry:
        if inquiry.incident_id == old.id:
            raise RefusedError("413")
        return await put(inquiry)

    monkeypatch.setattr(world.gathered, "put", refuses)
    with pytest.raises(ExceptionGroup):
        await gather_evidence(world.services)
    await another_incident(world)

    with suppress(ExceptionGroup):
        await gather_evidence(world.services)

    [incident] = await world.incidents(BLAKE)
    found = await world.gathered.inquiries(incident.id)
    assert {each.answer is not None for each in found} == {True}


async def test_a_plan_whose_case_cannot_be_read_does_not_hold_back_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PLANS_AT_ONCE", 1)
    world = await an_incident()
    world.ledger.fail("load", TransientError("500"), about=ALEX, always=True)
    with pytest.raises(ExceptionGroup):
        await gather_evidence(world.services)
    await another_incident(world)

    await gather_evidence(world.services)

    [incident] = await world.incidents(BLAKE)
    assert await world.gathered.inquiries(incident.id)
