"""What a report says is unknown."""

from __future__ import annotations

from bypass_responder.model.step import Effect
from bypass_responder.operating.report.unknowns import ALWAYS, unknowns
from tests.operating.incidents import scenes


async def test_a_contained_incident_leaves_only_what_is_never_known() -> None:
    assert unknowns(await scenes.view(await scenes.contained())) == (ALWAYS,)


async def test_a_bypass_that_is_still_on_has_no_proven_end() -> None:
    view = await scenes.view(await scenes.held())

    assert "When auditing was restored: that is not proven." in unknowns(view)


async def test_an_author_whom_only_their_machine_names_is_not_known() -> None:
    view = await scenes.view(await scenes.released())

    assert "Who made 1 of 1 decisions: only the sender's own machine names the author." in unknowns(view)


async def test_an_incident_without_actor_says_so() -> None:
    view = (await scenes.view(await scenes.contained())).model_copy(update={"actors": ()})

    assert "Who switched the bypass on: no audit record names the actor." in unknowns(view)


async def test_a_control_whose_effect_is_not_verified_is_named() -> None:
    view = await scenes.view(await scenes.contained())
    first = view.controls[0].model_copy(update={"effect": Effect.UNVERIFIED})

    assert "Whether block sign-in had an effect: no read proves it." in unknowns(
        view.model_copy(update={"controls": (first, *view.controls[1:])})
    )
