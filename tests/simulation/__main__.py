"""``make simulate SEEDS=10000 FROM=0``: play the seeds, shrink what fails, count what was reached."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field

import pytest

from tests.simulation.gate import CALLS
from tests.simulation.play import Played, play, play_seeds
from tests.simulation.run import Hits
from tests.simulation.schedule import schedule
from tests.simulation.shrink import shrink
from tests.simulation.without import GUARDS, remove

DESCRIPTION = """Play seeded schedules, and shrink the first one that fails. Run this as make simulate SEEDS=1000 FROM=0
ARGS="--all --hits"; ARGS takes the options below. See docs/simulation.md."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--seeds", type=_at_least_one, default=1000, help="number of seeds to play (default: 1000)")
    parser.add_argument(
        "--from", type=int, default=0, dest="first", help="the first seed; to replay one, add --seeds 1 (default: 0)"
    )
    parser.add_argument(
        "--jobs",
        type=_at_least_one,
        default=multiprocessing.cpu_count(),
        help="number of processes (default: one per core)",
    )
    parser.add_argument(
        "--all", action="store_true", help="continue after a failure, and count the rules; do not shrink"
    )
    parser.add_argument("--hits", action="store_true", help="print how often each call was reached and interrupted")
    parser.add_argument(
        "--processes", action="store_true", help="play on Azurite, with hosts that are processes; do not shrink"
    )
    parser.add_argument(
        "--without", choices=GUARDS, help="remove a guard from the code, to see that the defect is found"
    )
    given = parser.parse_args()
    if given.without:
        remove(given.without, pytest.MonkeyPatch())
    began = time.monotonic()
    found = Found()
    with closing(_played(given)) as results:
        for seed, played in results:
            found.add(seed, played)
            if found.failed and not given.all:
                break
            if sys.stderr.isatty() and found.seeds % 50 == 0:
                sys.stderr.write(f"\r{found.seeds} of {given.seeds} seeds")
    _print(f"{found.seeds} seeds in {time.monotonic() - began:.0f} s, {len(found.failed)} failed")
    if given.hits:
        found.print_hits()
    if found.failed and given.all:
        rules = Counter(_rule(problem) for problems in found.failed.values() for problem in problems)
        _print("\n".join(f"{count:6} {rule}" for rule, count in rules.most_common()))
    elif found.failed and given.processes:
        _print(str(schedule(min(found.failed))))
    elif found.failed:
        _print_shortest(*min(found.failed.items()))
    return 1 if found.failed else 0


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def _played(given: argparse.Namespace) -> Generator[tuple[int, Played], None, None]:
    seeds = range(given.first, given.first + given.seeds)
    if given.processes:
        from tests.simulation.processes import play_on_processes

        yield from ((seed, play_on_processes(schedule(seed), without=given.without)) for seed in seeds)
        return
    yield from play_seeds(seeds, method="fork", jobs=given.jobs)


@dataclass
class Found:
    """What the seeds found so far."""

    seeds: int = 0
    failed: dict[int, list[str]] = field(default_factory=dict)
    hits: Hits = field(default_factory=Hits)

    def add(self, seed: int, played: Played) -> None:
        """Count a seed, and print its first problem."""
        self.seeds += 1
        self.hits.reached += played.hits.reached
        self.hits.crashed += played.hits.crashed
        if played.problems:
            self.failed[seed] = played.problems
            _print(f"seed {seed}: {played.problems[0]}")

    def print_hits(self) -> None:
        """Print one line for each call: reached, and killed before, during (of a process) and after it."""
        for call in CALLS:
            killed = ", ".join(f"{self.hits.crashed[call, when]:5} {when}" for when in ("before", "during", "after"))
            reached = ", ".join(f"{self.hits.reached[call, when]:7} {when}" for when in ("before", "after"))
            _print(f"killed{killed}; reached{reached}  {call}")


def _print_shortest(seed: int, problems: list[str]) -> None:
    shortest = shrink(schedule(seed), _rule(problems[0]))
    _print(f"\nThe shortest schedule found that breaks the same rule:\n{shortest}")
    _print("\n".join(play(shortest).problems))


def _rule(problem: str) -> str:
    return problem.partition(":")[0]


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is the program's output


if __name__ == "__main__":
    sys.exit(main())
