"""What is printed: tables on a narrow terminal, JSON, CSV, times, colors."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import typer

from bypass_responder.cli import terminal
from bypass_responder.cli.root import Given
from bypass_responder.cli.terminal import Output
from bypass_responder.model.base import Utc, Value

INCIDENT = "20261125-53c401ba"
COLUMNS = ("id", "opened", "status", "account", "actor")
REST = ("2026-11-25 00:57:30Z", "contained", "svc-archive@contoso.onmicrosoft.com", "mallory@contoso.onmicrosoft.com")
WINTER = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Item(Value):
    """What a list holds."""

    id: str
    at: Utc = WINTER
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("output", "said"), [(Output.TABLE, "Nothing to list.\n"), (Output.JSON, ""), (Output.CSV, "")]
)
def test_an_empty_list_says_so_to_people(output: Output, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_list([], output, fields=("id",), table={"id": lambda it: it.id})

    assert capsys.readouterr().err == said


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "width", lambda: 80)


@pytest.fixture
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    monkeypatch.setattr(Given, "local_time", True)
    yield
    monkeypatch.undo()
    time.tzset()


def table_of(items: list[Item], output: Output) -> None:
    terminal.show_list(items, output, fields=tuple(Item.model_fields), table={"id": lambda it: it.id})


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# ---- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one_id", [INCIDENT, "c056122f-0000-4000-8000-000000000001", "x" * 90])
@pytest.mark.usefixtures("narrow")
def test_ids_names_and_times_are_whole_on_80_columns(one_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table(COLUMNS, [(one_id, *REST)])
    shown = capsys.readouterr().out

    assert [part for part in (one_id, *REST) if part not in shown] == []


@pytest.mark.usefixtures("narrow")
def test_a_title_stands_above_blocks_too(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_section("Steps", COLUMNS, [(INCIDENT, *REST)])

    assert capsys.readouterr().out.splitlines()[:3] == ["", "Steps", INCIDENT]


def test_markup_and_control_characters_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_table(("id",), [("[red]\x1b[2J\u202e",)])

    assert capsys.readouterr().out.splitlines()[1].strip() == "[red]\\x1b[2J\\u202e"


def test_no_color_is_obeyed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    terminal.say("alarm", style="red")
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.say("alarm", style="red")
    colored, plain = capsys.readouterr().out.splitlines()

    assert ("\x1b[31m" in colored, plain) == (True, "alarm")


# ---- times -----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_berlin")
def test_times_are_local_when_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show_fields({"sign-in": "disabled, as of 2026-07-02 09:00:00Z", "opened": "2026-01-02 09:00:00Z"})

    assert capsys.readouterr().out.splitlines() == [
        "sign-in  disabled, as of 2026-07-02 11:00:00+02:00",
        "opened   2026-01-02 10:00:00+01:00",
    ]


@pytest.mark.parametrize("text", ["2026-02-30 09:00:00Z", "0000-01-01 00:00:00Z", "9999-12-31 23:59:59Z"])
@pytest.mark.usefixtures("in_berlin")
def test_what_is_no_time_stays_as_it_is(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say(text)

    assert capsys.readouterr().out == f"{text}\n"


@pytest.mark.usefixtures("in_berlin")
def test_scripts_get_utc_whatever_people_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    table_of([Item(id="a")], Output.JSON)

    assert json.loads(capsys.readouterr().out)[0]["at"] == "2026-01-02T03:04:05Z"


# ---- JSON and CSV ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("items", [[], [Item(id="a", names=("x", "y"))]], ids=["none", "one"])
def test_csv_has_the_fields_of_json(items: list[Item], capsys: pytest.CaptureFixture[str]) -> None:
    table_of(items, Output.CSV)
    header = capsys.readouterr().out.splitlines()[0]

    assert header == "id,at,names"


def test_csv_holds_lists_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    table_of([Item(id="a", names=("x", "y"))], Output.CSV)

    assert rows_of(capsys.readouterr().out) == [{"id": "a", "at": "2026-01-02T03:04:05Z", "names": '["x", "y"]'}]


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "\x1b]0;owned\x07"])
def test_csv_has_neither_formulas_nor_control_characters(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    table_of([Item(id=text)], Output.CSV)
    [row] = rows_of(capsys.readouterr().out)

    assert (row["id"].startswith("="), row["id"].isprintable()) == (False, True)


def test_a_document_is_fields_and_values_in_csv(capsys: pytest.CaptureFixture[str]) -> None:
    document: dict[str, Any] = {
        "steps": [{"state": "held", "attempts": -1}],
        "at": WINTER,
        "day": date(2026, 1, 2),
        "complete": True,
        "nothing": None,
        "none": [],
    }
    terminal.show_document(document, Output.CSV)

    assert [tuple(row.values()) for row in rows_of(capsys.readouterr().out)] == [
        ("steps.0.state", "held"),
        ("steps.0.attempts", "-1"),
        ("at", "2026-01-02T03:04:05Z"),
        ("day", "2026-01-02"),
        ("complete", "true"),
    ]


def test_without_a_terminal_the_option_that_confirms_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(typer.Exit) as stopped:
        terminal.confirm("Import plan 8f2c?", yes=False, option="--confirm 8f2c")

    assert (stopped.value.exit_code, "run again with --confirm 8f2c." in capsys.readouterr().err) == (2, True)
