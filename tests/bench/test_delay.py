"""The delay model: the fastest sensor counts, and unknown delays are marked.

The document has the table of the model.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench import delay
from bench.delay import Mix

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "cost.md").read_text(encoding="utf-8")


def test_the_document_shows_what_the_script_prints() -> None:
    assert delay.delay_table() in DOCUMENT


@pytest.mark.parametrize("mix", delay.MIXES, ids=lambda mix: mix.name)
def test_no_attack_is_blocked_before_it_began_or_after_its_slowest_sensor(mix: Mix) -> None:
    draw = random.Random(1)
    slowest = max(delay.FEED[1], delay.UNKNOWN[1]) + max(filter(None, (mix.poll, mix.sweep, mix.hunting))) + 3

    assert all(0 < delay.minutes_until_blocked(mix, draw) < slowest for _ in range(200))


def test_another_sensor_never_makes_it_slower() -> None:
    alone, both = (delay.delays(Mix("same", 1, hunting=hunting)) for hunting in (None, 5))

    assert all(later >= sooner for later, sooner in zip(alone, both, strict=True))


def test_a_mix_with_an_unpublished_delay_is_marked() -> None:
    rows = {row.split(" | ")[0].removeprefix("| "): row.count("(?)") for row in delay.delay_table().splitlines()[2:]}

    assert rows == {mix.name: 3 * (mix.hunting is not None or mix.alert) for mix in delay.MIXES}


def test_every_mix_is_measured() -> None:
    assert len(delay.measure(attacks=20)) == 1 + 2 * len(delay.MIXES)
