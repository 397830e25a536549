"""The export of a log: every field, in the order of the model, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json

from bypass_responder.model.log import LogEntry
from bypass_responder.operating.overview.log_csv import log_csv
from tests.world import ALEX, START


def an_entry(**fields: object) -> LogEntry:
    given = {"target": ALEX, "seq": 1, "at": START, "event": "decided", "text": "text", "previous": ""}
    return LogEntry.model_validate(given | fields)


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_each_field_is_a_column() -> None:
    entry = an_entry(facts={"step": "block_sign_in"}, hash="abc")
    [row] = read(log_csv([entry]))

    assert list(row) == list(LogEntry.model_fields)
    assert (row["seq"], row["hash"], json.loads(row["facts"])) == ("1", "abc", {"step": "block_sign_in"})


def test_a_formula_is_defused_and_odd_characters_are_escaped() -> None:
    [row] = read(log_csv([an_entry(text="=cmd|' /C calc'!A0", who="a\u202eb")]))

    assert row["text"].startswith("'=")
    assert row["who"] == "a\\u202eb"


def test_without_entries_there_is_the_header() -> None:
    assert log_csv([]).splitlines() == [",".join(LogEntry.model_fields)]
