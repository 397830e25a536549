"""Which questions are asked, when, and when the run gives up on one."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.evidence import planning
from bypass_responder.evidence.sources import SOURCES
from bypass_responder.model.change import Actor
from bypass_responder.model.gathered import EvidencePlan, Round
from bypass_responder.model.incident import Incident
from bypass_responder.model.question import Empty, Pending, Role, Unavailable
from tests import world
from tests.evidence.questions import an_inquiry
from tests.world import ALEX, MALLORY, START

HOUR = timedelta(hours=1)


def an_incident(**fields: Any) -> Incident:
    return world.an_incident(**({"actors": (MALLORY,), "blind_from": START - HOUR} | fields))


def a_plan(**fields: Any) -> EvidencePlan:
    defaults: dict[str, Any] = {
        "incident_id": "20260302-00000001",
        "target": ALEX,
        "opened_at": START,
        "next_at": START,
        "began_at": START,
        "complete": True,
    }
    return EvidencePlan(**(defaults | fields))


def asked_of(incident: Incident) -> set[tuple[str, str, str]]:
    found = planning.missing_inquiries(incident, Round.OPENED, [], now=START)
    return {(each.source, str(each.account), each.role.value) for each in found}


def test_target_and_actor_are_asked_about() -> None:
    asked = asked_of(an_incident())

    assert ("sign_ins", "alex@contoso.onmicrosoft.com", "target") in asked
    assert ("sign_ins", "mallory@contoso.onmicrosoft.com", "actor") in asked


def test_every_source_is_asked_about_a_person_or_an_application() -> None:
    application = Actor(user_id="ServicePrincipal_1", app_id="99999999-0000-4000-8000-000000000009", user_type="5")
    asked = asked_of(an_incident(actors=(MALLORY, application)))

    assert {source for source, _, _ in asked} == {source.name for source in SOURCES}


def test_an_actor_who_is_the_target_is_asked_about_once_for_each_source() -> None:
    self_bypass = Actor(user_id="ALEX@contoso.onmicrosoft.com")
    asked = planning.missing_inquiries(an_incident(actors=(self_bypass,)), Round.OPENED, [], now=START)

    assert len({each.key for each in asked}) == len(asked)
    assert {str(each.account) for each in asked} == {"alex@contoso.onmicrosoft.com"}
    assert ("other_changes", Role.ACTOR) in {(each.source, each.role) for each in asked}


def test_questions_about_an_unknown_account_are_unavailable_at_once() -> None:
    asked = planning.missing_inquiries(an_incident(account=None, actors=()), Round.OPENED, [], now=START)

    assert asked
    assert {type(each.answer) for each in asked} == {Unavailable}


def test_two_actors_that_are_no_accounts_are_two_questions() -> None:
    actors = (Actor(user_id="NT AUTHORITY\\SYSTEM"), Actor(user_id="S-1-5-18"), Actor(user_id="S-1-5-18"))
    asked = planning.missing_inquiries(an_incident(account=None, actors=actors), Round.OPENED, [], now=START)

    assert len({each.key for each in asked}) == len(asked)
    assert {str(each.account) for each in asked} == {"unknown", "NT AUTHORITY\\SYSTEM", "S-1-5-18"}


def test_an_application_without_its_id_is_not_called_empty() -> None:
    application = Actor(user_id="ServicePrincipal_1", object_id=ALEX, user_type="5")
    asked = planning.missing_inquiries(an_incident(account=None, actors=(application,)), Round.OPENED, [], now=START)

    assert [each.answer for each in asked if each.source == "sign_ins_application"] == [planning.NO_APPLICATION]


def test_no_question_is_asked_twice_in_a_round() -> None:
    incident = an_incident()
    there = planning.missing_inquiries(incident, Round.OPENED, [], now=START)

    assert planning.missing_inquiries(incident, Round.OPENED, there, now=START) == []


def test_a_new_actor_is_asked_about_in_the_same_round() -> None:
    there = planning.missing_inquiries(an_incident(actors=()), Round.OPENED, [], now=START)
    new = planning.missing_inquiries(an_incident(), Round.OPENED, there, now=START)

    assert {str(each.account) for each in new} == {"mallory@contoso.onmicrosoft.com"}


def test_a_question_covers_a_day_around_the_blind_window_and_a_week_before() -> None:
    incident = an_incident(restored_at=START)
    question = planning.question_of(an_inquiry(), incident, now=START + timedelta(days=3))

    assert (question.known_from, question.start) == (START - HOUR - timedelta(days=8), START - HOUR - timedelta(days=1))
    assert (question.end, question.dark_until) == (START + timedelta(days=1), START)


def test_while_it_is_dark_a_question_ends_now() -> None:
    question = planning.question_of(an_inquiry(), an_incident(), now=START + HOUR)

    assert (question.end, question.dark_until) == (START + HOUR, START + HOUR)


def test_a_restoration_from_before_the_window_does_not_end_it() -> None:
    incident = an_incident(restored_at=START - 2 * HOUR)

    assert planning.question_of(an_inquiry(), incident, now=START).dark_until == START


def test_the_second_round_begins_when_auditing_is_restored() -> None:
    restored = an_incident(restored_at=START + HOUR)

    assert planning.next_round(a_plan(), an_incident(), now=START + HOUR) is None
    assert planning.next_round(a_plan(), restored, now=START + HOUR) is Round.RESTORED


def test_a_round_that_began_after_the_restoration_is_not_repeated_at_once() -> None:
    restored = an_incident(restored_at=START - timedelta(minutes=1))

    assert planning.next_round(a_plan(), restored, now=START + HOUR) is None


@pytest.mark.parametrize("before", [Round.OPENED, Round.RESTORED])
def test_the_last_round_begins_a_day_after_the_restoration(before: Round) -> None:
    restored = an_incident(restored_at=START - timedelta(minutes=1))
    plan = a_plan(round=before)

    assert planning.next_round(plan, restored, now=START + timedelta(hours=24)) is Round.LATE


def test_a_restored_incident_is_looked_at_each_hour_for_a_new_actor() -> None:
    restored = an_incident(restored_at=START)
    last = START + timedelta(hours=23, minutes=30)

    assert planning.look_again_at(a_plan(), restored, now=START) == START + HOUR
    assert planning.look_again_at(a_plan(), restored, now=last) == START + timedelta(hours=24)


def test_after_the_last_round_nothing_is_left_to_do() -> None:
    assert planning.look_again_at(a_plan(round=Round.LATE), an_incident(restored_at=START), now=START) is None


@pytest.mark.parametrize(("age", "wait"), [(HOUR, timedelta(minutes=10)), (timedelta(days=2), HOUR)])
def test_an_incident_that_stays_dark_is_looked_at_again(age: timedelta, wait: timedelta) -> None:
    now = START + age

    assert planning.look_again_at(a_plan(), an_incident(), now=now) == now + wait


def test_an_incident_that_stays_dark_for_a_month_is_left_alone() -> None:
    assert planning.look_again_at(a_plan(), an_incident(), now=START + timedelta(days=31)) is None


def test_a_failed_ask_is_asked_again_later_each_time() -> None:
    first = planning.failed(an_inquiry(), "503", now=START)
    second = planning.failed(first, "503", now=START)

    assert (first.next_at, second.next_at) == (START + timedelta(minutes=1), START + timedelta(minutes=2))


def test_the_wait_that_a_service_names_counts_within_half_an_hour() -> None:
    short = planning.failed(an_inquiry(), "429", now=START, wait=timedelta(minutes=5))
    long = planning.failed(an_inquiry(), "429", now=START, wait=timedelta(days=5))

    assert (short.next_at, long.next_at) == (START + timedelta(minutes=5), START + timedelta(minutes=30))


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_every_question_ends(fails: list[bool]) -> None:
    """Whatever a source does again and again, within a day and a few failures there is an answer."""
    inquiry = an_inquiry(first_asked_at=START)
    now = START
    for each in itertools.islice(itertools.cycle(fails), 2000):
        if inquiry.answer:
            break
        now = max(now + timedelta(minutes=1), inquiry.next_at)
        if each:
            inquiry = planning.failed(inquiry, "503", now=now)
        else:
            inquiry = planning.pending(inquiry, Pending(memo="id"), now=now)

    assert inquiry.answer is not None
    assert now - START < timedelta(days=2)


def test_a_source_that_works_for_a_day_is_unavailable() -> None:
    asked = an_inquiry(first_asked_at=START)

    assert planning.pending(asked, Pending(memo="id"), now=START + 23 * HOUR).memo == "id"
    ended = planning.pending(asked, Pending(memo="id"), now=START + 24 * HOUR)
    assert ended.answer == Unavailable(
        reason="The source had no answer within 24 hours.",
        fix="Answer it by hand.",
    )


def test_an_answer_ends_a_question() -> None:
    ended = planning.answered(an_inquiry(memo="id", problem="503"), Empty(), now=START)

    assert (ended.answer, ended.memo, ended.problem, ended.answered_at) == (Empty(), None, "", START)
