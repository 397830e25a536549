"""What a person is shown of an account, and what counts as changed since."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bypass_responder.case.account_state import changed_since, left_as_it_is, lines_of, shown_of
from bypass_responder.model.case import Case
from bypass_responder.model.decision_message import DecisionKind, Shown, ShownStep
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Control, Observed, Step, StepKind, StepState
from tests.world import ALEX, START, World, a_finding, an_account

BLOCK = StepKind.BLOCK_SIGN_IN


def an_incident() -> Incident:
    return Incident(
        id="20260302-a",
        target=ALEX,
        status=IncidentStatus.HELD,
        opened_at=START,
        verdict="limit_reached",
        reason="the limit",
        account=an_account(),
    )


def a_case(
    incident: Incident, *, observed: Observed | None = None, block: StepState = StepState.HELD, enabled: bool = True
) -> Case:
    rows = [
        incident.model_copy(update={"account": an_account(account_enabled=enabled)}),
        Control(control=BLOCK, observed=observed, observed_at=START if observed else None),
        Step(incident_id=incident.id, step=BLOCK, state=block),
    ]
    return Case(ALEX, {row.row_key: row for row in rows})


async def test_a_read_after_a_change_counts_more_than_one_of_the_same_second() -> None:
    """An old record: the bypass was read as on, switched off and read back, all in one second."""
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding(effective_at=START - timedelta(hours=48)))
    read = await world.answer()
    changed = await world.answer()

    assert [(each.before, each.after, each.read_at) for each in (*read, *changed)] == [
        (True, None, START),
        (True, False, START),
    ]
    assert shown_of(await world.case()).bypass == "off"


def test_nothing_is_known_of_an_account_without_a_case() -> None:
    assert lines_of(shown_of(Case(ALEX))) == {
        "sign-in": "not known yet",
        "bypass": "not known yet",
        "active incidents": "none",
    }


def test_before_the_first_read_sign_in_is_as_the_incident_found_it() -> None:
    shown = shown_of(a_case(an_incident()), an_incident())

    assert (shown.sign_in, shown.sign_in_at) == (Observed.ENABLED, START)


def test_the_last_read_counts_with_its_time() -> None:
    shown = shown_of(a_case(an_incident(), observed=Observed.DISABLED), an_incident())

    assert lines_of(shown)["sign-in"] == "disabled, as of 2026-03-02 09:00:00Z"


async def test_the_bypass_is_on_until_it_is_proven_off() -> None:
    world = World()
    world.bypassed[ALEX] = True
    await world.sees(a_finding())
    before = shown_of(await world.case())
    world.now += timedelta(minutes=1)
    await world.answer()
    after = shown_of(await world.case())

    assert (before.bypass, after.bypass) == ("on", "off")


async def test_every_incident_that_nobody_ended_is_shown() -> None:
    world = World()
    await world.sees(a_finding())
    [incident] = await world.incidents()
    active = shown_of(await world.case()).incidents
    await world.decides("dismiss", incident.id)

    assert (active, shown_of(await world.case()).incidents) == ((incident.id,), ())


async def test_after_a_release_sign_in_is_what_was_read_then() -> None:
    world = World()
    await world.sees(a_finding())
    await world.answer()
    await world.passes(seconds=10)
    [incident] = await world.incidents()
    await world.decides("release", incident.id)
    await world.passes(seconds=10)
    shown = shown_of(await world.case(), incident)

    assert (shown.sign_in, shown.sign_in_at) == (Observed.ENABLED, world.now)


def test_another_sign_in_state_is_a_change_with_both_states() -> None:
    shown = Shown(sign_in=Observed.ENABLED, sign_in_at=START)
    case = a_case(an_incident(), observed=Observed.DISABLED)
    changed = changed_since(case, an_incident(), DecisionKind.DISMISS, shown)

    assert changed == (
        "sign-in was shown as enabled, as of 2026-03-02 09:00:00Z; it is disabled, as of 2026-03-02 09:00:00Z"
    )


def test_what_was_not_known_yet_is_no_change() -> None:
    case = a_case(an_incident(), observed=Observed.DISABLED)

    assert changed_since(case, an_incident(), DecisionKind.DISMISS, Shown()) == ""


def test_a_held_step_that_runs_now_is_a_change() -> None:
    shown = Shown(steps=(ShownStep(step=BLOCK, state=StepState.HELD),))
    case = a_case(an_incident(), block=StepState.PLANNED)

    assert changed_since(case, an_incident(), DecisionKind.DISMISS, shown) == (
        "block_sign_in was shown as held; it is planned"
    )


def test_a_running_step_that_is_done_now_is_no_change() -> None:
    shown = Shown(steps=(ShownStep(step=BLOCK, state=StepState.ACTED),))
    case = a_case(an_incident(), block=StepState.DONE)

    assert changed_since(case, an_incident(), DecisionKind.DISMISS, shown) == ""


@pytest.mark.parametrize(
    ("disable", "restored_at", "kept"),
    [
        (StepState.CANCELED, None, "the bypass stays on"),
        (StepState.CANCELED, START, ""),
        (StepState.HELD, None, ""),  # a release resumes it
        (StepState.DONE, None, ""),
    ],
)
def test_a_release_says_so_where_a_dismissal_has_left_the_bypass_on(
    disable: StepState, restored_at: datetime | None, kept: str
) -> None:
    incident = an_incident().model_copy(update={"blind_from": START, "restored_at": restored_at})
    step = Step(incident_id=incident.id, step=StepKind.DISABLE_BYPASS, state=disable)
    case = a_case(incident)

    assert left_as_it_is(Case(ALEX, case.by_key | {step.row_key: step}), incident, DecisionKind.RELEASE) == kept
