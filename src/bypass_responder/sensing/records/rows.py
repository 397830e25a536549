"""Reads CSV: the Purview portal, Search-UnifiedAuditLog, Sentinel, CloudAppEvents, Kibana, Excel.

The header shows which. A row that is broken costs only itself: reading goes on at the next line that is a row of as
many columns as the header has.
"""

from __future__ import annotations

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.sensing.records.pieces import Broken, CsvRow, Pieces, Scan
from bypass_responder.sensing.records.source import LIMIT

if TYPE_CHECKING:
    from typing import BinaryIO

_KNOWN = frozenset(
    {"auditdata", "raweventdata", "operation", "operations", "actiontype", "event.action", "o365.audit.operation"}
    | {"event.original", "_raw"}
)
_DELIMITERS = (",", ";", "\t", "|")
_NAME = re.compile(r"\ufeff?[\w @.,:#{}()\[\]/+-]{0,200}")
_HEADER_LIMIT = 1 << 16
_HEADER_WITHIN = 10
"""Lines that may stand before the header: a title, ``#TYPE``, ``sep=``."""
_ROW_LINES = 100
"""Lines that a row may have which is tried after a broken one."""
_EFFORT = 8
"""Characters that may be read in vain for each one of the file, beside ``2 * LIMIT``. Then each line is a row."""


class Header(NamedTuple):
    """How the rows are written, and in which line the names of the columns stand."""

    delimiter: str
    line: int
    skip_space: bool
    names: list[str]


class _TooLongError(Exception):
    """A row of the file is longer than the limit, or may have one line only and has more."""


def header_of(head: str) -> Header | None:
    """The first line that names a known column, and its delimiter; None when the text is no such CSV."""
    for number, line in enumerate(head.split("\n")[:_HEADER_WITHIN]):
        for delimiter in _DELIMITERS:
            names = _cells(line[:_HEADER_LIMIT].rstrip("\r"), delimiter)
            if len(names) == 1 and names[0] != line.strip():  # the whole line in one cell
                names = _cells(names[0], delimiter)
            if not _KNOWN.isdisjoint(name.strip().lower() for name in names) and all(map(_NAME.fullmatch, names)):
                spaced = len(names) > 1 and all(name.startswith(" ") for name in names[1:] if name)
                return Header(delimiter, number, spaced, [name.strip() for name in names])
    return None


def read_rows(reader: BinaryIO, header: Header, scan: Scan) -> Pieces:
    """Every row that may matter, under the names of the header, and every row that is broken."""
    csv.field_size_limit(LIMIT)  # a setting of the whole module; its default, 128 Ki, is less than some real AuditData
    lines = _Lines(reader)
    for _ in range(header.line + 1):
        next(lines, None)
    number = 0
    ended = False
    while not ended:
        lines.begin_row()
        try:
            for cells in _reader(lines, header):
                lines.begin_row()
                number += 1
                if cells:
                    yield from _row(cells, header, scan, f"row {number}")
            ended = True
        except (csv.Error, _TooLongError) as error:
            reason = "too_large" if isinstance(error, _TooLongError) else "not_csv"
            where = f"after row {number}"
            number += 1
            for text in _passed_over(lines, header):
                yield Broken(reason, str(error), where, text)


def read_table(rows: Iterator[list[str]], scan: Scan) -> Pieces:
    """The same for rows that are apart already, as a spreadsheet has them.

    A sheet without a cell has none.
    """
    is_empty = True
    for before, cells in enumerate(rows):
        is_empty &= not any(cells)
        names = [name.strip() for name in (_cells(cells[0], ",") if not any(cells[1:]) and cells else cells)]
        if not _KNOWN.isdisjoint(map(str.lower, names)):
            break
        if before + 1 >= _HEADER_WITHIN:
            names = []
            break
    else:
        names = []
    if is_empty:
        return
    if not names:
        yield Broken("not_json", "no column of the sheet is known", "the beginning", "", names_cmdlet=True)
        return
    header = Header(",", 0, skip_space=False, names=names)
    for number, cells in enumerate(rows, start=1):
        if any(cells):
            filled = cells[: max(index for index, cell in enumerate(cells) if cell) + 1]
            yield from _row(filled, header, scan, f"row {number}", trimmed=True)


def _reader(lines: Iterator[str], header: Header) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=header.delimiter, strict=True, skipinitialspace=header.skip_space)


def _row(cells: list[str], header: Header, scan: Scan, where: str, *, trimmed: bool = False) -> Pieces:
    cells, problem = _fitted(cells, header)
    if problem == "wrong_columns" and trimmed and len(cells) < len(header.names):
        problem = ""
    scan.records += 1
    named = _named(cells, header.names)
    if not scan.recognized:
        scan.recognize_row({name.lower(): cell for name, cell in named.items()})
    text = "\n".join(cells)
    scan.see(text + " ")
    if scan.may_matter(text.encode()):
        yield CsvRow(named, where, problem)


def _named(cells: list[str], names: list[str]) -> dict[str, str]:
    """The cells by column.

    One that has no name for itself is kept under its number: a record may be in it.
    """
    named: dict[str, str] = {}
    for number, (name, cell) in enumerate(zip_longest(names, cells, fillvalue=""), start=1):
        if name and name not in named:
            named[name] = cell
        elif cell:
            named[f"column {number}"] = cell
    return named


def _fitted(cells: list[str], header: Header) -> tuple[list[str], str]:
    """The cells, one for each named column, and why they cannot be trusted; empty when they can."""
    names = [name.lower() for name in header.names]
    if len(cells) == 1 and len(names) > 1:  # a spreadsheet put the whole row into its first cell
        inside = _cells(cells[0], header.delimiter)
        cells = inside if len(inside) > 1 else cells
    surplus = cells[len(names) :]
    missing = names[len(cells) :]
    if any(surplus) or any(missing):
        return cells, "wrong_columns"
    named = [name for name in names if name]
    return cells, "duplicate_key" if len(set(named)) < len(named) else ""


def _cells(text: str, delimiter: str) -> list[str]:
    """The cells of one row; none when it is broken."""
    try:
        return next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []


def _passed_over(lines: _Lines, header: Header) -> Iterator[str]:
    """The lines up to the next row that fits the header, in texts of bounded length."""
    first, *rest = lines.row or [""]
    lines.put_back(rest, in_vain=True)
    text = [first]
    size = len(first)
    while (line := next(lines, None)) is not None:
        lines.begin_row()
        if _begins_row(line, lines, header):
            lines.put_back([line])
            break
        text.append(line)
        size += len(line)
        if size > LIMIT:
            yield "".join(text)
            text, size = [], 0
    yield "".join(text)


def _begins_row(line: str, lines: _Lines, header: Header) -> bool:
    """Whether the line, with some that follow, is a row that fits the header. Consumes none that follow."""
    if len(header.names) > 1 and header.delimiter not in line:
        return False
    followed: list[str] = []

    def some() -> Iterator[str]:
        yield line
        while len(followed) < _ROW_LINES and (more := next(lines, None)) is not None:
            followed.append(more)
            yield more

    try:
        cells = next(_reader(some(), header), [])
    except (csv.Error, _TooLongError):
        cells = []
    lines.put_back(followed, in_vain=True)
    return len(cells) > 1 and not _fitted(cells, header)[1]


class _Lines:
    """Lines of text for the csv module; ``row`` has those since the last whole row."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader
        self._again: deque[str] = deque()
        self.row: list[str] = []
        self._size = 0
        self._taken = 0
        self._in_vain = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.row and self._in_vain > 2 * LIMIT + _EFFORT * self._taken:
            raise _TooLongError("the row has several lines, in a file with too many broken rows to try them")
        line = self._again.popleft() if self._again else self._next()
        if not line:
            raise StopIteration
        self.row.append(line)
        self._size += len(line)
        if self._size >= LIMIT:
            raise _TooLongError(f"one row is longer than {LIMIT:,} bytes")
        return line

    def _next(self) -> str:
        line = self._reader.readline(LIMIT).decode("utf-8", "replace")
        self._taken += len(line)
        return line

    def put_back(self, lines: list[str], *, in_vain: bool = False) -> None:
        """Give these lines again, in this order, before the next one of the file.

        ``in_vain``: they had been tried.
        """
        self._in_vain += sum(map(len, lines)) if in_vain else 0
        self._again.extendleft(reversed(lines))
        self.begin_row()

    def begin_row(self) -> None:
        """Forget the lines of the row before."""
        self.row.clear()
        self._size = 0
