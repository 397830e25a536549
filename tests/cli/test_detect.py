"""``bypassctl detect``: what it prints, where, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from bypass_responder.cli.detect import detect
from bypass_responder.model.technique import Technique
from tests.sensing.builders import (
    RECORD_ID,
    SHAPES,
    TARGET,
    a_bypass,
    a_tampering,
    another,
    named,
    search_ual,
    to_csv,
)
from tests.tampering.family import FAMILY, Fixtures

app = typer.Typer()
app.command()(detect)

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY.parent / "shared" / "data"
EVIL = "\x1b]0;owned\x07\x1b[2J\u202e"


def run(*arguments: str | Path, content: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=content)


def a_file(folder: Path, content: Any, name: str = "export.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def found_in(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def kinds(result: Result) -> list[str]:
    return [finding["kind"] for finding in found_in(result)]


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (a_bypass(), "on"),
        (a_bypass(Parameters=named(AuditBypassEnabled="False")), "off"),
        (a_bypass(ResultStatus="False"), "attempt"),
        (a_bypass(Parameters=named(Identity="x")), "unknown"),
        (a_bypass(ResultStatus=None), "unknown"),
    ],
)
def test_a_change_of_every_kind_is_found(tmp_path: Path, record: Any, kind: str) -> None:
    result = run("--output", "json", a_file(tmp_path, [another(), record]))

    assert (kinds(result), result.exit_code) == ([kind], 1)


def test_nothing_found_is_no_output_and_status_zero(tmp_path: Path) -> None:
    result = run(a_file(tmp_path, [another()]))

    assert (result.stdout, result.exit_code) == ("", 0)


def test_only_unreadable_is_status_two_and_listed(tmp_path: Path) -> None:
    result = run("--output", "json", a_file(tmp_path, [another(), a_bypass(Id=None)]))

    assert ([f["reason"] for f in found_in(result)], result.exit_code) == (["missing_field"], 2)


def test_found_counts_for_more_than_unreadable(tmp_path: Path) -> None:
    result = run("--output", "json", a_file(tmp_path, [a_bypass(Id=None), a_bypass()]))

    assert (kinds(result), result.exit_code) == (["unreadable", "on"], 1)


def test_a_file_that_cannot_be_opened_is_named_and_stops_nobody(tmp_path: Path) -> None:
    result = run("--output", "json", tmp_path / "missing.json", tmp_path, a_file(tmp_path, [a_bypass()]))

    assert kinds(result) == ["on"]
    assert "missing.json: No such file" in result.stderr
    assert f"{tmp_path}: Is a directory" in result.stderr


def test_a_file_that_cannot_be_opened_is_status_two(tmp_path: Path) -> None:
    assert run(tmp_path / "missing.json").exit_code == 2


def test_a_count_of_one_is_singular(tmp_path: Path) -> None:
    result = run("--count", a_file(tmp_path, [a_tampering()]))

    assert (", 1 record\n" in result.stderr, "0 of 1 file failed" in result.stderr) == (True, True)


def test_the_family_is_found_on_demand(tmp_path: Path) -> None:
    path = a_file(tmp_path, [a_tampering()])

    silent, with_family = run("--output", "json", path), run("--family", "--output", "json", path)

    assert (kinds(silent), silent.exit_code) == ([], 0)
    assert (kinds(with_family), with_family.exit_code) == (["tampering"], 1)


def test_what_of_the_family_took_no_effect_is_not_counted(tmp_path: Path) -> None:
    rows = FAMILY[Technique.ORGANIZATION_OFF]
    records = [rows.decoy | {"Id": "d"}, rows.failed | {"Id": "f"}, rows.negative | {"Id": "n"}, rows.positive]
    result = run("--family", "--output", "json", a_file(tmp_path, records))

    assert [each["record_id"] for each in found_in(result)] == [RECORD_ID]
    assert "1 found, 0 unreadable" in result.stderr


@pytest.mark.parametrize(("technique", "rows"), FAMILY.items(), ids=FAMILY)
def test_a_row_is_found_in_an_export_of_the_portal(tmp_path: Path, technique: Technique, rows: Fixtures) -> None:
    result = run("--family", "--output", "csv", a_file(tmp_path, to_csv(search_ual(rows.positive)), "export.csv"))

    assert result.exit_code == 1
    assert f"{technique}: " in result.stdout


def test_the_table_names_technique_and_object(tmp_path: Path) -> None:
    result = run("--family", a_file(tmp_path, [FAMILY[Technique.PRECURSOR].positive]))

    assert "precursor: New-RoleGroup -Roles Audit Logs" in result.stdout
    assert "Tools" in result.stdout.replace("New-RoleGroup", "")


def test_an_event_that_a_file_repeats_is_shown_once_per_file(tmp_path: Path) -> None:
    paths = [a_file(tmp_path, [a_bypass()] * 3, name) for name in ("one.json", "two.json")]

    result = run("--output", "json", *paths)

    assert [Path(f["source"]).name for f in found_in(result)] == ["one.json", "two.json"]


def test_two_events_with_one_id_are_both_shown(tmp_path: Path) -> None:
    result = run("--output", "json", a_file(tmp_path, [a_bypass(), a_bypass(ObjectId="somebody else")]))

    assert kinds(result) == ["on", "on"]


def test_standard_input() -> None:
    result = run("--output", "json", "-", content=json.dumps(a_bypass()).encode())

    assert [f["source"] for f in found_in(result)] == ["-"]


@pytest.mark.parametrize("shape", ["elastic", "search-ual csv, formatted", "utf-16 with mark"])
def test_json_has_the_facts_of_any_shape(tmp_path: Path, shape: str) -> None:
    (found,) = found_in(run("--output", "json", a_file(tmp_path, SHAPES[shape](a_bypass()))))

    assert (found["type"], found["object_id_text"], found["switch"]) == ("bypass_change", TARGET, "on")


def test_csv_has_a_header_even_without_findings(tmp_path: Path) -> None:
    assert run("--output", "csv", a_file(tmp_path, [another()])).stdout.startswith(
        "kind,time,switch,outcome,object_id,"
    )


def test_csv_has_one_row_a_finding(tmp_path: Path) -> None:
    result = run("--output", "csv", a_file(tmp_path, [a_bypass(), a_bypass(Id=None)]))

    rows = list(csv.DictReader(io.StringIO(result.stdout)))

    assert [(row["kind"], row["object_id"]) for row in rows] == [("on", TARGET), ("unreadable", "")]


@pytest.mark.parametrize("formula", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)", " =1"])
def test_csv_cells_are_no_formulas(tmp_path: Path, formula: str) -> None:
    result = run("--output", "csv", a_file(tmp_path, [a_bypass(UserId=formula)]))

    (row,) = csv.DictReader(io.StringIO(result.stdout))

    assert row["actor"] == f"'{formula}"


@pytest.mark.parametrize("output", ["table", "json", "csv"])
@pytest.mark.parametrize("field", ["UserId", "ObjectId", "Id", "Parameters", "CreationTime"])
def test_control_characters_never_reach_the_terminal(tmp_path: Path, output: str, field: str) -> None:
    value = named(Identity=EVIL, AuditBypassEnabled="True") if field == "Parameters" else EVIL
    path = a_file(tmp_path, [a_bypass(**{field: value}), a_bypass(Id=None, UserId=EVIL)])

    result = run("--output", output, path)

    assert not any(char in result.stdout for char in EVIL if not char.isprintable())


def test_control_characters_in_a_file_name_never_reach_the_terminal() -> None:
    result = run("missing\x1b[2J")

    assert "\x1b" not in result.stderr


def test_markup_in_a_record_is_text(tmp_path: Path) -> None:
    result = run(a_file(tmp_path, [a_bypass(UserId="[red]m[/red]")]))

    assert "[red]m[/red]" in result.stdout


def test_the_table_names_who_what_when_and_where(tmp_path: Path) -> None:
    path = a_file(tmp_path, [a_bypass()])

    shown = run(path).stdout

    for fact in ("on", "2026-03-02T09:15:30Z", "adele@contoso.onmicrosoft.com", TARGET, "mallory@", str(path)):
        assert fact in shown


def test_no_color_and_no_progress_where_there_is_no_terminal(tmp_path: Path) -> None:
    result = run(a_file(tmp_path, to_csv(search_ual(a_bypass())), "export.csv"))

    assert "\x1b" not in result.stdout + result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal is needed")
def test_progress_is_shown_on_a_terminals_standard_error_only(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    path = a_file(tmp_path, [a_bypass()])
    code = f"""
import typer
from bypass_responder.cli.detect import detect
app = typer.Typer()
app.command()(detect)
app([{str(path)!r}])
"""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src"), "TERM": "xterm"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, stderr=theirs, check=False
    )
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)

    assert b"export.json" in shown
    assert b"\x1b" not in done.stdout


def _elsewhere(code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)


def test_detect_loads_no_client_of_azure_or_graph(tmp_path: Path) -> None:
    path = a_file(tmp_path, [another()])
    code = f"""
import sys, typer
from bypass_responder.cli.detect import detect
app = typer.Typer()
app.command()(detect)
try:
    app([{str(path)!r}])
except SystemExit:
    print(sorted({{"azure", "msgraph", "msal", "httpx", "aiohttp", "kiota_http", "starlette"}} & set(sys.modules)))
"""

    assert _elsewhere(code).stdout.strip() == "[]"


def test_an_export_without_findings_loads_no_model_and_no_other_command(tmp_path: Path) -> None:
    path = a_file(tmp_path, [another(Parameters=[])])
    code = f"""
import sys
sys.argv = ["bypassctl", "detect", {str(path)!r}]
from bypass_responder.cli.main import main
try:
    main()
except SystemExit:
    heavy = {{"bypass_responder.model.base", "rich.progress", "bypass_responder.cli.app", "openpyxl"}}
    print(sorted(heavy & set(sys.modules)))
"""

    assert _elsewhere(code).stdout.strip() == "[]"


REAL_RECORDS = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real records are not beside the repository (../shared/data)"
)
BYPASS_EVENT = "20fd5006-645b-42be-e9de-08db592255ac"
REAL_EVENTS = {
    ("on", BYPASS_EVENT): 2,
    ("unified_log_off", "21e87b2c-7fc0-4f65-d5e9-08db59208799"): 1,
    ("unified_log_off", "c1d1651a-42ce-4968-d545-08db5b930458"): 1,
    ("age_limit", "8b30644e-adc3-430a-9e1b-08db59217c9f"): 1,
    ("age_limit", "d3bc1013-472f-4a0b-5abc-08db59218360"): 1,
    ("license", "58b55b8d-2054-459b-aad6-0289e716dddc"): 1,
}
"""Every event of the family in the real records, and the number of files that hold it. Of the other rows marked with a
star in the facts (action lists, precursor) a record was seen, but is not among the files."""


def every_real_file() -> list[Path]:
    return sorted(path for path in DATA.rglob("*") if path.is_file())


@REAL_RECORDS
def test_every_real_file_one_event_once_per_file_that_holds_it() -> None:
    result = run("--output", "json", *every_real_file())

    events = [(f["record_id"], f["object_id_text"]) for f in found_in(result) if f["kind"] != "unreadable"]
    event = (BYPASS_EVENT, "a88ae17c-f562-4c1f-a377-8910b6847d76")
    assert (events, result.exit_code) == ([event, event], 1)


@REAL_RECORDS
def test_the_real_records_of_the_family_are_found_and_nothing_else() -> None:
    result = run("--family", "--output", "json", *every_real_file())

    events = Counter((f.get("technique", f["kind"]), f["record_id"]) for f in found_in(result) if "record_id" in f)
    assert (events, result.exit_code) == (REAL_EVENTS, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("output", ["table", "json"])
def test_output_that_cannot_be_written_is_no_error_of_the_file(tmp_path: Path, output: str) -> None:
    export = a_file(tmp_path, [a_bypass(Id=f"record-{number}") for number in range(2000)])
    command = [str(Path(sys.executable).with_name("bypassctl")), "detect", str(export), "--output", output]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert "The findings could not be written: No space left on device" in ended.stderr
    assert export.name not in ended.stderr
    assert ended.returncode not in {0, 1, 2}
