"""The timeline of a report as CSV, for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING

from bypass_responder.model.base import iso
from bypass_responder.model.record import printable
from bypass_responder.model.spreadsheet import defused
from bypass_responder.operating.incidents.chronology import TimelineRow

if TYPE_CHECKING:
    from collections.abc import Iterable


def timeline_csv(rows: Iterable[TimelineRow]) -> str:
    """Return one line per row, with a header.

    Times in ISO 8601; texts are printable, and none is a formula.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(TimelineRow.model_fields)
    writer.writerows([_cell(getattr(row, name)) for name in TimelineRow.model_fields] for row in rows)
    return out.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    return defused(printable(value)) if isinstance(value, str) else value
