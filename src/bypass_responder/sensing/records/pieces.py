"""Pieces of a container (JSON, JSON lines, CSV) that may hold a relevant record or are unreadable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from bypass_responder.errors import InputError
from bypass_responder.sensing.records.moments import DateOrder
from bypass_responder.sensing.records.parsed import Fields, parse
from bypass_responder.sensing.records.prefilter import may_matter
from bypass_responder.sensing.records.shapes import is_audit_record

_DATE = re.compile(r"(?<!\d)\d{1,2}[/-]\d{1,2}[/-]\d{4}[, ]")


@dataclass(frozen=True, slots=True)
class JsonText:
    """One JSON value that may matter, exactly as in the input."""

    text: str
    where: str


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One CSV row that may matter. ``problem`` says why its cells cannot be trusted; empty when they can."""

    cells: Mapping[str, str]
    where: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of the input that could not be parsed.

    ``names_cmdlet``: the unread input after ``text`` may name the cmdlet.
    """

    reason: str
    detail: str
    where: str
    text: str
    names_cmdlet: bool = False


Piece = JsonText | CsvRow | Broken
Pieces = Iterator[Piece]


@dataclass
class Scan:
    """How one input is read, and what is known of it so far."""

    every: bool = False
    """Whether every record is parsed, so that ``records`` is exact."""
    may_matter: Callable[[bytes], bool] = may_matter
    """Whether bytes may hold a record of interest."""
    records: int = 0
    rows: int = 0
    """Rows of a worksheet that are not empty, its header among them."""
    is_exact: bool = True
    """False once a stretch without a name of interest was passed over without being parsed."""
    recognized: bool = False
    """Whether a record of the audit log, of any operation, was seen."""
    dates: DateOrder = field(default_factory=DateOrder)
    _has_dates: bool = False

    def begin(self, head: str) -> None:
        """Note whether the input has dates whose order matters."""
        self._has_dates = _DATE.search(head) is not None

    def see(self, text: str | bytes) -> None:
        """Learn the order of day and month from a part of the input."""
        if self._has_dates:
            self.dates.see(text if isinstance(text, str) else text.decode("ascii", "replace"))

    def recognize(self, text: str) -> None:
        """Note whether the JSON text holds a record of the audit log."""
        if not self.recognized:
            try:
                self.recognized = is_audit_record(parse(text))
            except (InputError, RecursionError):
                return

    def recognize_row(self, cells: Mapping[str, str]) -> None:
        """The same for a row."""
        self.recognized = self.recognized or is_audit_record(Fields(list(cells.items())))
