"""`bypassctl detect --windows`: an export whose times touch a known window carries the warning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bypass_responder.cli.app import app
from bypass_responder.cli.windows_file import TimesSeen
from tests.sensing.builders import another, search_ual, to_csv

DARK = "Records of actions by alex do not exist."


def windows(start: str = "2026-03-02T09:00:00Z", end: str | None = "2026-03-02T10:00:00Z") -> dict[str, Any]:
    window = {"name": "alex", "target": "t", "start": start, "start_known": True, "end": end, "why": "…", "text": DARK}
    return {"organization": [], "own": [window], "others": []}


def detected(folder: Path, export: bytes, known: str, *options: str) -> Result:
    file, list_file = folder / "export", folder / "windows.json"
    file.write_bytes(export)
    list_file.write_text(known)
    return CliRunner().invoke(app, ["detect", "--windows", str(list_file), *options, str(file)])


@pytest.mark.parametrize(
    "export", [json.dumps([another()]).encode(), to_csv(search_ual(another()))], ids=["json", "csv"]
)
def test_an_export_within_a_window_carries_the_warning(tmp_path: Path, export: bytes) -> None:
    ended = detected(tmp_path, export, json.dumps(windows()))

    assert (f"WARNING: {DARK}" in ended.stderr, ended.exit_code) == (True, 0)


LATER = json.dumps([another(CreationTime="2026-03-02T10:00:01")]).encode()


def test_a_window_that_the_records_do_not_touch_is_counted_for_they_may_be_what_is_missing(tmp_path: Path) -> None:
    said = detected(tmp_path, LATER, json.dumps(windows())).stderr

    assert DARK not in said
    assert "WARNING: 1 known time without records before the first record or after the last." in said


@pytest.mark.parametrize(
    ("since", "warned"), [("2026-03-01", True), ("2026-03-02T09:59:59Z", True), ("2026-03-02T10:00:01Z", False)]
)
def test_a_window_within_what_the_export_was_asked_for_is_a_warning(
    tmp_path: Path, since: str, *, warned: bool
) -> None:
    said = detected(tmp_path, LATER, json.dumps(windows()), "--since", since, "--until", "2026-04-01").stderr

    assert (f"WARNING: {DARK}" in said, "WARNING" in said) == (warned, warned)


def test_what_was_not_read_for_the_list_is_a_warning(tmp_path: Path) -> None:
    known = windows() | {"own": [], "incomplete": ["only the newest 200 incidents were read"]}
    said = detected(tmp_path, LATER, json.dumps(known)).stderr

    assert "WARNING: the list of known times is incomplete: only the newest 200 incidents were read" in said


def test_an_export_without_readable_times_carries_every_window(tmp_path: Path) -> None:
    export = json.dumps([another(CreationTime="3/2/2026 9:15:30 AM")]).encode()
    said = detected(tmp_path, export, json.dumps(windows())).stderr

    assert "times of the records are not known" in said
    assert DARK in said


@pytest.mark.parametrize(
    "known", ["", "[]", "{}", '{"own": 1}', "[" * 10_000, '{"organization":[],"own":[{}],"others":[]}']
)
def test_a_file_that_is_no_list_of_windows_is_named_with_the_fix(tmp_path: Path, known: str) -> None:
    ended = detected(tmp_path, b"[]", known)

    assert ended.exit_code == 2
    assert "bypassctl window -o json > windows.json" in ended.stderr


def test_the_fix_does_not_write_over_the_file_that_was_named(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_text("a,b\n")
    ended = CliRunner().invoke(app, ["detect", "--windows", str(export), "-"], input="[]")

    assert "> export.csv" not in ended.stderr


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["detect", "--windows", str(tmp_path / "none.json"), "-"], input="[]")

    assert ended.exit_code == 2
    assert "No such file" in ended.stderr


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_time_is_seen_wherever_the_bytes_are_divided(size: int) -> None:
    data = json.dumps([another(), another(CreationTime="2026-03-05T00:00:00")]).encode()
    seen = TimesSeen()
    for start in range(0, len(data), size):
        seen.see(data[start : start + size])

    assert (seen.first, seen.last) == (b"2026-03-02T09:15:30", b"2026-03-05T00:00:00")


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_the_time_of_an_export_goes_with_the_known_windows_only(tmp_path: Path, option: str) -> None:
    """It filters nothing: without this, a person takes what is printed for what happened since."""
    file = tmp_path / "export"
    file.write_bytes(LATER)
    ended = CliRunner().invoke(app, ["detect", option, "2026-03-01", str(file)])

    assert (ended.exit_code, "go with --windows" in ended.stderr) == (2, True)
