"""A plan while it is carried out: how much at a time, how much an hour, held, stopped, ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bypass_responder.case.draft import Draft
from bypass_responder.case.plan_answer import ANSWER_WITHIN
from bypass_responder.case.plan_run import MOST_UNDER_WAY, go_on, newest, take_answers
from bypass_responder.model.case import Case
from bypass_responder.model.exchange_read import ReadOutcome, ReadResult
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.plan_run import ChangeOutcome, MailboxChange, PlanRun, Stage
from tests.case.plans import OTHER, QUESTION, a_change, a_draft, a_run, an_answer, asked
from tests.world import START

HOUR = timedelta(hours=1)
_NUMBERS = count()


def ids() -> list[str]:
    return [f"00000000-0000-4000-9000-{next(_NUMBERS):012}" for _ in range(2 * MOST_UNDER_WAY)]


def the_run(draft: Draft) -> PlanRun:
    run = newest(draft.case)
    assert run is not None
    return run


def begin(draft: Draft, *following: MailboxChange, limit: int = 200, enforce: bool = True) -> PlanRun:
    go_on(draft, following, ids(), stored=the_run(draft).under_way, limit=limit, enforce=enforce)
    return the_run(draft)


def following(number: int = 100) -> list[MailboxChange]:
    return [a_change(each) for each in range(number)]


def test_few_mailboxes_are_under_way_at_a_time() -> None:
    run = begin(a_draft(a_run(total=100)), *following())

    assert [each.number for each in run.under_way] == list(range(MOST_UNDER_WAY))
    assert run.next_number == MOST_UNDER_WAY


def test_a_recorded_mailbox_is_changed_next() -> None:
    draft = a_draft(a_run(asked(stage=Stage.RECORD, before=None, record=None)))
    take_answers(draft, {QUESTION: an_answer(ReadOutcome.RECORDED)})
    [change] = begin(draft).under_way

    assert change.stage is Stage.CHANGE
    assert change.command_id not in {"", QUESTION}


def test_what_has_ended_is_counted_logged_and_left_out_once_it_is_stored() -> None:
    draft = a_draft(a_run(asked(), total=2))
    take_answers(draft, {QUESTION: an_answer(ReadOutcome.APPLIED)})
    [stored] = the_run(draft).under_way
    run = begin(draft, a_change(1))

    assert stored.outcome is ChangeOutcome.DONE
    assert run.counts == {ChangeOutcome.DONE: 1}
    assert [each.number for each in run.under_way] == [1]
    assert [entry.event for entry in draft.entries] == ["mailbox_changed"]


def test_an_answer_counts_once() -> None:
    draft = a_draft(a_run(asked()))
    for _ in range(2):
        take_answers(draft, {QUESTION: an_answer(ReadOutcome.APPLIED)})

    assert the_run(draft).counts == {ChangeOutcome.DONE: 1}


def test_no_more_is_read_than_may_be_changed() -> None:
    run = begin(a_draft(a_run(total=100)), *following(), limit=3)

    assert len(run.under_way) == 3


def test_a_recorded_mailbox_waits_for_a_slot() -> None:
    change = asked(command_id="")
    draft = a_draft(a_run(change, recent=(START - HOUR / 2,)))

    assert begin(draft, limit=1).under_way == (change,)


def test_a_slot_is_free_an_hour_after_its_change_has_ended() -> None:
    draft = a_draft(a_run(asked(command_id=""), recent=(START - HOUR,)))

    assert begin(draft, limit=1).under_way[0].command_id


def test_a_change_that_the_worker_has_not_answered_keeps_its_slot() -> None:
    run = a_run(asked(0, asked_at=START), asked(1, command_id=""))
    draft = a_draft(run, after=HOUR)

    assert not begin(draft, limit=1).under_way[1].command_id


def test_in_observe_nothing_is_begun_and_people_are_notified_once() -> None:
    draft = a_draft(a_run(total=100))
    begin(draft, *following(), enforce=False)
    run = begin(draft, *following(), enforce=False)
    [notification] = draft.case.rows(Notification)

    assert (run.under_way, run.held) == ((), "MODE is observe")
    assert notification.about == "plan_held"


def test_with_a_limit_of_zero_it_is_held_and_people_are_notified_once() -> None:
    waiting = asked(command_id="", stage=Stage.RECORD)
    draft = a_draft(a_run(waiting, total=100))
    begin(draft, *following(), limit=0)
    run = begin(draft, *following(), limit=0)
    [notification] = draft.case.rows(Notification)

    assert (run.under_way, run.held) == ((waiting,), "POSTURE_CHANGES_PER_HOUR is 0")
    assert notification.title == "A posture plan is held: POSTURE_CHANGES_PER_HOUR is 0"
    assert "It continues with POSTURE_CHANGES_PER_HOUR above 0." in notification.left_to_do[0]


def test_a_plan_with_nothing_left_ends_also_with_a_limit_of_zero() -> None:
    draft = a_draft(a_run(asked()))
    take_answers(draft, {QUESTION: an_answer(ReadOutcome.APPLIED)})

    assert begin(draft, limit=0).state == "done"


def test_in_observe_what_is_in_flight_is_recorded() -> None:
    draft = a_draft(a_run(asked(), total=2))
    take_answers(draft, {QUESTION: an_answer(ReadOutcome.APPLIED)})
    run = begin(draft, a_change(1), enforce=False)

    assert run.counts == {ChangeOutcome.DONE: 1}
    assert run.running


def test_it_goes_on_after_a_hold() -> None:
    draft = a_draft(a_run(total=100, held="MODE is observe"))

    assert begin(draft, *following()).held == ""


def test_it_ends_when_nothing_is_left() -> None:
    draft = a_draft(a_run(asked()))
    take_answers(draft, {QUESTION: an_answer(ReadOutcome.APPLIED)})
    run = begin(draft)
    [notification] = draft.case.rows(Notification)

    assert (run.state, run.running) == ("done", False)
    assert (notification.about, notification.severity) == ("plan_ended", Severity.INFO)
    assert any("--undo-file" in command for command in notification.commands)


def test_it_ends_partly_with_the_mailboxes_that_are_not_as_wanted() -> None:
    draft = a_draft(a_run(asked()))
    take_answers(draft, {QUESTION: an_answer(ReadOutcome.CHANGED, before=OTHER)})
    run = begin(draft)
    [notification] = draft.case.rows(Notification)

    assert run.state == "partly done"
    assert notification.severity is Severity.WARNING
    assert "kim0@contoso.com: its settings were changed by somebody else" in notification.text


def test_a_missing_permission_stops_it_and_leaves_the_rest() -> None:
    waiting, denied = asked(0, command_id=""), asked(1)
    draft = a_draft(a_run(waiting, denied, total=100))
    answer = an_answer(ReadOutcome.FAILED, error="Set-Mailbox is not permitted.", error_class="permission")
    take_answers(draft, {QUESTION: answer})
    run = begin(draft, *following())

    assert (run.state, run.under_way) == ("stopped", ())
    assert run.counts == {ChangeOutcome.FAILED: 1, ChangeOutcome.NOT_STARTED: 1}
    assert "Set-Mailbox is not permitted" in run.stopped


def test_what_a_stopped_run_may_have_changed_stays_uncertain() -> None:
    draft = a_draft(a_run(asked(command_id="", uncertain=True), stopped="stopped by ops"))
    take_answers(draft, {})

    assert the_run(draft).counts == {ChangeOutcome.UNKNOWN: 1}


def test_an_answer_that_never_comes_is_asked_for_again() -> None:
    draft = a_draft(a_run(asked()), after=timedelta(minutes=70))
    take_answers(draft, {QUESTION: None})
    [change] = the_run(draft).under_way

    assert (change.command_id, change.uncertain) == ("", True)


def test_a_question_that_was_never_sent_has_changed_nothing() -> None:
    draft = a_draft(a_run(asked()), after=timedelta(minutes=70))
    take_answers(draft, {})
    [change] = the_run(draft).under_way

    assert (change.command_id, change.uncertain, change.attempts) == ("", False, 0)


def test_a_plan_that_cannot_be_read_any_more_stops_it() -> None:
    draft = a_draft(a_run(total=3))
    take_answers(draft, {}, problem="The plan is gone.")
    go_on(draft, None, ids(), stored=(), limit=9, enforce=True)

    assert (the_run(draft).state, the_run(draft).stopped) == ("stopped", "The plan is gone.")


def test_a_plan_that_was_not_read_does_not_end() -> None:
    draft = a_draft(a_run(total=3))
    go_on(draft, None, ids(), stored=(), limit=9, enforce=True)

    assert the_run(draft).running


MANY = following(500)


class Paced:
    """A run with a worker that answers when it likes, as long as a question is valid, and the clock."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.now = START
        self.case = a_draft(a_run(total=500)).case
        self.begun: list[datetime] = []
        self.made: list[datetime] = []
        self._asked: dict[str, MailboxChange] = {}
        self._known: set[str] = set()

    def step(self, minutes: int, answered: int) -> None:
        self.now += timedelta(minutes=minutes)
        answers: dict[str, ReadResult | None] = dict.fromkeys(self._asked)
        for command_id, change in list(self._asked.items())[:answered]:
            del self._asked[command_id]
            if change.asked_at is None or change.asked_at + ANSWER_WITHIN < self.now:
                continue  # the worker refuses it by then
            changing = change.stage is Stage.CHANGE
            self.made += [self.now] * changing
            answers[command_id] = an_answer(ReadOutcome.APPLIED if changing else ReadOutcome.RECORDED)
        draft = Draft(self.case, now=self.now)
        take_answers(draft, answers)
        first = the_run(draft).next_number
        begin(draft, *MANY[first : first + MOST_UNDER_WAY], limit=self.limit)
        self.case = Case(self.case.target, draft.case.by_key)
        for each in the_run(draft).under_way:
            if each.command_id and each.command_id not in self._known:
                self._known.add(each.command_id)
                self._asked[each.command_id] = each
                self.begun += [self.now] * (each.stage is Stage.CHANGE)


def most_within_an_hour(times: list[datetime]) -> int:
    return max((sum(at <= other < at + HOUR for other in times) for at in times), default=0)


@settings(max_examples=60)
@given(
    limit=st.integers(1, 12),
    steps=st.lists(st.tuples(st.integers(0, 40), st.integers(0, MOST_UNDER_WAY)), max_size=40),
)
def test_no_hour_ever_has_more_changes_than_the_limit(limit: int, steps: list[tuple[int, int]]) -> None:
    paced = Paced(limit)
    for minutes, answered in steps:
        paced.step(minutes, answered)

    assert most_within_an_hour(paced.begun) <= limit
    assert most_within_an_hour(paced.made) <= limit


@pytest.mark.parametrize("limit", [1, 5, 50])
def test_it_reaches_the_limit(limit: int) -> None:
    paced = Paced(limit)
    for _ in range(70):
        paced.step(1, MOST_UNDER_WAY)

    assert most_within_an_hour(paced.begun) == limit


@pytest.mark.parametrize("outcome", [None, ChangeOutcome.DONE])
def test_what_another_caller_has_not_stored_yet_neither_begins_nor_ends(outcome: ChangeOutcome | None) -> None:
    """The other caller took the answer after this one had stored what there was.

    It is slow to store the answer, or dies before it does.
    """
    recorded = a_change(0).model_copy(update={"stage": Stage.CHANGE, "command_id": "", "outcome": outcome})
    draft = a_draft(a_run(recorded))
    go_on(draft, None, ids(), stored=(), limit=9, enforce=True)

    assert the_run(draft).under_way == (recorded,)
