"""A slice of the simulation's seeds on Azurite and the stand-in tenant.

The hosts are killed with SIGKILL.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from sandbox.azurite import missing
from tests.simulation.play import Played
from tests.simulation.processes import play_on_processes
from tests.simulation.run import Hits
from tests.simulation.schedule import Event, Schedule, schedule
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


def test_a_schedule_without_kills_replays() -> None:
    """At least two of six plays are the same.

    On a busy machine, a host may report late, and a call then comes in another order.
    """
    calm = Schedule(16, (Event(60, "on", "alex", 60), Event(900, "release", "alex")))
    plays = (play_on_processes(calm) for _ in range(6))
    ended: list[Hits] = []
    for one in plays:
        if one.hits in ended:
            break
        ended.append(one.hits)

    assert len(ended) < 6
    assert one.problems == []


def test_a_defect_is_found_in_what_azurite_holds() -> None:
    """Not in every interleaving: another host may process the second record before the dismissal."""
    plays = (play_on_processes(replace(SWALLOWED, seed=seed), without="dismissal") for seed in range(2130, 2138))
    problems = next((one.problems for one in plays if one.problems), [])

    assert [problem.partition(":")[0] for problem in problems] == ["swallowed"]
