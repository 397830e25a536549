"""What an input is that cannot be read, in one line that names the export to use instead."""

from __future__ import annotations

import io
import json

import pytest

from bypass_responder.model.record import Unreadable
from bypass_responder.sensing.records.reader import read_records
from tests.sensing.builders import SHAPES, a_bypass, search_ual, to_csv

LIST = "\r\n".join(f"{name:<13}: {value}" for name, value in search_ual(a_bypass()).items())
FOREIGN = {
    "format-list": (f"\r\n\r\n{LIST}\r\n", "the output of Format-List: use Export-Csv"),
    "format-table": (
        "\r\nCreationDate         Operations\r\n------------         ----------\r\n2/4/2026 1:31 Set-\r\n",
        "the output of Format-Table: use Export-Csv",
    ),
    "clixml": (
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0">',
        "the output of Export-Clixml: Import-Clixml it",
    ),
    "clixml of a remote shell": ("#< CLIXML\r\n<Objs Version=", "the output of Export-Clixml: Import-Clixml it"),
    "csv without its header": (
        to_csv(search_ual(a_bypass())).decode().partition("\r\n")[2],
        "a CSV without its header line: export it",
    ),
    "csv without its header, semicolons": (
        to_csv(search_ual(a_bypass()), delimiter=";").decode().partition("\r\n")[2],
        "a CSV without its header line: export it",
    ),
    "a sign-in page": ("<!DOCTYPE html>\n<html>", "a web page, perhaps a sign-in page"),
    "a workbook of old": ("\x00", "neither JSON nor a CSV with a known column; supported"),
    "unknown columns": ("a,b,c\nd,e,f\n", "neither JSON nor a CSV with a known column; supported"),
}


def read(content: bytes) -> list[Unreadable]:
    return [item for item in read_records(io.BytesIO(content), source="x") if isinstance(item, Unreadable)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(("text", "detail"), FOREIGN.values(), ids=FOREIGN)
def test_one_line_says_what_it_is_and_what_to_use(text: str, detail: str, encoding: str) -> None:
    (found,) = read(text.encode(encoding))

    assert found.detail.startswith(detail)
    assert "\n" not in found.detail


@pytest.mark.parametrize("name", ["format-list", "csv without its header"])
def test_what_is_not_read_names_the_cmdlet(name: str) -> None:
    (found,) = read(FOREIGN[name][0].encode())

    assert found.names_cmdlet


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_no_export_is_taken_for_something_else(shape: object) -> None:
    assert read(shape(a_bypass())) == []  # type: ignore[operator]


def test_a_text_that_is_json_is_no_list() -> None:
    assert read(json.dumps({"a : ": "b : "}, indent=1).encode()) == []
