"""The table and the targets of the benches."""

from __future__ import annotations

import pytest

from bench.figures import Bench, Target, unit


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (Target(2), 2.0, "met"),
        (Target(2), 2.5, "missed by 0.5 (25%)"),
        (Target(4, at_least=True), 4.0, "met"),
        (Target(4, at_least=True), 3.0, "missed by 1 (25%)"),
    ],
)
def test_a_verdict_says_by_how_much_a_target_is_missed(target: Target, value: float, verdict: str) -> None:
    assert target.verdict(value) == verdict


def test_a_bench_gives_each_figure_its_unit_and_its_target() -> None:
    written = Bench.measured("contain", {"times_bare_calls": 1.3, "responder_ms": 200.0}).as_json()

    assert written == {
        "times_bare_calls": {"value": 1.3, "unit": "x", "target": "≤ 1.15", "verdict": "missed by 0.15 (13%)"},
        "responder_ms": {"value": 200.0, "unit": "ms"},
    }


def test_memory_growth_is_that_from_the_small_file_to_the_large_one() -> None:
    bench = Bench.measured("detect_export", {"array_1gb_peak_mb": 60, "array_100mb_peak_mb": 40})

    assert bench.figures["array_memory_growth"] == 1.5


def test_a_target_that_a_bench_repeats_is_no_figure() -> None:
    assert Bench.measured("feed_filter", {"target_eql": 5.0}).figures == {}


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("array_1gb_mb_per_second", "MB/s"),
        ("array_1gb_peak_mb", "MB"),
        ("storage_calls_on_an_empty_feed", "calls"),
        ("storage_calls_per_event", "calls"),
        ("events", "events"),
        ("peak_memory_per_answer_byte", "x"),
        ("answer_kb", "kB"),
    ],
)
def test_a_unit_is_read_from_the_name(figure: str, expected: str) -> None:
    assert unit(figure) == expected
