"""What a change of the rules makes of a step: properties over every combination."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.case.draft import Draft
from bypass_responder.decision import weakened
from bypass_responder.handling.follow_rules import MOST_ROWS, changed_by_rules, follow_rules, rules_due_at
from bypass_responder.model.case import Case
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import CONTROLS, Rule, Step, StepKind, StepState
from bypass_responder.settings import Settings
from tests.world import ALEX, START, an_account, some_settings

states = st.sampled_from(StepState)
any_step = st.builds(
    Step,
    incident_id=st.just("one"),
    step=st.sampled_from(StepKind),
    state=states,
    reason=st.sampled_from(["not on the allowlist", *Rule]),
)
statuses = st.sampled_from(IncidentStatus)
RULES = [
    some_settings(mode=mode, protected_object_ids=protected)
    for mode in ("observe", "enforce")
    for protected in ("none", ALEX)
]
any_rules = st.sampled_from(RULES)


def a_case(*steps: Step, status: IncidentStatus = IncidentStatus.OPEN) -> Case:
    ids = {step.incident_id for step in steps}
    incidents = [
        Incident(
            id=each, target=ALEX, status=status, opened_at=START, verdict="violation", reason="", account=an_account()
        )
        for each in ids
    ]
    return Case(ALEX, {row.row_key: row for row in (*steps, *incidents)})


def states_after(case: Case, rules: Settings) -> list[StepState]:
    draft = Draft(case, now=START)
    follow_rules(draft, rules)
    return [step.state for step in draft.case.rows(Step)]


@given(any_step, statuses, any_rules)
def test_following_twice_equals_following_once(step: Step, status: IncidentStatus, rules: Settings) -> None:
    draft = Draft(a_case(step, status=status), now=START)
    follow_rules(draft, rules)
    again = Draft(draft.case, now=START)
    follow_rules(again, rules)

    assert again.changed == {}


@given(any_step, statuses, any_rules)
def test_no_change_of_the_rules_makes_a_control_of_an_open_incident_act(
    step: Step, status: IncidentStatus, rules: Settings
) -> None:
    change = changed_by_rules(a_case(step, status=status), step, rules)

    plans = change is not None and change[0] is StepState.PLANNED
    assert not plans or (status.final and step.step is StepKind.DISABLE_BYPASS)


@given(any_step, statuses, any_rules)
def test_what_is_finished_failed_or_under_way_stays(step: Step, status: IncidentStatus, rules: Settings) -> None:
    stays = {StepState.CLAIMED, StepState.ACTED, StepState.DONE, StepState.FAILED, StepState.HELD}

    assert step.state not in stays or changed_by_rules(a_case(step, status=status), step, rules) is None


@given(st.sampled_from(CONTROLS), st.sampled_from(RULES), st.sampled_from(RULES))
def test_a_plan_that_a_rule_stopped_is_never_planned_again(kind: StepKind, first: Settings, then: Settings) -> None:
    planned = Step(incident_id="one", step=kind, state=StepState.PLANNED)
    draft = Draft(a_case(planned), now=START)
    follow_rules(draft, first)
    stopped = draft.case.rows(Step)[0].state is not StepState.PLANNED

    assert not stopped or StepState.PLANNED not in states_after(draft.case, then)


@given(st.sampled_from(StepKind), st.booleans(), st.booleans(), st.booleans())
def test_only_mode_protection_and_limit_weaken_a_step(
    kind: StepKind, enforce: bool, protected: bool, slot: bool
) -> None:
    weaker = weakened(kind, enforce=enforce, protected=protected, slot=slot)

    assert (weaker is None) == (enforce and (kind in {StepKind.DISABLE_BYPASS, StepKind.RELEASE} or not protected)) or (
        kind is StepKind.BLOCK_SIGN_IN and not slot
    )


def test_many_withheld_steps_take_several_transactions_and_the_target_stays_due() -> None:
    steps = [
        Step(incident_id=f"{number:03d}", step=kind, state=StepState.WITHHELD)
        for number in range(100)
        for kind in CONTROLS
    ]
    draft = Draft(a_case(*steps), now=START)
    follow_rules(draft, some_settings())

    assert len(draft.changed) + len(draft.entries) <= 100
    assert (len(draft.changed) >= MOST_ROWS // 2, rules_due_at(draft.case, some_settings(), START)) == (True, [START])
