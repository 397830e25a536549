"""Play a schedule to its end and check it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bypass_responder.case import filing
from tests.simulation.check import problems_of
from tests.simulation.run import Hits, Run
from tests.simulation.schedule import Schedule


@dataclass(frozen=True)
class Played:
    """The rules that were broken, and the calls that were reached."""

    problems: list[str]
    hits: Hits


def play(schedule: Schedule) -> Played:
    """Play a schedule, with bounds so low that a short run reaches them. It ends in the same way each time."""
    logging.disable(logging.CRITICAL)
    run = Run(schedule)
    problems: list[str] = []
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(filing, "MOST_REOPENED", 1)
            patch.setattr(filing, "KEPT_FOR", timedelta(minutes=30))
            problems = run.play(problems_of)
    finally:
        logging.disable(logging.NOTSET)
    return Played(problems, run.hits)
