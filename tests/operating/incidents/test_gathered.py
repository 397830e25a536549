"""For each question, the newest answer from other sources that says something is shown."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.evidence.planning import given_up
from bypass_responder.model.gathered import Round
from bypass_responder.model.question import Empty, Found, Item, Unavailable
from bypass_responder.operating.incidents.gathered import NOT_PLANNED, gathered_view
from tests.evidence.questions import an_inquiry
from tests.world import START

NEW = Item(at=START, what="sign-in", notable="new country: BR")
LATER = START + timedelta(days=1)


def test_before_the_run_it_is_said_that_nothing_was_asked() -> None:
    assert gathered_view([]) == NOT_PLANNED


def test_an_open_question_is_shown_with_its_last_problem() -> None:
    [shown] = gathered_view([an_inquiry(problem="503")]).answers

    assert (shown.state, shown.summary) == ("open", "It is being asked. The last try failed: 503")


def test_found_is_shown_with_what_is_notable() -> None:
    view = gathered_view([an_inquiry(answer=Found(count=7, items=(NEW, Item(what="sign-in"))), answered_at=START)])

    assert view.answers[0].summary == "7 records, 1 notable."
    assert view.follow_on == (
        "Interactive sign-ins, alex@contoso.onmicrosoft.com: sign-in at 2026-03-02 09:00:00Z, new country: BR",
    )


def test_unavailable_is_shown_with_its_fix_and_how_to_answer_it_by_hand() -> None:
    answer = Unavailable(reason="no license", fix="Entra ID P1")
    [shown] = gathered_view([an_inquiry(answer=answer, answered_at=START)]).answers

    assert (shown.state, shown.reason, shown.fix) == ("unavailable", "no license", "Entra ID P1")
    assert shown.by_hand.startswith("Entra admin center")
    assert shown.ways.startswith("Entra ID P1. Or: Entra admin center")


def test_a_later_round_replaces_an_earlier_one() -> None:
    rounds = [
        an_inquiry(round=Round.LATE, answer=Found(count=2), answered_at=LATER),
        an_inquiry(answer=Empty(), answered_at=START),
    ]

    assert [(each.state, each.count) for each in gathered_view(rounds).answers] == [("found", 2)]


def test_an_answer_stays_when_a_later_round_could_not_ask() -> None:
    rounds = [
        an_inquiry(answer=Found(count=2), answered_at=START),
        an_inquiry(round=Round.LATE, answer=Unavailable(reason="no license", fix="P1"), answered_at=LATER),
    ]
    [shown] = gathered_view(rounds).answers

    assert (shown.state, shown.refresh) == ("found", "Asked again at 2026-03-03 09:00:00Z: no license")


def test_every_question_is_counted() -> None:
    view = gathered_view(
        [
            an_inquiry(answer=Found(count=1), answered_at=START),
            an_inquiry(source="inbox_rules", answer=Empty(), answered_at=START),
            an_inquiry(source="ediscovery"),
        ]
    )

    assert (view.found, view.empty, view.unavailable, view.open) == (1, 1, 0, 1)
    assert view.state == "1 found, 1 empty, 1 open, last answer 2026-03-02 09:00:00Z."


def test_what_only_a_person_can_answer_is_said_once() -> None:
    [shown] = gathered_view([an_inquiry(answer=given_up("It failed 8 times."), answered_at=START)]).answers

    assert (shown.fix, shown.by_hand != "") == ("", True)
