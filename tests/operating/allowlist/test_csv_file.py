"""The allowlist as a CSV file: encodings, delimiters, wrong columns, formulas."""

from __future__ import annotations

import csv
import io
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.errors import RefusedError
from bypass_responder.operating.allowlist.csv_file import FIELDS, MOST_ROWS, read_file, write_file
from bypass_responder.operating.allowlist.entries import EntryState, EntryView
from tests.world import ALEX, START

HEADER = ",".join(FIELDS)
ROW = f"{ALEX},alex@contoso.com,archiving,journal archive,ops@contoso.com,CHG-1,2026-12-31,"
TEXT = f"{HEADER}\r\n{ROW}\r\n"


def a_view(**given: Any) -> EntryView:
    defaults: dict[str, Any] = {
        "object_id": ALEX,
        "account": "alex@contoso.com",
        "state": EntryState.VALID,
        "reason_class": "archiving",
        "justification": "journal archive",
        "owner": "ops@contoso.com",
        "ticket": "CHG-1",
        "expires_at": START + timedelta(days=30),
    }
    return EntryView(**(defaults | given))


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        TEXT.replace("\r\n", "\n").encode(),
        f"{HEADER.upper()}\n\n{ROW}\n,,,,,,,\n".encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16-le", "utf-16-be", "utf-16-be-bom", "semicolon", "tab", "lf", "blank-rows"],
)
def test_a_file_is_read_however_it_was_saved(data: bytes) -> None:
    [line] = read_file(data).lines

    assert (line.cells["object_id"], line.cells["expires"]) == (ALEX, "2026-12-31")


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "Missing columns"),
        (b"\xff\xfe\xff", "neither UTF-8 nor UTF-16"),
        ("R\u00e9sum\u00e9".encode("cp1252"), "neither UTF-8"),
        (f"{HEADER},password\n".encode(), "Unknown columns: 'password'"),
        (f"{HEADER},owner\n".encode(), "appear twice: owner"),
        (b"object_id,owner,ticket,expires\n", "Missing columns: reason_class, justification"),
        (f"{HEADER}\n".encode(), "no rows"),
        (f'{HEADER}\n"{ALEX}"x,'.encode(), "is not CSV"),
        (f'{HEADER}\n"{ALEX}'.encode(), "is not CSV"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_fix(data: bytes, word: str) -> None:
    with pytest.raises(RefusedError, match=word):
        read_file(data)


def test_more_than_ten_thousand_rows_are_refused() -> None:
    text = "\n".join([HEADER, *[ROW] * (MOST_ROWS + 1)])

    with pytest.raises(RefusedError, match="more than 10,000 rows"):
        read_file(text.encode())


def test_the_columns_of_an_export_are_skipped() -> None:
    [line] = read_file(write_file([a_view(approved_by="somebody")]).encode()).lines

    assert set(line.cells) == set(FIELDS)


def test_a_row_with_more_cells_than_the_header_costs_only_itself() -> None:
    lines = read_file(f"{HEADER}\n{ROW},a,b\n{ROW}\n".encode()).lines

    assert [set(line.cells) == {""} for line in lines] == [True, False]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "''", "'tis", "a=1"])
def test_no_cell_of_an_export_begins_a_formula(text: str) -> None:
    [_, row] = csv.reader(io.StringIO(write_file([a_view(justification=text)])))

    assert row[3][:1] not in {*"=+-@\t\r"}


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("text", ["x;=cmd|' /C calc'!A0", "x\t @SUM(A1)", 'x;"=1', "x\n+1", 'x;\n" -1', "x;\uff1d1"])
def test_no_cell_of_an_export_begins_a_formula_with_another_separator(delimiter: str, text: str) -> None:
    rows = csv.reader(io.StringIO(write_file([a_view(justification=text)])), delimiter=delimiter)

    assert [cell for row in rows for cell in row if cell.strip()[:1] in {*"=+-@\uff1d"}] == []


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.text("='+-@\t\r\n\",; a", max_size=8)


@given(justification=words, owner=words, ticket=words)
def test_every_export_reads_back(justification: str, owner: str, ticket: str) -> None:
    view = a_view(justification=justification, owner=owner, ticket=ticket)
    [line] = read_file(write_file([view]).encode("utf-8-sig")).lines

    assert [line.cells[name] for name in ("justification", "owner", "ticket")] == [justification, owner, ticket]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(RefusedError):
        assert read_file(data).lines
