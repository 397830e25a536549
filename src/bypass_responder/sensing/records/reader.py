"""Every audit record of interest in a file, a blob or a pipe, whatever it was exported from. Memory has a bound."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from bypass_responder.errors import InputError
from bypass_responder.model.record import AuditRecord, Unreadable, excerpt
from bypass_responder.sensing.records.lines import read_lines
from bypass_responder.sensing.records.parsed import Fields, parse
from bypass_responder.sensing.records.pieces import Broken, CsvRow, JsonText, Pieces
from bypass_responder.sensing.records.record import record_of
from bypass_responder.sensing.records.rows import delimiter_of, read_rows
from bypass_responder.sensing.records.shapes import candidates, is_of_interest
from bypass_responder.sensing.records.source import BLOCK, utf8_reader
from bypass_responder.sensing.records.values import read_values

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from bypass_responder.sensing.records.source import Readable

_INSIDE = re.compile(r'"operations?"\s*:\s*"([^"]*)"', re.IGNORECASE)


def read_records(stream: Readable, *, source: str) -> Iterator[AuditRecord | Unreadable]:
    """The records whose operation detection reads, in order, and what could not be read.

    Takes JSON (an array, a page, objects one after the other, lines) and CSV, in UTF-8 or UTF-16. A record of another
    operation is passed over, however odd; a container that breaks is reported, and what stood before the break counts.
    ``source`` names the input in what is unreadable.
    """
    for piece in _pieces(utf8_reader(stream)):
        if isinstance(piece, Broken):
            yield _unreadable(piece, source=source)
        else:
            yield from _records(piece, source=source)


def _pieces(reader: io.BufferedReader) -> Pieces:
    head = reader.peek(BLOCK).decode("utf-8", "replace")
    lines = [line.strip() for line in head.split("\n") if line.strip()][:2]
    start = lines[0][:1] if lines else ""
    if start in {"", "["} or (start == "{" and not _is_lines(lines)):
        return read_values(reader)
    if start != "{" and (delimiter := delimiter_of(head)):
        return read_rows(reader, delimiter=delimiter)
    if _is_lines(lines):
        return read_lines(reader)
    return iter([Broken("not_json", "neither JSON nor a CSV with a column that is known", "the beginning", head)])


def _is_lines(lines: list[str]) -> bool:
    """True for JSON lines: one of the first two lines that are not blank is a complete object."""
    first, second = (*lines, "")[:2]
    if "{" in (first, second):
        return False
    return _is_object(first) or (_is_object(second) and "operation" in second.lower())


def _is_object(line: str) -> bool:
    try:
        return isinstance(parse(line), Fields)
    except InputError:
        return False


def _records(piece: JsonText | CsvRow, *, source: str) -> Iterator[AuditRecord | Unreadable]:
    text = piece.text if isinstance(piece, JsonText) else json.dumps(dict(piece.cells), separators=(",", ":"))
    try:
        for candidate in candidates(_parsed(piece), text):
            try:
                if record := record_of(candidate, text=text):
                    yield record
            except InputError as error:
                yield _unreadable(Broken(error.reason, error.detail, piece.where, candidate.raw), source=source)
    except InputError as error:
        yield _unreadable(Broken(error.reason, error.detail, piece.where, text), source=source)
    except RecursionError:
        detail = "the record is nested too deeply"
        yield _unreadable(Broken("too_deep", detail, piece.where, text), source=source)


def _parsed(piece: JsonText | CsvRow) -> object:
    """The piece as Fields. A row whose cells do not fit its header is refused only if it names one of ours."""
    if isinstance(piece, JsonText):
        return parse(piece.text)
    if piece.problem:
        words = [*piece.cells.values(), *(word for cell in piece.cells.values() for word in _INSIDE.findall(cell))]
        if any(is_of_interest(word) for word in words):
            raise InputError(piece.problem, detail="the row's cells and the header's names do not fit")
        return []
    return Fields([(name.strip(), cell) for name, cell in piece.cells.items()])


def _unreadable(broken: Broken, *, source: str) -> Unreadable:
    return Unreadable(
        reason=broken.reason,
        detail=excerpt(broken.detail),
        source=source,
        where=broken.where,
        excerpt=excerpt(broken.text),
    )
