"""Who may begin, undo and stop a plan, and when not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bypass_responder.case.draft import Draft
from bypass_responder.case.plan_decision import decide
from bypass_responder.case.plan_run import newest
from bypass_responder.model.decision_message import Channel, DecisionKind
from bypass_responder.model.incident import PersonDecision
from bypass_responder.model.plan_run import ChangeOutcome, PlanRun
from tests.case.plans import RUN, SHA256, a_draft, a_message, a_run
from tests.world import START

APPLY, UNDO, STOP = DecisionKind.APPLY_PLAN, DecisionKind.UNDO_PLAN, DecisionKind.STOP_PLAN
ENDED: dict[str, Any] = {
    "ended_at": START,
    "state": "done",
    "counts": {ChangeOutcome.DONE: 2, ChangeOutcome.ALREADY: 1},
}
BEFORE = START - timedelta(days=1)


def decided(draft: Draft, kind: DecisionKind, **fields: Any) -> PersonDecision:
    defaults: dict[str, Any] = {"enforce": True, "problem": ""}
    return decide(draft, a_message(kind), channel=Channel.BYPASSCTL, **defaults | fields)


def test_a_plan_is_begun_and_its_author_is_logged_as_claimed() -> None:
    draft = a_draft()
    decision = decided(draft, APPLY)
    run = newest(draft.case)

    assert decision.outcome == "carried_out"
    assert run is not None
    assert (run.plan, run.total, run.running) == (SHA256, 3, True)
    assert [(entry.event, entry.who) for entry in draft.entries] == [("plan_started", f"{decision.author}, claimed")]


def test_a_message_that_comes_again_begins_nothing() -> None:
    draft = a_draft()
    decided(draft, APPLY)
    decided(draft, APPLY)

    assert len(draft.case.rows(PlanRun)) == 1


def test_in_observe_a_plan_is_refused() -> None:
    draft = a_draft()

    assert "MODE is observe" in decided(draft, APPLY, enforce=False).why
    assert newest(draft.case) is None


def test_a_plan_that_is_not_the_one_that_was_decided_is_refused() -> None:
    assert decided(a_draft(), APPLY, problem="Its hash is another.").why == "Its hash is another."


def test_only_one_run_is_under_way() -> None:
    assert "is being carried out, as run" in decided(a_draft(a_run()), APPLY).why


def test_a_plan_that_was_carried_out_is_recognized() -> None:
    why = decided(a_draft(a_run(**ENDED)), APPLY).why

    assert f"bypassctl posture applied {RUN} --undo-file FILE" in why


def test_a_plan_that_was_carried_out_in_part_is_begun_again_and_the_first_run_stays() -> None:
    draft = a_draft(a_run(ended_at=START, state="partly done"))

    assert decided(draft, APPLY).outcome == "carried_out"
    assert len(draft.case.rows(PlanRun)) == 2


def test_an_earlier_run_goes_into_the_history() -> None:
    draft = a_draft(a_run(plan="b" * 64, **ENDED))
    decided(draft, APPLY)

    assert list(draft.places) == [f"plan-{RUN}"]


def test_the_changes_of_the_last_hour_count_in_the_next_run() -> None:
    draft = a_draft(a_run(plan="b" * 64, recent=(START,), **ENDED))
    decided(draft, APPLY)
    run = newest(draft.case)

    assert run is not None
    assert (run.running, run.recent) == (True, (START,))


def test_a_run_is_undone() -> None:
    draft = a_draft(a_run(started_at=BEFORE, **ENDED))
    decided(draft, UNDO)
    run = newest(draft.case)

    assert run is not None
    assert (run.undoes, run.total, run.plan) == (RUN, 2, SHA256)


def test_after_an_undo_the_plan_may_be_carried_out_again() -> None:
    undo = a_run(id="another", undoes=RUN, **ENDED)

    assert decided(a_draft(a_run(started_at=BEFORE, **ENDED), undo), APPLY).outcome == "carried_out"


@pytest.mark.parametrize(
    ("runs", "why"),
    [
        ((), "There is no run"),
        ((a_run(),), "being carried out"),
        ((a_run(**ENDED | {"counts": {}}),), "changed no mailbox"),
        ((a_run(undoes="another", **ENDED),), "is an undo itself"),
        ((a_run(started_at=BEFORE, **ENDED), a_run(id="undo", undoes=RUN, **ENDED)), "was undone, by run undo"),
    ],
)
def test_what_cannot_be_undone_is_refused(runs: tuple[PlanRun, ...], why: str) -> None:
    assert why in decided(a_draft(*runs), UNDO).why


def test_a_run_is_stopped_in_observe_as_well() -> None:
    draft = a_draft(a_run())
    decided(draft, STOP, enforce=False)
    run = newest(draft.case)

    assert run is not None
    assert "stopped it: ticket 7" in run.stopped


def test_a_run_that_has_ended_cannot_be_stopped() -> None:
    assert "has ended" in decided(a_draft(a_run(**ENDED)), STOP).why
