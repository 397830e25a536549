"""What would happen if an account went dark now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.decision import Decision, Disposition, Verdict
from bypass_responder.model.account import MalformedEntry
from bypass_responder.operating.allowlist.explain import explain, sentence
from tests.world import ALEX, START, World, an_account, an_entry


async def explained(*rows: Any, **settings: Any) -> Any:
    world = World(**settings)
    world.allowlist.rows = {row.object_id: row for row in rows}
    return await explain(an_account(), world.services)


@pytest.mark.parametrize(
    ("row", "verdict", "said"),
    [
        (an_entry(), "allowlisted", "Nothing would be done"),
        (None, "violation", "At once: sign-in blocked, sessions revoked, auditing restored"),
        (an_entry(expires_at=START - timedelta(days=30)), "violation", "At once"),
        (MalformedEntry(object_id=ALEX, problem="Owner is missing"), "allowlist_unclear", "after a person approves"),
    ],
)
async def test_the_decision_is_the_one_of_the_responder(row: Any, verdict: str, said: str) -> None:
    found = await explained(*([row] if row else []))

    assert (found.verdict, said in found.sentence) == (verdict, True)


async def test_in_observe_it_says_that_nothing_is_done() -> None:
    found = await explained(mode="observe")

    assert "MODE is observe" in found.sentence


async def test_a_protected_account_is_never_blocked() -> None:
    found = await explained(protected_object_ids=ALEX)

    assert (found.verdict, found.sentence.startswith("At once: auditing restored (")) == ("protected", True)


async def test_a_block_at_once_is_within_the_hourly_limit() -> None:
    sentences = [(await explained(*rows)).sentence for rows in ((), (an_entry(),))]

    assert ["CONTAINMENT_LIMIT_PER_HOUR accounts are blocked" in each for each in sentences] == [True, False]


async def test_an_entry_that_nobody_approved_does_not_count() -> None:
    found = await explained(an_entry(), allowlist_approval="required")

    assert found.verdict == "allowlist_unclear"


dispositions = st.sampled_from(Disposition)


@given(dispositions, dispositions, dispositions, st.booleans())
def test_every_decision_has_a_sentence(one: Disposition, two: Disposition, three: Disposition, enforce: bool) -> None:
    decision = Decision(
        verdict=Verdict.VIOLATION, reason="why", disable_bypass=one, revoke_sessions=two, block_sign_in=three
    )

    assert "why" in sentence(decision, enforce=enforce)
