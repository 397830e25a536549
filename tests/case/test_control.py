"""What comes next for a control: total, and never two calls at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.case import control, directory_call, observation
from bypass_responder.case.control import Next, next_of
from bypass_responder.case.draft import Draft
from bypass_responder.errors import RefusedError, ResponderError, TransientError
from bypass_responder.model.case import Case, Head, PriorState
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Control, Effect, Observed, Rule, Step, StepKind, StepState
from tests.world import ALEX, START, an_account

BLOCK = StepKind.BLOCK_SIGN_IN
MOMENTS = st.none() | st.integers(-300, 300).map(lambda seconds: START + timedelta(seconds=seconds))
CONTROLS = st.builds(
    Control,
    control=st.just(BLOCK),
    calling=st.sampled_from([None, BLOCK, StepKind.RELEASE]),
    token=st.sampled_from([None, "token"]),
    lease_until=MOMENTS,
    attempts=st.integers(0, 5),
    acted_at=MOMENTS,
    next_at=MOMENTS,
    reads=st.integers(0, 6),
    observed=st.sampled_from([None, *Observed]),
    shown_at=MOMENTS,
    enabled_since=MOMENTS,
    absent_since=MOMENTS,
    absent_reads=st.integers(0, 4),
    reverted_at=MOMENTS,
)
WANTED = st.sampled_from(sorted(control.WANTED))
ACCOUNTS = st.none() | st.builds(an_account, account_enabled=st.booleans(), on_premises_sync_enabled=st.booleans())


def a_step(state: StepState, **fields: Any) -> Step:
    return Step(incident_id="20260302-00000001", step=BLOCK, state=state, **fields)


def a_case(row: Control, *steps: Step) -> Case:
    incident = Incident(
        id="20260302-00000001",
        target=ALEX,
        status=IncidentStatus.OPEN,
        opened_at=START,
        verdict="violation",
        reason="not on the allowlist",
        account=an_account(),
    )
    head = Head(prior=PriorState(account_enabled=True, recorded_at=START))
    return Case(ALEX, {each.row_key: each for each in (head, incident, row, *steps)})


@given(CONTROLS, st.lists(WANTED, max_size=3))
def test_what_comes_next_is_known_for_every_state(row: Control, states: list[StepState]) -> None:
    step, until = next_of(row, [a_step(state) for state in states], START)

    assert (until is not None and until > START) is (step is Next.WAIT)


@given(CONTROLS, st.lists(WANTED, max_size=3))
def test_nothing_is_called_while_a_call_is_under_way(row: Control, states: list[StepState]) -> None:
    held = row.model_copy(update={"lease_until": START + timedelta(seconds=1)})

    assert next_of(held, [a_step(state) for state in states], START)[0] is Next.WAIT


@given(CONTROLS)
def test_nothing_wanted_never_means_a_call(row: Control) -> None:
    assert next_of(row, [], START)[0] is not Next.ACT


def test_a_call_that_nothing_wants_any_more_is_read_until_its_effect_shows() -> None:
    row = Control(control=BLOCK, acted_at=START, next_at=START, attempts=1)
    draft = Draft(a_case(row, a_step(StepState.WITHHELD)), now=START)
    observation.observe(draft, BLOCK, an_account())
    stale = draft.case.control(BLOCK)
    later = Draft(draft.case, now=stale.next_at or START)
    comes = next_of(stale, [], later.now)
    observation.observe(later, BLOCK, an_account(account_enabled=False))
    [step] = later.case.rows(Step)

    assert (comes, step.state, step.effect) == ((Next.READ, None), StepState.DONE, Effect.EFFECTIVE)


def test_a_block_says_nothing_of_an_incident_that_may_be_about_somebody_else() -> None:
    case = a_case(Control(control=BLOCK, acted_at=START), a_step(StepState.HELD))
    [incident] = case.rows(Incident)
    unresolved = incident.model_copy(update={"account": None})
    draft = Draft(Case(ALEX, case.by_key | {unresolved.row_key: unresolved}), now=START)
    observation.observe(draft, BLOCK, an_account(account_enabled=False))
    [step] = draft.case.rows(Step)

    assert (step.state, step.effect) == (StepState.HELD, None)


def test_a_block_that_was_withheld_for_a_protected_account_shows_that_it_took_effect() -> None:
    withheld = a_step(StepState.CANCELED, reason=Rule.PROTECTED)
    draft = Draft(a_case(Control(control=BLOCK, acted_at=START), withheld), now=START)
    observation.observe(draft, BLOCK, an_account(account_enabled=False))
    [step] = draft.case.rows(Step)

    assert (step.state, step.effect) == (StepState.DONE, Effect.EFFECTIVE)


def test_the_reads_of_an_unwanted_call_end() -> None:
    draft = Draft(a_case(Control(control=BLOCK, acted_at=START, next_at=START)), now=START)
    for _ in range(control.READS_BEFORE_CALLING_AGAIN + 1):
        observation.observe(draft, BLOCK, an_account())

    assert next_of(draft.case.control(BLOCK), [], START) == (Next.NOTHING, None)


@given(CONTROLS, WANTED, ACCOUNTS)
def test_a_read_that_shows_the_same_changes_nothing_but_counts(row: Control, state: StepState, account: Any) -> None:
    first = Draft(a_case(row, a_step(state)), now=START)
    observation.observe(first, BLOCK, account)
    again = Draft(first.case, now=START)
    observation.observe(again, BLOCK, account)

    assert account is None or account.account_enabled or set(again.changed) <= {"control-block_sign_in"}


@given(CONTROLS, WANTED)
def test_a_disabled_account_that_we_called_for_is_our_block(row: Control, state: StepState) -> None:
    draft = Draft(a_case(row, a_step(state)), now=START)
    observation.observe(draft, BLOCK, an_account(account_enabled=False))
    [step] = draft.case.rows(Step)

    assert (step.state, step.effect) == (StepState.DONE, Effect.EFFECTIVE)


@given(CONTROLS)
def test_only_the_holder_of_the_token_undoes_a_claim(row: Control) -> None:
    draft = Draft(a_case(row, a_step(StepState.CLAIMED)), now=START)

    assert directory_call.give_up_claim(draft, BLOCK, "somebody-else") == []
    assert draft.changed == {}


REFUSED = RefusedError("400")
FIRST_CALL: dict[str, Any] = {
    "calling": BLOCK,
    "token": "ours",
    "lease_until": START + timedelta(seconds=60),
    "attempts": 1,
    "first_attempt_at": START,
}


@pytest.mark.parametrize(
    ("changes", "error", "seconds", "frees"),
    [
        ({}, REFUSED, 59, True),
        ({}, None, 59, False),
        ({}, TransientError("503"), 59, False),
        ({}, REFUSED, 60, False),
        ({"token": "somebody-else"}, REFUSED, 59, False),
        ({"attempts": 2}, REFUSED, 59, False),
        ({"first_attempt_at": START + timedelta(seconds=1)}, REFUSED, 59, False),
    ],
    ids=[
        "refused",
        "accepted",
        "unknown",
        "lease ended",
        "claimed by another",
        "second call",
        "called before a renewal",
    ],
)
def test_only_the_refusal_of_the_first_call_under_our_claim_frees_the_slot(
    changes: dict[str, Any], error: ResponderError | None, seconds: int, frees: bool
) -> None:
    case = a_case(Control(control=BLOCK, **FIRST_CALL | changes))

    assert directory_call.frees_the_slot(case, "ours", error, START + timedelta(seconds=seconds)) is frees
