"""The simulation itself: it replays, it reaches every call, and it finds and shrinks what is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.simulation.gate import CALLS
from tests.simulation.play import play
from tests.simulation.run import Hits
from tests.simulation.schedule import Schedule, schedule
from tests.simulation.shrink import shrink

SEEDS = 200


@pytest.fixture(scope="module")
def hits() -> Hits:
    total = Hits()
    for seed in range(2 * len(CALLS)):
        total.reached += play(schedule(seed)).hits.reached
    return total


def test_a_seed_replays() -> None:
    first, again = play(schedule(5)), play(schedule(5))

    assert (first.problems, first.hits) == (again.problems, again.hits)


def test_every_call_of_every_port_is_reached_before_and_after(hits: Hits) -> None:
    missed = [(call, when) for call in CALLS for when in ("before", "after") if not hits.reached[call, when]]

    assert missed == []


def test_nothing_goes_wrong_where_nothing_happens() -> None:
    assert play(Schedule(seed=1, events=())).problems == []


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="steps per incident: the next change replaces them")
def test_every_rule_holds_in_the_first_seeds() -> None:
    found = {seed: problems for seed in range(SEEDS) if (problems := play(schedule(seed)).problems)}

    assert found == {}


def test_a_failing_schedule_is_shrunk() -> None:
    long = schedule(2129)
    short = shrink(long, "swallowed")

    assert len(short.events) < len(long.events)
    assert any(problem.startswith("swallowed") for problem in play(replace(short)).problems)
