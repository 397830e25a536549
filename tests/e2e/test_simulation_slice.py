"""A slice of the simulation's seeds on Azurite and the stand-in tenant, with hosts that are killed (SIGKILL)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from sandbox.azurite import missing
from tests.simulation.play import Played
from tests.simulation.processes import play_on_processes
from tests.simulation.schedule import schedule
from tests.simulation.test_simulation import SWALLOWED

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(missing() is not None, reason=f"{missing()}"),
    pytest.mark.timeout(360),  # a seed takes 15 s, and ten times that on a machine that does much else
]

KILLED_AT = {
    2: "directory.set_sign_in",
    5: "directory.revoke_sessions",
    16: "ledger.commit",
    19: "ledger.add_finding",
    25: "work.touch",
    32: "limit.take",
    49: "exchange.send",
    74: "feed_store.mark_read",
}
"""By seed: the call at which a host is killed for certain. Most seeds kill more hosts, at random."""


@cache
def played(seed: int) -> Played:
    return play_on_processes(replace(schedule(seed), crash_at=(KILLED_AT[seed], "before", 1)))


@pytest.mark.parametrize("seed", KILLED_AT)
def test_every_rule_holds_when_hosts_are_killed(seed: int) -> None:
    assert played(seed).problems == []


@pytest.mark.parametrize(("seed", "call"), KILLED_AT.items())
def test_a_host_is_killed_at_the_call_of_the_seed(seed: int, call: str) -> None:
    killed = kills(played(seed))
    print(f"seed {seed} killed a host at {dict(killed)}")  # noqa: T201 - shown by -s, and when the test fails

    assert killed[call] > 0


def kills(played: Played) -> Counter[str]:
    """How often a host was killed at each call: before, during or after it."""
    return sum((Counter({call: count}) for (call, _), count in played.hits.crashed.items()), Counter())


def test_a_seed_without_kills_replays() -> None:
    calm = replace(schedule(16), crash_at=None, faults={})
    first, again = play_on_processes(calm), play_on_processes(calm)

    assert (first.problems, first.hits) == (again.problems, again.hits)


def test_a_defect_is_found_in_what_azurite_holds() -> None:
    problems = play_on_processes(SWALLOWED, without="dismissal").problems

    assert [problem.partition(":")[0] for problem in problems] == ["swallowed"]
