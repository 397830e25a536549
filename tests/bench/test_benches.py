"""Each bench on little input: it measures what it says. How fast anything is, no test asserts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import bench.__main__ as runner
from bench import cold_start, contain, detect_export, feed_filter
from bench.mixed_records import blob
from sandbox.azurite import missing
from sandbox.tenant.server import environment

ROOT = Path(__file__).resolve().parents[2]
needs_azurite = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@needs_azurite
def test_containing_an_account_takes_no_less_than_three_slow_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment(""):
        monkeypatch.setenv(name, "set back afterwards")
    monkeypatch.setattr(contain, "_WARM_UP", 1)

    figures = contain.measure(runs=2)

    floor_ms = 3 * 1000 * contain.LATENCY_SECONDS
    assert min(figures["responder_ms"], figures["bare_calls_ms"], figures["until_all_is_recorded_ms"]) > floor_ms


@needs_azurite
def test_every_trigger_of_the_function_app_is_invoked_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold_start, "_WARM_UP", 0)
    code = "from function_app import app; print(*(each.get_function_name() for each in app.get_functions()))"
    listed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    figures = cold_start.measure(rounds=1)

    invoked = {name.removeprefix("first_").removesuffix("_ms") for name in figures if name.startswith("first_")}
    assert invoked == set(listed.stdout.split())


def test_an_app_that_fails_to_start_is_not_measured(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("raise RuntimeError('no app')")

    with pytest.raises(AssertionError, match="no app"):
        cold_start._milliseconds(tmp_path, settings=os.environ)


def test_all_three_filters_find_the_same_one() -> None:
    content = blob(0, records=50, with_match=True)

    assert (feed_filter.ours([[content]]), feed_filter.plain_loop([content]), feed_filter.peer([content])) == (1, 1, 1)


def test_an_export_of_any_size_holds_one_bypass(tmp_path: Path) -> None:
    export = tmp_path / "export.json"
    detect_export._write(export, 1_000_000, first=b"[", between=b",", last=b"]\n")

    seconds, _ = detect_export._detect(export)

    assert (export.stat().st_size >= 1_000_000, seconds > 0) == (True, True)


def test_what_cannot_be_measured_is_said_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`mixed_records` is no bench: it has nothing to measure."""
    results = tmp_path / "results.json"
    monkeypatch.setattr(runner, "RESULTS", results)
    monkeypatch.setattr(runner, "BENCHES", ("mixed_records",))
    monkeypatch.setattr(sys, "argv", ["bench"])

    code = runner.main()

    told = json.loads(results.read_text())["benches"]["mixed_records"]["problem"]
    assert (code, "measure" in told, "not measured" in capsys.readouterr().out) == (1, True, True)
