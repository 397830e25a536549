"""Each bench on little input: it measures what it says. How fast anything is, no test asserts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

import bench.__main__ as runner
from bench import (
    account_history,
    app_memory,
    cold_start,
    contain,
    detect_export,
    evidence_run,
    feed_filter,
    graph_limit,
    incident_pages,
    log_verify,
    mixed_events,
    notifications,
    off_flood,
    posture_compare,
    posture_memory,
    posture_read,
    sweep_compare,
    worker_beside,
    worker_memory,
)
from bench.event_order import SWEEP, by_seed
from bench.mixed_records import blob
from bench.storage_calls import GRAPH_SECONDS
from bypass_responder.posture import sorted_rows
from bypass_responder.sensing.sweep import read_content
from sandbox.azurite import missing
from sandbox.exchange_online.powershell import PowerShellError
from sandbox.tenant.server import environment
from sandbox.tenant.settings import Settings
from tests.sampling import sampled

ROOT = Path(__file__).resolve().parents[2]
needs_azurite = pytest.mark.skipif(missing() is not None, reason=str(missing()))
needs_worker = pytest.mark.skipif(bool(worker_memory.missing()), reason=worker_memory.missing())


@pytest.fixture
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bench puts the responder's identity into this process; it is set back afterwards."""
    for name in environment(""):
        monkeypatch.setenv(name, "set back afterwards")


@needs_azurite
def test_a_log_is_verified_with_a_request_for_each_day_of_checkpoints() -> None:
    figures = log_verify.measure(year=200, few=20, many=100)

    days = {"year_blobs": 4, "year_log": 1, "year_targets": 1, "year_rows": 2, "year_names": 1}
    assert figures["year_requests"] == sum(days.values())


@needs_azurite
@pytest.mark.usefixtures("_environment")
def test_containing_an_account_takes_no_less_than_three_slow_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contain, "_WARM_UP", 1)

    figures = contain.measure(runs=2)

    floor_ms = 3 * 1000 * GRAPH_SECONDS
    assert min(figures["responder_ms"], figures["bare_calls_ms"], figures["until_all_is_recorded_ms"]) > floor_ms


def test_a_page_of_incidents_takes_at_most_four_requests() -> None:
    figures = incident_pages.measure(incidents=200, runs=1)

    assert (figures["incidents"], 1 <= figures["most_requests"] <= 4) == (200, True)
    assert min(figures["first_page_ms"], figures["far_page_ms"], figures["account_ms"], figures["status_ms"]) > 0
    assert figures["statuses_ms"] > 0


@needs_azurite
@pytest.mark.usefixtures("_environment")
def test_an_old_account_is_measured_beside_a_fresh_one() -> None:
    figures = account_history.measure(incidents=2, runs=1)

    floor_ms = 2 * 1000 * GRAPH_SECONDS
    assert (figures["incidents"], min(figures["settling_old_ms"], figures["settling_fresh_ms"]) > floor_ms) == (2, True)


@needs_azurite
@pytest.mark.usefixtures("_environment")
def test_the_block_of_a_flooded_account_takes_no_less_than_a_slow_read() -> None:
    figures = off_flood.measure(flood=5, runs=1)

    assert min(figures["among_ms"], figures["alone_ms"]) > 1000 * GRAPH_SECONDS


@needs_azurite
@pytest.mark.usefixtures("_environment")
def test_a_containment_is_measured_while_sources_are_asked() -> None:
    figures = evidence_run.measure(incidents=1, runs=1)

    assert min(figures["until_block_alone_ms"], figures["until_block_beside_ms"]) > 1000 * GRAPH_SECONDS


@needs_azurite
@pytest.mark.usefixtures("_environment")
def test_old_notifications_and_a_hanging_receiver_are_measured() -> None:
    figures = notifications.measure(accounts=1, old=50, runs=1)

    assert min(value for name, value in figures.items() if name.endswith(("_seconds", "_ms"))) > 0


@needs_azurite
@pytest.mark.usefixtures("_environment")
def test_a_limited_graph_loses_no_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench itself fails when one is lost, or blocked again."""
    monkeypatch.setattr(graph_limit, "PER_SECOND", 3)

    figures = graph_limit.measure(violations=6)

    assert figures["throttled_calls"] > 0
    assert figures["times_ideal"] > 0.5


@needs_azurite
@pytest.mark.slow
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


@pytest.mark.parametrize("form", ["lines", "array"])
def test_an_export_of_any_size_holds_as_many_bypasses_as_wanted(tmp_path: Path, form: str) -> None:
    export = tmp_path / "export.json"
    detect_export._write(export, 1_000_000, form=form, hits=3)

    done = detect_export._run(detect_export._detect_command(export))

    assert (export.stat().st_size >= 1_000_000, done.stdout.count("\n")) == (True, 3)


def test_an_answer_differs_from_its_baseline_by_what_was_asked_for() -> None:
    answer = sweep_compare.make(0, on=40, changed=5, scanned=900)

    found = sweep_compare.judge(answer, answer.baseline())

    assert (len(found.newly_on), len(found.still_on), len(found.gone)) == (5, 35, 5)


def test_an_answer_that_is_not_believed_is_not_measured() -> None:
    answer = sweep_compare.make(0, on=40, changed=5, scanned=900)

    with pytest.raises(AssertionError, match="900 objects"):
        sweep_compare.judge(answer, replace(answer.baseline(), scanned=9000))


def test_the_floor_of_a_sweep_reads_the_same_list() -> None:
    answer = sweep_compare.make(0, on=40, changed=5, scanned=900)

    assert sweep_compare.floor(answer) == read_content(answer.data, answer.result)


def test_memory_counts_from_the_bytes_in_hand() -> None:
    """The content and the baseline are in it, whatever the process holds already."""
    answer = sweep_compare.make(0, on=400, changed=5, scanned=900)
    held = bytearray(100 * len(answer.data))

    assert len(answer.data) < sweep_compare.peak_bytes(answer) < len(held)


@needs_worker
def test_the_worker_looks_at_everybody_in_pages() -> None:
    """Past two pages; the bench itself asserts how many there were, and who is on."""
    figures = sweep_compare.worker_figures(large=2500, small=1000)

    assert figures["worker_2500_objects_peak_mb"] > figures["worker_memory_growth"] > 0


@needs_worker
def test_a_shard_is_one_call_where_the_script_makes_two_for_each_mailbox() -> None:
    figures = posture_read.measure(large=60, small=40, shard=20, scripted=5)

    assert (figures["calls_for_60_mailboxes"], figures["shards_of_60_mailboxes"]) == (3, 3)
    assert (figures["script_calls_for_5_mailboxes"], figures["script_calls_per_mailbox"]) == (11, 2)
    assert figures["worker_60_mailboxes_peak_mb"] > figures["worker_60_mailboxes_live_mb"] > 1
    assert figures["worker_60_mailboxes_peak_mb"] >= figures["worker_40_mailboxes_peak_mb"]


@pytest.mark.slow
@needs_worker
def test_a_sweep_and_a_removal_are_measured_beside_both_kinds_of_reads() -> None:
    """The bench itself asserts that each removal removed a bypass, and that the reads went on."""
    figures = worker_beside.measure(objects=20, mailboxes=40, shard=20, runs=1)

    assert {name for name in figures if name.startswith("times_") and "cpu" not in name} == {
        "times_sweep_beside_evidence",
        "times_disable_beside_evidence",
        "times_sweep_beside_posture",
        "times_disable_beside_posture",
    }
    assert figures["disable_posture_ms"] > 1000 * worker_beside.CALL_SECONDS


@pytest.mark.parametrize("bench", [posture_read, worker_beside])
def test_without_powershell_a_bench_of_the_worker_says_so(monkeypatch: pytest.MonkeyPatch, bench: ModuleType) -> None:
    monkeypatch.setattr(worker_memory, "missing", lambda: "pwsh is not on PATH")

    with pytest.raises(PowerShellError, match="pwsh is not on PATH"):
        bench.measure()


@pytest.mark.slow
def test_without_powershell_there_are_no_figures_of_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_memory, "missing", lambda: "pwsh is not on PATH")

    figures = sweep_compare.measure(on=40, changed=5, scanned=900, rounds=1)

    assert set(figures) == {
        "times_json_and_validation",
        "peak_memory_per_answer_byte",
        "compare_ms",
        "json_and_validation_ms",
        "answer_kb",
        "runs",
    }


def test_events_are_mixed_by_seed_and_some_come_twice() -> None:
    drawn = by_seed(1, Settings(), events=100, targets=10)

    hints = [each for each in drawn.deliveries if isinstance(each, bytes)]
    records = [each["Id"] for each in drawn.deliveries if isinstance(each, dict)]
    assert (drawn.count, len(drawn.on), len(drawn.off), drawn.deliveries.count(SWEEP)) == (100, 9, 1, 2)
    assert (len(hints), len(set(hints)), len(records), len(set(records))) == (33, 20, 49, 18)


@needs_azurite
@pytest.mark.usefixtures("_environment")
@pytest.mark.slow
def test_the_floor_of_an_event_is_announce_insert_and_clear() -> None:
    """The bench itself fails unless everybody who was on is contained once."""
    figures = mixed_events.measure(events=80, targets=10)

    assert (figures["events"], figures["storage_calls_floor"]) == (80, 3)
    assert figures["storage_calls_per_event"] > figures["storage_calls_floor"]
    counted = sum(figures[f"{service}_calls"] for service in ("table", "queue", "blob"))
    assert figures["storage_calls_per_event"] == round(counted / 80, 2)


@needs_azurite
@pytest.mark.usefixtures("_environment")
@pytest.mark.parametrize(("setting", "value"), sampled([("_PASSES", 0), ("_CONTAINED", ("account_enabled",))]))
def test_events_that_do_not_end_as_they_must_are_not_measured(
    monkeypatch: pytest.MonkeyPatch, setting: str, value: object
) -> None:
    """Either no bypass is switched off, because the worker does not answer, or a wrong change is made."""
    monkeypatch.setattr(mixed_events, setting, value)

    with pytest.raises(AssertionError, match="audit_bypass_enabled"):
        mixed_events.measure(events=60, targets=5)


def test_what_cannot_be_measured_is_said_and_the_rest_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`mixed_records` is no bench: it has nothing to measure."""
    results = tmp_path / "results.json"
    monkeypatch.setattr(runner, "RESULTS", results)
    monkeypatch.setattr(runner, "BENCHES", ("mixed_records",))
    monkeypatch.setattr(sys, "argv", ["bench"])

    code = runner.main()

    problem = json.loads(results.read_text())["benches"]["mixed_records"]["problem"]
    assert (code, "measure" in problem, "not measured" in capsys.readouterr().out) == (1, True, True)


@pytest.mark.slow
@needs_azurite
@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark of a process is read from /proc")
def test_memory_is_reported_for_each_kind_of_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_memory, "missing", lambda: "measured elsewhere")

    figures = app_memory.measure(findings=2, scanned=100, on=5, blob_mb=3)

    work = ("sweep_peak_mb", "big_blob_peak_mb", "findings_peak_mb")
    assert all(figures[name] >= figures["idle_mb"] - 5 > 10 for name in work), figures
    assert figures["start_peak_mb"] > 10


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
def test_the_memory_of_two_reads_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorted_rows, "MOST_HELD", 100)

    assert posture_memory.compared(2500) > 10
    assert posture_memory.measure(small=10, large=20)["memory_growth"] > 0


def test_the_posture_is_compared_for_every_mailbox() -> None:
    lines = posture_compare.make(50)

    assert posture_compare.compared(lines) == 50
    assert posture_compare.measure(mailboxes=50, rounds=1)["times_json"] > 0
