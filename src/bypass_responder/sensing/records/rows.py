"""CSV: the Purview portal, Search-UnifiedAuditLog, Sentinel, CloudAppEvents, Kibana. The header shows which."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bypass_responder.sensing.records.pieces import Broken, CsvRow, Pieces
from bypass_responder.sensing.records.prefilter import may_matter
from bypass_responder.sensing.records.source import LIMIT

if TYPE_CHECKING:
    from typing import BinaryIO

_KNOWN = frozenset(
    {"auditdata", "raweventdata", "operation", "operations", "actiontype", "event.action", "o365.audit.operation"}
)
_DELIMITERS = (",", ";", "\t")
_HEADER_LIMIT = 1 << 16


class _TooLongError(Exception):
    """A row of the file is longer than the limit."""


def delimiter_of(head: str) -> str | None:
    """The delimiter with which the first line names a known column; None when the text is no such CSV."""
    lines = [line for line in head.split("\n", 2)[:2] if not line.startswith("#TYPE ")]
    for delimiter in _DELIMITERS if lines else ():
        try:
            names = next(csv.reader([lines[0][:_HEADER_LIMIT]], delimiter=delimiter), [])
        except csv.Error:
            return None
        if not _KNOWN.isdisjoint(name.strip().lower() for name in names):
            return delimiter
    return None


def read_rows(reader: BinaryIO, *, delimiter: str) -> Pieces:
    """Every row that may matter. A row's cells are under the header's own names."""
    csv.field_size_limit(LIMIT)  # a setting of the whole module; its default, 128 Ki, is less than some real AuditData
    lines = _Lines(reader)
    rows = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 0
    try:
        header = next(rows, [])
        if header and header[0].startswith("#TYPE "):  # Export-Csv of Windows PowerShell 5.1 without -NoTypeInformation
            header = next(rows, [])
        for number, row in enumerate(rows, start=1):
            lines.waiting = 0
            if may_matter("\n".join(row).encode()):
                yield CsvRow(dict(zip(header, row, strict=False)), f"row {number}", _problem(header, row))
    except (csv.Error, _TooLongError) as error:
        reason = "too_large" if isinstance(error, _TooLongError) else "not_csv"
        yield Broken(reason, str(error), f"after row {number}", "")


class _Lines:
    """Lines of text for the csv module; ``waiting`` counts the bytes since the last whole row."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader
        self.waiting = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._reader.readline(LIMIT)
        if not line:
            raise StopIteration
        self.waiting += len(line)
        if self.waiting >= LIMIT:
            message = f"one row is longer than {LIMIT:,} bytes"
            raise _TooLongError(message)
        return line.decode("utf-8", "replace")


def _problem(header: Iterable[str], row: list[str]) -> str:
    names = [name.strip().lower() for name in header]
    if len(set(names)) < len(names):
        return "duplicate_key"
    return "" if len(row) == len(names) else "wrong_columns"
