"""Every way in which an ask can end becomes a state of the question."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.evidence import asking
from bypass_responder.evidence.sources import BY_NAME, CLOCKS
from bypass_responder.model.question import Answer, Empty, Found, Item, Pending, Unavailable
from tests.evidence.questions import an_inquiry
from tests.evidence.test_planning import an_incident
from tests.fakes import FakeSource
from tests.world import START


async def asked(answer: Answer | Exception | FakeSource) -> asking.Outcome:
    source = answer if isinstance(answer, FakeSource) else FakeSource(answer)
    return await asking.ask(an_inquiry(), an_incident(), {"sign_ins": source}, lambda: START)


@pytest.mark.parametrize("answer", [Empty(), Unavailable(reason="no license", fix="P1"), Found(count=3)])
async def test_an_answer_is_taken(answer: Empty | Unavailable | Found) -> None:
    assert (await asked(answer)).inquiry.answer == answer


async def test_a_source_that_works_gets_its_memo_again() -> None:
    outcome = await asked(Pending(memo="query-7", after=timedelta(minutes=2)))

    assert (outcome.inquiry.memo, outcome.inquiry.next_at) == ("query-7", START + timedelta(minutes=2))
    assert not outcome.failed


@pytest.mark.parametrize(
    "error", [TransientError("503"), ThrottledError("429", retry_after_seconds=5), KeyError("createdDateTime")]
)
async def test_a_failure_is_asked_again_and_the_source_left_alone(error: Exception) -> None:
    outcome = await asked(error)

    assert outcome.failed
    assert (outcome.inquiry.answer, outcome.inquiry.failed) == (None, 1)


async def test_a_missing_permission_is_unavailable_never_empty() -> None:
    answer = (await asked(PermissionMissingError("403.", permission="AuditLog.Read.All"))).inquiry.answer

    assert isinstance(answer, Unavailable)
    assert answer.reason == "The permission AuditLog.Read.All is missing."
    assert answer.fix == "bypassctl grant --evidence AuditLog.Read.All"


async def test_a_missing_permission_that_is_not_optional_is_no_case_for_grant_evidence() -> None:
    answer = (await asked(PermissionMissingError("403.", permission="Storage Table Data Reader"))).inquiry.answer

    assert isinstance(answer, Unavailable)
    assert "--evidence" not in answer.fix


@pytest.mark.parametrize("error", [RefusedError("400"), NotFoundError("404")])
async def test_a_refusal_is_unavailable(error: ResponderError) -> None:
    answer = (await asked(error)).inquiry.answer

    assert isinstance(answer, Unavailable)
    assert answer.reason == str(error)


async def test_a_source_that_is_not_there_is_unavailable() -> None:
    outcome = await asking.ask(an_inquiry(), an_incident(), {}, lambda: START)

    assert isinstance(outcome.inquiry.answer, Unavailable)


@pytest.mark.parametrize("deaf", [False, True])
async def test_a_source_that_hangs_costs_its_own_time_only(monkeypatch: pytest.MonkeyPatch, deaf: bool) -> None:
    monkeypatch.setitem(BY_NAME, "sign_ins", BY_NAME["sign_ins"].model_copy(update={"seconds": 0.01}))
    monkeypatch.setattr(asking, "GRACE_SECONDS", 0.01)
    source = FakeSource()
    source.hangs, source.deaf = True, deaf
    outcome = await asked(source)
    source.hangs = False

    assert outcome.inquiry.problem == "No answer within 0 seconds."


async def test_subjects_are_removed_from_raw_records_and_details() -> None:
    item = Item(what="message", detail={"subject": "secret", "to": "outside"})
    outcome = await asked(Found(count=1, items=(item,), raw=({"Subject": "secret"},)))

    assert "secret" not in repr(outcome)
    assert outcome.raw == ({"Subject": "(removed)"},)


def test_a_question_that_ends_the_process_is_not_asked_forever() -> None:
    inquiry = an_inquiry()
    for _ in range(asking.MOST_UNFINISHED + 1):
        inquiry = asking.claimed(inquiry, an_incident(), now=START)

    assert isinstance(inquiry.answer, Unavailable)


def test_a_claimed_question_is_left_to_the_run_that_claimed_it() -> None:
    assert asking.claimed(an_inquiry(), an_incident(), now=START).next_at == START + asking.LEASE


async def test_a_source_that_still_works_is_asked_about_the_same_time() -> None:
    source = FakeSource(Pending(memo="query-7"))
    first = asking.claimed(an_inquiry(), an_incident(), now=START)
    second = (await asking.ask(first, an_incident(), {"sign_ins": source}, lambda: START)).inquiry
    later = START + timedelta(hours=1)
    again = asking.claimed(second, an_incident(), now=later)
    await asking.ask(again, an_incident(), {"sign_ins": source}, lambda: later)

    assert source.asked[0][0] == source.asked[1][0]


@pytest.mark.parametrize("answer", [Empty(note="x"), Found(count=1, note="x")])
async def test_a_time_that_the_source_no_longer_has_is_named(answer: Answer) -> None:
    incident = an_incident(blind_from=START - timedelta(days=40))
    outcome = await asking.ask(an_inquiry(), incident, {"sign_ins": FakeSource(answer)}, lambda: START)

    assert isinstance(outcome.inquiry.answer, Empty | Found)
    assert outcome.inquiry.answer.note == "Nothing from before 2026-01-31: the source keeps 30 days. x"


async def test_a_source_is_asked_only_about_the_time_that_it_keeps() -> None:
    source = FakeSource()
    incident = an_incident(blind_from=START - timedelta(days=40))
    await asking.ask(an_inquiry(), incident, {"sign_ins": source}, lambda: START)
    [(question, _)] = source.asked

    assert question.start == question.known_from == START - timedelta(days=30) + CLOCKS


async def test_a_time_that_the_source_no_longer_has_at_all_is_unavailable_never_empty() -> None:
    source = FakeSource()
    ended = START - timedelta(days=35)
    incident = an_incident(blind_from=START - timedelta(days=40), restored_at=ended)
    answer = (await asking.ask(an_inquiry(), incident, {"sign_ins": source}, lambda: START)).inquiry.answer

    assert isinstance(answer, Unavailable)
    assert (
        answer.reason == "The source keeps 30 days, and what is asked about ended on 2026-01-27: search a copy of it."
    )
    assert source.asked == []


async def test_what_the_responder_itself_does_is_known_by_its_ids() -> None:
    source = FakeSource()
    own = frozenset({"66666666-6666-4666-8666-666666666666"})
    await asking.ask(an_inquiry(), an_incident(), {"sign_ins": source}, lambda: START, own_ids=own)

    assert source.asked[0][0].own_ids == own
