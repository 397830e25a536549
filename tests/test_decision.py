"""The table of design: each row, and that it is total."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.decision import Decision, Disposition, Facts, Naming, Verdict, decide, needs_exchange
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.step import CONTROLS, StepKind

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
N, H, X = Disposition.NOW, Disposition.HELD, Disposition.NOT


def an_entry(**fields: Any) -> AllowlistEntry:
    defaults: dict[str, Any] = {
        "object_id": "aaaaaaaa-0000-4000-8000-000000000001",
        "reason_class": "archiving",
        "justification": "journal",
        "owner": "ops@contoso.onmicrosoft.com",
        "ticket": "CHG-1",
        "expires_at": NOW + 30 * DAY,
        "edited_at": NOW - 30 * DAY,
    }
    return AllowlistEntry(**(defaults | fields))


MALFORMED = MalformedEntry(object_id="aaaaaaaa-0000-4000-8000-000000000001", problem="ExpiresAt is no date")


def facts(**fields: Any) -> Facts:
    defaults: dict[str, Any] = {
        "effective_at": NOW - HOUR,
        "naming": Naming.ONE_ACCOUNT,
        "first_run": False,
        "protected": False,
        "allowlist": None,
        "exchange_on": None,
        "confirmed": True,
    }
    return Facts(**(defaults | fields))


@pytest.mark.parametrize(
    ("given_facts", "verdict", "plan"),
    [
        (facts(), Verdict.VIOLATION, (N, N, N)),
        (facts(naming=Naming.NONE), Verdict.UNRESOLVED, (H, H, H)),
        (facts(naming=Naming.SEVERAL), Verdict.UNRESOLVED, (H, H, H)),
        (facts(naming=Naming.TWO_ACCOUNTS), Verdict.UNRESOLVED, (H, H, H)),
        (facts(naming=Naming.NAME_MAY_HAVE_MOVED), Verdict.UNRESOLVED, (H, H, H)),
        (facts(naming=Naming.NONE, allowlist=an_entry()), Verdict.UNRESOLVED, (H, H, H)),
        (facts(allowlist=an_entry()), Verdict.ALLOWLISTED, (X, X, X)),
        (facts(allowlist=an_entry(), protected=True), Verdict.ALLOWLISTED, (X, X, X)),
        (facts(protected=True), Verdict.PROTECTED, (N, X, X)),
        (facts(protected=True, first_run=True), Verdict.PROTECTED, (N, X, X)),
        (facts(first_run=True), Verdict.FIRST_RUN, (H, H, H)),
        (facts(effective_at=NOW - 25 * HOUR, exchange_on=False), Verdict.HISTORY, (X, H, H)),
        (facts(effective_at=NOW - 25 * HOUR, exchange_on=True), Verdict.VIOLATION, (N, N, N)),
        (facts(effective_at=NOW - 23 * HOUR, exchange_on=False), Verdict.VIOLATION, (N, N, N)),
        (facts(allowlist=MALFORMED), Verdict.ALLOWLIST_UNCLEAR, (N, H, H)),
        (facts(allowlist=an_entry(edited_at=NOW - HOUR / 2)), Verdict.ALLOWLIST_UNCLEAR, (N, H, H)),
        (facts(allowlist=an_entry(edited_at=NOW - HOUR)), Verdict.ALLOWLIST_UNCLEAR, (N, H, H)),
        (facts(allowlist=an_entry(edited_at=None)), Verdict.ALLOWLIST_UNCLEAR, (N, H, H)),
        (
            facts(effective_at=NOW - 2 * HOUR, allowlist=an_entry(expires_at=NOW - HOUR)),
            Verdict.ALLOWLIST_EXPIRED,
            (N, X, X),
        ),
        (facts(effective_at=NOW - HOUR, allowlist=an_entry(expires_at=NOW - 2 * HOUR)), Verdict.VIOLATION, (N, N, N)),
        (
            facts(effective_at=NOW - 20 * DAY, exchange_on=True, allowlist=an_entry(expires_at=NOW - 15 * DAY)),
            Verdict.VIOLATION,
            (N, N, N),
        ),
        (facts(entry_removed=True, exchange_on=False), Verdict.ALLOWLIST_UNCLEAR, (N, H, H)),
        (facts(entry_removed=True, exchange_on=True), Verdict.VIOLATION, (N, N, N)),
        (facts(entry_removed=True), Verdict.UNRESOLVED, (H, H, H)),
        (facts(effective_at=NOW - 25 * HOUR, entry_removed=True, exchange_on=False), Verdict.HISTORY, (X, H, H)),
        (facts(confirmed=False, exchange_on=False), Verdict.UNCONFIRMED, (X, X, X)),
        (facts(confirmed=False), Verdict.UNRESOLVED, (H, H, H)),
        (facts(effective_at=NOW - 25 * HOUR), Verdict.UNRESOLVED, (H, H, H)),
        (facts(naming=Naming.REFUSED), Verdict.UNRESOLVED, (H, H, H)),
        (facts(naming=Naming.NOT_IN_EXCHANGE), Verdict.UNRESOLVED, (H, H, H)),
        (facts(confirmed=False, exchange_on=True), Verdict.VIOLATION, (N, N, N)),
    ],
)
def test_each_row_of_the_table(
    given_facts: Facts, verdict: Verdict, plan: tuple[Disposition, Disposition, Disposition]
) -> None:
    decision = decide(given_facts, now=NOW)

    assert decision.verdict is verdict
    assert (decision.disable_bypass, decision.revoke_sessions, decision.block_sign_in) == plan


def test_over_the_limit_a_violation_holds_its_block() -> None:
    weaker = decide(facts(), now=NOW).over_limit()

    assert weaker.verdict is Verdict.LIMIT_REACHED
    assert (weaker.disable_bypass, weaker.revoke_sessions, weaker.block_sign_in) == (N, N, H)


moments = st.timedeltas(min_value=-40 * DAY, max_value=DAY).map(lambda ago: NOW + ago)
entries = st.builds(an_entry, expires_at=moments, edited_at=st.none() | moments)
any_facts = st.builds(
    Facts,
    effective_at=moments,
    naming=st.sampled_from(Naming),
    first_run=st.booleans(),
    protected=st.booleans(),
    allowlist=st.none() | st.just(MALFORMED) | entries,
    exchange_on=st.none() | st.booleans(),
    confirmed=st.booleans(),
    entry_removed=st.booleans(),
)


@given(any_facts)
def test_every_combination_of_facts_has_a_decision_with_a_reason(given_facts: Facts) -> None:
    decision = decide(given_facts, now=NOW)

    assert isinstance(decision, Decision)
    assert decision.reason


@given(any_facts)
def test_nobody_is_blocked_who_is_protected_first_run_or_not_one_account(given_facts: Facts) -> None:
    decision = decide(given_facts, now=NOW)

    blocked_now = decision.block_sign_in is Disposition.NOW
    forbidden = (
        given_facts.protected
        or given_facts.first_run
        or given_facts.naming is not Naming.ONE_ACCOUNT
        or given_facts.allowlist == MALFORMED
    )
    assert not (blocked_now and forbidden)


@given(any_facts)
def test_over_the_limit_nobody_is_blocked_and_no_other_step_changes(given_facts: Facts) -> None:
    decision = decide(given_facts, now=NOW)

    weaker = decision.over_limit()

    assert weaker.block_sign_in is not Disposition.NOW
    assert (weaker.disable_bypass, weaker.revoke_sessions) == (decision.disable_bypass, decision.revoke_sessions)


any_controls = st.frozensets(st.sampled_from(CONTROLS))


@given(any_facts, any_controls)
def test_only_automatic_controls_act_without_a_decision(given_facts: Facts, controls: frozenset[StepKind]) -> None:
    decision = decide(given_facts, now=NOW).automatic(controls)

    assert {kind for kind, step in decision.steps.items() if step is N} <= controls


@given(any_facts, any_controls)
def test_a_control_that_is_not_automatic_is_held_where_it_would_act_and_nothing_else_changes(
    given_facts: Facts, controls: frozenset[StepKind]
) -> None:
    decision = decide(given_facts, now=NOW)

    changed = decision.automatic(controls)

    expected = {kind: H if step is N and kind not in controls else step for kind, step in decision.steps.items()}
    assert (changed.verdict, changed.steps) == (decision.verdict, expected)


@given(any_facts, any_controls)
def test_a_held_block_takes_no_slot(given_facts: Facts, controls: frozenset[StepKind]) -> None:
    decision = decide(given_facts, now=NOW).automatic(controls - {StepKind.BLOCK_SIGN_IN})

    assert decision.over_limit() == decision


@given(any_facts)
def test_nothing_is_done_now_on_what_only_exchange_can_tell_until_it_was_asked(given_facts: Facts) -> None:
    decision = decide(given_facts, now=NOW)

    asked = given_facts.exchange_on is not None or given_facts.protected
    old_or_unsure = needs_exchange(effective_at=given_facts.effective_at, confirmed=given_facts.confirmed, now=NOW)
    old_or_unsure = old_or_unsure or given_facts.entry_removed
    assert asked or not old_or_unsure or Disposition.NOW not in decision.steps.values()


@given(any_facts)
def test_a_block_never_goes_ahead_of_the_bypass_being_switched_off(given_facts: Facts) -> None:
    decision = decide(given_facts, now=NOW)

    assert decision.block_sign_in.rank <= decision.disable_bypass.rank or decision.verdict is Verdict.HISTORY


def test_exchange_is_asked_about_what_is_old_or_unconfirmed() -> None:
    assert needs_exchange(effective_at=NOW - 25 * HOUR, confirmed=True, now=NOW)
    assert needs_exchange(effective_at=NOW, confirmed=False, now=NOW)
    assert not needs_exchange(effective_at=NOW - 23 * HOUR, confirmed=True, now=NOW)
