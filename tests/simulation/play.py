"""Play a schedule to its end and check it."""

from __future__ import annotations

import gc
import logging
import multiprocessing
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bypass_responder.case import filing
from bypass_responder.evidence import planning, sources
from tests.simulation.check import problems_of
from tests.simulation.run import SOURCES, Hits, Run
from tests.simulation.schedule import Schedule, schedule

ASKED = {*SOURCES, "sign_ins_application", "graph_activity"}
"""The sources that are asked: the others are as unavailable as two of these, and would make a third of all calls."""


@dataclass(frozen=True)
class Played:
    """The rules that were broken, and the calls that were reached."""

    problems: list[str]
    hits: Hits


def play_seeds(
    seeds: Sequence[int], *, method: str, jobs: int | None = None
) -> Generator[tuple[int, Played], None, None]:
    """Play seeds on ``jobs`` processes (one per core by default), started by ``method``; in any order."""
    with multiprocessing.get_context(method).Pool(jobs, initializer=_collect_rarely) as pool:
        yield from pool.imap_unordered(_play_seed, seeds, chunksize=2)


def _collect_rarely() -> None:
    """Rarely look for garbage in cycles, which takes 6 % of the time: a hundred seeds leave 150 MB of it."""
    gc.freeze()
    gc.set_threshold(2_000_000, 50, 50)


def _play_seed(seed: int) -> tuple[int, Played]:
    return seed, play(schedule(seed))


def play(one: Schedule) -> Played:
    """Play a schedule, with bounds so low that a short run reaches them.

    It ends in the same way each time.
    """
    logging.disable(logging.CRITICAL)
    run = Run(one)
    problems: list[str] = []
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(filing, "MOST_REOPENED", 1)
            patch.setattr(filing, "KEPT_FOR", timedelta(minutes=30))
            patch.setattr(planning, "SOURCES", tuple(each for each in sources.SOURCES if each.name in ASKED))
            problems = run.play(problems_of)
    finally:
        logging.disable(logging.NOTSET)
    return Played(problems, run.hits)
