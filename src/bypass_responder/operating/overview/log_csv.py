"""A response log as a CSV file, with the columns of `bypassctl log show -o csv`. Pure."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from bypass_responder.model.log import LogEntry
from bypass_responder.model.record import printable
from bypass_responder.model.spreadsheet import defused

if TYPE_CHECKING:
    from collections.abc import Iterable

FIELDS = tuple(LogEntry.model_fields)


def log_csv(entries: Iterable[LogEntry]) -> str:
    """Return the entries as CSV text. Texts are printable, and none is a formula."""
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(FIELDS)
    for entry in entries:
        record = entry.model_dump(mode="json")
        rows.writerow([_cell(record[name]) for name in FIELDS])
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, str):
        return defused(printable(value))
    return "" if value is None else value if isinstance(value, int) else json.dumps(value)
