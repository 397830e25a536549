"""The decisions of people over all accounts."""

from __future__ import annotations

from datetime import timedelta

from bypass_responder.operating.decision_list import list_decisions
from tests.operating.incidents import scenes


async def test_a_decision_is_listed_with_author_and_outcome() -> None:
    world = await scenes.released()
    [found] = await list_decisions(world.ledger)

    assert (found.decision.value, found.outcome, found.verified) == ("release", "carried_out", False)


async def test_only_the_period_is_listed() -> None:
    world = await scenes.released()
    [found] = await list_decisions(world.ledger)

    assert await list_decisions(world.ledger, since=found.at, until=found.at + timedelta(seconds=1)) == [found]
    assert await list_decisions(world.ledger, until=found.at) == []
    assert await list_decisions(world.ledger, since=found.at + timedelta(seconds=1)) == []
