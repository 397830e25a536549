"""The simulation itself: it replays, it reaches every call, and it finds and shrinks what is wrong."""

from __future__ import annotations

import itertools

import pytest

from bypass_responder.case import evidence
from bypass_responder.model.case import Case
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident
from tests.simulation.gate import CALLS
from tests.simulation.play import Played, play, play_seeds
from tests.simulation.schedule import CROWDED, CYCLE, OBSERVED, Event, Schedule, schedule
from tests.simulation.shrink import shrink
from tests.simulation.without import remove

SEEDS = max(200, 2 * len(CALLS))
"""So many that each call has the seeds in which a host is killed before and after it."""


@pytest.fixture(scope="module")
def played() -> dict[int, Played]:
    return dict(play_seeds(range(SEEDS), method="spawn"))


def test_a_seed_replays() -> None:
    first, again = play(schedule(5)), play(schedule(5))

    assert (first.problems, first.hits) == (again.problems, again.hits)


def test_every_call_of_every_port_is_reached_before_and_after(played: dict[int, Played]) -> None:
    reached = {where for one in played.values() for where in one.hits.reached}

    assert reached == set(itertools.product(CALLS, ("before", "after")))


def test_nothing_goes_wrong_where_nothing_happens() -> None:
    assert play(Schedule(seed=1, events=())).problems == []


def test_every_rule_holds_in_the_first_seeds(played: dict[int, Played]) -> None:
    assert {seed: one.problems for seed, one in played.items() if one.problems} == {}


SWALLOWED = Schedule(
    seed=2129,
    events=(
        Event(1000, "hint", "blake"),
        Event(1908, "on", "alex"),
        Event(2784, "on", "alex", 60),
        Event(2892, "dismiss", "alex"),
        Event(3060, "off", "alex", 3600),
        Event(9000, "look"),
    ),
)
"""A record arrives after the dismissal of an incident by somebody who could not have seen it."""


def ended_by_a_person(_: Case, incident: Incident, __: Finding) -> bool:
    """The rule of before: whatever the person had been shown, everything about the account is past."""
    return incident.closed_at is not None


def test_a_failing_schedule_is_shrunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "_was_known", ended_by_a_person)
    short = shrink(SWALLOWED, "swallowed")

    assert len(short.events) < len(SWALLOWED.events)
    assert any(problem.startswith("swallowed") for problem in play(short).problems)


BY_SCHEDULE: dict[str, tuple[set[str], dict[str, float], tuple[Event, ...]]] = {
    "restoration": ({"blocked_again"}, {}, (Event(60, "on", "alex", 3600), Event(2400, "release", "alex"))),
    "superseded": (
        {"enabled_under"},
        {"throttled": 0.5},
        (Event(60, "on", "alex"), Event(1800, "release", "alex"), Event(1830, "on", "alex", 5)),
    ),
    "not_needed": (
        {"never_ends", "says_blocked"},
        {},
        (Event(60, "on", "alex", 600), Event(100, "disable", "alex"), Event(3000, "enable", "alex")),
    ),
    "rules": ({"withheld"}, {}, (Event(60, "mode", "alex", 1200), Event(120, "on", "alex"))),
    "queue": ({"wrong_queue"}, {}, (Event(60, "on", "alex"), Event(120, "wrong_queue", "alex"))),
}
"""Guards, each with the rules that are broken without it, by which faults and events."""
INTERLEAVINGS = 100
"""Of a schedule, tried until one breaks a rule."""


@pytest.mark.parametrize("guard", BY_SCHEDULE)
def test_a_defect_is_found_by_its_schedule(guard: str) -> None:
    rules, faults, events = BY_SCHEDULE[guard]
    with pytest.MonkeyPatch.context() as patch:
        remove(guard, patch)
        seed, found = next(
            (seed, problems)
            for seed in range(INTERLEAVINGS)
            if (problems := play(Schedule(seed, events, faults)).problems)
        )

    assert {problem.partition(":")[0] for problem in found} == rules
    assert play(Schedule(seed, events, faults)).problems == []


BY_SEED = {
    "claim": (CROWDED, "claimed_twice"),
    "token": (CROWDED, "accepted"),
    "visits": (OBSERVED, "withheld"),
    "author": (3, "own_decision"),
}
"""Guards, each with the remainder of the seeds that find its defect, and the rule that is broken."""


@pytest.mark.parametrize("guard", BY_SEED)
def test_a_defect_is_found_by_the_seeds_of_its_kind(guard: str) -> None:
    remainder, rule = BY_SEED[guard]
    with pytest.MonkeyPatch.context() as patch:
        remove(guard, patch)
        seed, found = next(
            (seed, problems) for seed in range(remainder, 10_000, CYCLE) if (problems := play(schedule(seed)).problems)
        )

    assert rule in {problem.partition(":")[0] for problem in found}
    assert play(schedule(seed)).problems == []
