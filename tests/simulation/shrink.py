"""Make a failing schedule as short as it can be.

Events and faults are left out while the same rule is broken.
"""

from __future__ import annotations

from dataclasses import replace

from tests.simulation.play import play
from tests.simulation.schedule import Schedule

INTERLEAVINGS = 12
"""How many other orders are tried for a shorter list of events."""


def shrink(schedule: Schedule, rule: str) -> Schedule:
    """The shortest schedule found that breaks the rule."""
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(schedule):
            found = _breaks(candidate, rule)
            if found is not None:
                schedule, smaller = found, True
                break
    return schedule


def _smaller(schedule: Schedule) -> list[Schedule]:
    without = [replace(schedule, crash_at=None)] if schedule.crash_at else []
    without += [
        replace(schedule, faults={name: rate for name, rate in schedule.faults.items() if name != left_out})
        for left_out in schedule.faults
    ]
    return without + [
        replace(schedule, events=schedule.events[:number] + schedule.events[number + 1 :])
        for number in range(len(schedule.events))
    ]


def _breaks(schedule: Schedule, rule: str) -> Schedule | None:
    for number in range(INTERLEAVINGS):
        other = replace(schedule, seed=schedule.seed + number * 1_000_003)
        if any(problem.startswith(f"{rule}:") for problem in play(other).problems):
            return other
    return None
