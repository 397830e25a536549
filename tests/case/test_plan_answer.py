"""What an answer means for a mailbox of a plan: set, not set, or perhaps set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.case.plan_answer import GIVEN_UP_AFTER, MOST_ATTEMPTS, judged, overdue
from bypass_responder.model.exchange_read import ReadOutcome
from bypass_responder.model.plan_run import ChangeOutcome, Stage
from tests.case.plans import CHANGED, OTHER, PINNED, RECORD, a_change, an_answer, asked
from tests.world import START


def test_settings_as_the_plan_expects_them_are_kept_before_the_change() -> None:
    after = judged(a_change(), an_answer(ReadOutcome.RECORDED), START)

    assert (after.stage, after.before, after.record, after.outcome) == (Stage.CHANGE, PINNED, RECORD, None)


def test_a_mailbox_that_is_as_wanted_already_is_left() -> None:
    after = judged(a_change(), an_answer(ReadOutcome.RECORDED, before=CHANGED), START)

    assert after.outcome is ChangeOutcome.ALREADY


def test_a_mailbox_with_other_settings_than_the_plan_was_made_for_is_skipped() -> None:
    after = judged(a_change(), an_answer(ReadOutcome.RECORDED, before=OTHER), START)

    assert after.outcome is ChangeOutcome.SKIPPED
    assert "changed since the plan" in after.problem


@pytest.mark.parametrize(
    ("outcome", "fields", "expected"),
    [
        (ReadOutcome.APPLIED, {}, ChangeOutcome.DONE),
        (ReadOutcome.ALREADY, {}, ChangeOutcome.ALREADY),  # somebody else set it since it was recorded
        (ReadOutcome.ALREADY, {"deliveries": 2}, ChangeOutcome.DONE),  # a worker that died may have set it
        (ReadOutcome.ALREADY, {"deliveries": None}, ChangeOutcome.DONE),
        (ReadOutcome.CHANGED, {"deliveries": 2}, ChangeOutcome.UNKNOWN),
        (ReadOutcome.REVERTED, {"error": "less", "before": PINNED}, ChangeOutcome.REVERTED),
        (ReadOutcome.LESS, {"error": "less", "before": PINNED, "after": OTHER}, ChangeOutcome.LESS),
        (ReadOutcome.CHANGED, {}, ChangeOutcome.SKIPPED),
        (ReadOutcome.NOT_FOUND, {"error": "deleted"}, ChangeOutcome.GONE),
        (ReadOutcome.AMBIGUOUS, {"error": "two of them"}, ChangeOutcome.GONE),
        (ReadOutcome.REFUSED, {"error": "It would audit less.", "before": PINNED}, ChangeOutcome.REFUSED),
        (ReadOutcome.FAILED, {"error": "No.", "error_class": "permission", "before": PINNED}, ChangeOutcome.FAILED),
        (ReadOutcome.NOT_FOUND, {"error": "gone while it was read back", "before": PINNED}, ChangeOutcome.UNKNOWN),
    ],
)
def test_an_answer_to_a_change_ends_it(outcome: ReadOutcome, fields: dict[str, Any], expected: ChangeOutcome) -> None:
    assert judged(asked(), an_answer(outcome, **fields), START).outcome is expected


@pytest.mark.parametrize("outcome", [ReadOutcome.CHANGED, ReadOutcome.NOT_FOUND, ReadOutcome.REFUSED])
def test_what_an_earlier_attempt_may_have_set_stays_uncertain(outcome: ReadOutcome) -> None:
    after = judged(asked(uncertain=True), an_answer(outcome, error="Something else."), START)

    assert after.outcome is ChangeOutcome.UNKNOWN
    assert after.may_have_changed


@pytest.mark.parametrize(
    ("outcome", "fields", "uncertain"),
    [
        (ReadOutcome.UNVERIFIED, {"before": PINNED, "after": PINNED}, True),
        (ReadOutcome.FAILED, {"error": "throttled", "before": PINNED}, True),
        (ReadOutcome.FAILED, {"error": "no right to set it back", "before": PINNED, "after": OTHER}, True),
        (ReadOutcome.FAILED, {"error": "throttled"}, False),
        (ReadOutcome.FAILED, {"error": "throttled", "deliveries": 2}, True),
        (ReadOutcome.FAILED, {"error": "failed five times", "deliveries": 5}, True),
        (ReadOutcome.REFUSED, {"error": "expired", "error_class": "transient"}, False),
    ],
)
def test_what_may_help_is_asked_again(outcome: ReadOutcome, fields: dict[str, Any], *, uncertain: bool) -> None:
    after = judged(asked(), an_answer(outcome, **fields), START)

    assert (after.outcome, after.command_id, after.uncertain) == (None, "", uncertain)
    assert after.not_before is not None
    assert after.not_before > START


def test_what_an_earlier_attempt_may_have_set_is_ours_once_it_is_so() -> None:
    after = judged(asked(uncertain=True), an_answer(ReadOutcome.ALREADY), START)

    assert (after.outcome, after.after) == (ChangeOutcome.DONE, CHANGED)


def test_a_change_without_an_answer_may_have_been_made() -> None:
    after = judged(asked(attempts=MOST_ATTEMPTS), None, START)

    assert after.outcome is ChangeOutcome.UNKNOWN


def test_a_record_without_an_answer_has_changed_nothing() -> None:
    after = judged(a_change(attempts=MOST_ATTEMPTS), None, START)

    assert after.outcome is ChangeOutcome.FAILED
    assert not after.may_have_changed


def test_an_answer_is_given_up_after_the_worker_refuses_the_question() -> None:
    last = START + GIVEN_UP_AFTER

    assert overdue(asked(), last)
    assert not overdue(asked(), last - timedelta(seconds=1))
    assert not overdue(asked(command_id=""), last)


def test_what_audits_less_is_undone_from_what_was_read_back() -> None:
    less = judged(asked(), an_answer(ReadOutcome.LESS, error="less", before=PINNED, after=OTHER), START)

    assert (less.may_have_changed, less.to_undo().expected, less.asked_for[-1]) == (True, OTHER, PINNED)


def test_the_way_back_expects_what_was_read_back_and_else_what_was_meant() -> None:
    done = judged(asked(), an_answer(ReadOutcome.APPLIED), START)
    unknown = judged(asked(attempts=MOST_ATTEMPTS), None, START)

    assert done.to_undo().expected == CHANGED
    assert unknown.to_undo().expected.same_as(CHANGED)
    assert (done.to_undo().change, done.to_undo().record) == (None, RECORD)
