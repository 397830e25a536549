"""The one next step for each situation, and the decisions that are possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bypass_responder.model.decision_message import DecisionKind
from tests.operating.incidents import scenes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.world import World

APPROVE, DISMISS, CLOSE, RELEASE = (
    DecisionKind.APPROVE,
    DecisionKind.DISMISS,
    DecisionKind.CLOSE,
    DecisionKind.RELEASE,
)


@pytest.mark.parametrize(
    ("scene", "primary", "others"),
    [
        (scenes.contained, CLOSE, [DISMISS, RELEASE]),
        (scenes.held, APPROVE, [DISMISS]),
        (scenes.failed, APPROVE, [DISMISS]),
        (scenes.reverted, APPROVE, [DISMISS, RELEASE]),
        (scenes.guest, CLOSE, [DISMISS, RELEASE]),
        (scenes.synced, CLOSE, [DISMISS, RELEASE]),
        (scenes.observed, None, [DISMISS]),
        (scenes.refused, APPROVE, [DISMISS]),
        (scenes.in_progress, None, [DISMISS, RELEASE]),
        (scenes.released, None, []),
        (scenes.dismissed, None, [RELEASE]),
        (scenes.closed, None, [RELEASE]),
    ],
)
async def test_the_decisions_of_each_situation(
    scene: Callable[[], Awaitable[World]], primary: DecisionKind | None, others: list[DecisionKind]
) -> None:
    step = (await scenes.view(await scene())).next

    assert (step.choice.decision if step.choice else None) == primary
    assert [each.decision for each in step.others] == others


@pytest.mark.parametrize("scene", [scenes.contained, scenes.held, scenes.failed, scenes.reverted, scenes.guest])
async def test_what_is_offered_is_carried_out(scene: Callable[[], Awaitable[World]]) -> None:
    world = await scene()
    shown = await scenes.view(world)
    assert shown.next.choice is not None

    recorded = await world.decides(shown.next.choice.decision.value, shown.id)

    assert recorded.outcome == "carried_out"


async def test_the_next_step_of_a_synced_account_is_a_sentence() -> None:
    step = (await scenes.view(await scenes.synced())).next

    assert "reset its password there: the next synchronization enables it again." in step.text


async def test_an_approval_of_an_unresolved_target_names_the_account() -> None:
    world = await scenes.by_name()
    step = (await scenes.view(world, next(iter(world.index.held.values())).target)).next

    assert step.choice is not None
    assert step.choice.needs_account
    assert "--account OBJECT_ID_OR_UPN" in step.choice.command


async def test_the_app_that_observes_offers_no_approval() -> None:
    """Whatever this process has in its settings."""
    world = await scenes.held()
    world.deploy(mode="observe")
    await world.passes(minutes=1)
    world.deploy(mode="enforce")
    step = (await scenes.view(world)).next

    assert [each.decision for each in step.others] == [DISMISS]


async def test_a_decision_says_what_it_leaves_unchanged() -> None:
    step = (await scenes.view(await scenes.contained())).next

    assert step.choice is not None
    assert "Not changed: the account stays blocked" in step.choice.effect


async def test_no_decision_says_that_a_synced_account_stays_blocked() -> None:
    step = (await scenes.view(await scenes.synced())).next

    assert step.choice is not None
    assert "stays blocked until the next directory synchronization" in step.choice.effect
    assert [each.label for each in step.others] == ["Dismiss, keep the block", "Release: it was legitimate"]


async def test_the_failed_step_and_the_missing_right_are_named() -> None:
    step = (await scenes.view(await scenes.failed())).next

    assert step.text.startswith("Contain mallory@contoso.onmicrosoft.com. Failed: block sign-in: ")
    assert "Privileged Authentication Administrator" in step.text
