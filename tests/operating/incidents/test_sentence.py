"""The state of an incident in one sentence, for each situation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.step import Effect, Observed, Step, StepKind, StepState
from bypass_responder.operating.incidents.current_state import CurrentState
from bypass_responder.operating.incidents.sentence import Situation, situation_of, state_sentence
from tests.operating.incidents import scenes
from tests.world import ALEX, START, an_account

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.world import World

SIGNED_OUT = "alex@contoso.onmicrosoft.com cannot sign in (read 2026-03-02 09:00:10Z)"
SIGNED_IN = "alex@contoso.onmicrosoft.com can sign in (read 2026-03-02 09:00:00Z)"
RESTORED = "auditing is restored (verified 2026-03-02 09:00:00Z)"
DARK = "the bypass is on (as of 2026-03-02 08:50:00Z)"
BY = "at 2026-03-02 09:00:10Z by ops@contoso.onmicrosoft.com (0f0f0f0f-0000-4000-8000-00000000000f), claimed"


WORKING = "block sign-in, revoke sessions, remove bypass"
ENABLED_AGAIN = "Action required, because the account was enabled again after it was blocked"
GUEST = "Action required, because open sessions of a guest stay valid"


def later(clause: str, before: str, after: str) -> str:
    return clause.replace(before, after)


@pytest.mark.parametrize(
    ("scene", "situation", "sentence"),
    [
        (scenes.contained, "contained", f"Contained: {SIGNED_OUT}; {RESTORED}."),
        (scenes.held, "held", f"Decision required ({WORKING}): {SIGNED_IN}; {DARK}."),
        (scenes.failed, "failed", f"Action required (block sign-in): {SIGNED_IN}; {RESTORED}."),
        (
            scenes.refused,
            "failed",
            f"Action required (block sign-in): {SIGNED_IN}; {later(DARK, '08:50', '08:00')}.",
        ),
        (
            scenes.off_already,
            "contained",
            f"Contained: {SIGNED_OUT}; the bypass was off already when it was read (2026-03-02 09:00:00Z).",
        ),
        (scenes.reverted, "reverted", f"{ENABLED_AGAIN}: {later(SIGNED_IN, '09:00:00', '10:04:10')}; {RESTORED}."),
        (scenes.guest, "guest", f"{GUEST}: {SIGNED_OUT}; {RESTORED}."),
        (
            scenes.synced,
            "synced",
            f"Contained only until the next directory synchronization: {SIGNED_OUT}; {RESTORED}.",
        ),
        (scenes.observed, "observed", f"Nothing was changed, because MODE is observe: {SIGNED_IN}; {DARK}."),
        (scenes.in_progress, "open", f"In progress ({WORKING}): {SIGNED_IN}; {later(DARK, '08:50', '08:00')}."),
        (scenes.released, "released", f"Released {BY}: {later(SIGNED_IN, '09:00:00', '09:00:20')}; {RESTORED}."),
        (scenes.dismissed, "dismissed", f"Dismissed {BY}: {SIGNED_OUT}; {RESTORED}."),
        (scenes.closed, "closed", f"Closed {BY}: {SIGNED_OUT}; {RESTORED}."),
    ],
)
async def test_the_sentence_of_each_situation(
    scene: Callable[[], Awaitable[World]], situation: str, sentence: str
) -> None:
    shown = await scenes.view(await scene())

    assert (shown.situation, shown.state) == (situation, sentence)


async def test_the_sentence_of_an_unresolved_target_blames_no_account() -> None:
    world = await scenes.by_name()
    shown = await scenes.view(world, next(iter(world.index.held.values())).target)

    assert shown.state == (
        "Decision required, because no single account is known: nothing was done about old name; "
        "the bypass is on according to the record of 2026-03-02 08:00:00Z."
    )


steps = st.lists(
    st.builds(
        Step,
        incident_id=st.just("i"),
        step=st.sampled_from(StepKind),
        state=st.sampled_from(StepState),
        effect=st.none() | st.sampled_from(Effect),
    ),
    max_size=4,
)
states = st.builds(
    CurrentState,
    sign_in=st.none() | st.sampled_from(Observed),
    sign_in_at=st.just(START),
    bypass=st.sampled_from(["on", "off", None]),
    bypass_at=st.just(START),
)


@given(st.sampled_from(IncidentStatus), steps, states, st.booleans())
def test_contained_is_never_said_of_an_account_that_can_sign_in(
    status: IncidentStatus, given_steps: list[Step], now: CurrentState, known: bool
) -> None:
    account = an_account() if known else None
    incident = Incident(
        id="i", target=ALEX, status=status, opened_at=START, verdict="v", reason="r", account=account, restored_at=START
    )
    situation = situation_of(incident, given_steps, now.sign_in)
    sentence = state_sentence(situation, incident, given_steps, now)

    assert not (sentence.startswith("Contained") and now.sign_in in {Observed.ENABLED, None})
    assert not (now.bypass == "on" and ("auditing is restored" in sentence or "bypass is off" in sentence))
    assert situation in Situation
