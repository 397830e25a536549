"""Every audit record of interest in a file, a blob or a pipe, whatever it was exported from. Memory has a bound."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING

from bypass_responder.errors import InputError
from bypass_responder.model.record import EXCERPT_LIMIT, AuditRecord, Unreadable, excerpt
from bypass_responder.sensing.records.lines import read_lines
from bypass_responder.sensing.records.moments import AMBIGUOUS
from bypass_responder.sensing.records.parsed import Fields, parse
from bypass_responder.sensing.records.pieces import Broken, CsvRow, JsonText, Piece, Pieces, Scan
from bypass_responder.sensing.records.prefilter import Prefilter, may_matter
from bypass_responder.sensing.records.record import record_of
from bypass_responder.sensing.records.rows import header_of, read_rows
from bypass_responder.sensing.records.shapes import candidates, is_of_interest
from bypass_responder.sensing.records.source import BLOCK, utf8_reader
from bypass_responder.sensing.records.values import read_values

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

    from bypass_responder.sensing.records.source import Readable

_INSIDE = re.compile(r'"operations?"\s*:\s*"([^"]*)"', re.IGNORECASE)
_NAME = re.compile(r"audit\W{0,20}bypass", re.IGNORECASE)
_MOST_HELD = 1000
"""Records whose day and month are ambiguous, kept until the end of the input may show the order of its dates."""
_TAKEN = "JSON, JSON lines or a CSV with a column that is known (AuditData, Operation, ActionType, event.action)"
_FORMATS = (
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"ElfFile", "a Windows event log (.evtx)"),
    (b"Obj\x01", "an Avro file"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"BZh", "a bzip2 file"),
    (b"\xfd7zXZ", "an xz file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file (.xls)"),
    (b"PK\x03\x04", "a zip archive, or an Excel workbook"),
    (b"\x1f\x8b", "a gzip file"),
)


def read_records(stream: Readable, *, source: str, scan: Scan | None = None) -> Iterator[AuditRecord | Unreadable]:
    """The records whose operation detection reads, in order, and what could not be read.

    Takes JSON (an array, a page, objects one after the other, lines) and CSV, in UTF-8 or UTF-16. A record of another
    operation is passed over, however odd; a part that is broken is reported, and reading goes on behind it.
    ``source`` names the input in what is unreadable. Records whose day and month are ambiguous come last.
    """
    scan = scan or Scan()
    yield from records_in(_pieces(utf8_reader(stream), scan), source=source, scan=scan)


def records_in(pieces: Pieces, *, source: str, scan: Scan) -> Iterator[AuditRecord | Unreadable]:
    """The same for what has been taken apart before."""
    held: list[Piece] = []
    for piece in pieces:
        found = list(_records(piece, source=source, scan=scan))
        if len(held) < _MOST_HELD and any(isinstance(item, AuditRecord) and AMBIGUOUS in item.note for item in found):
            held.append(piece)
        else:
            yield from found
    for piece in held:
        yield from _records(piece, source=source, scan=scan)


def _pieces(reader: io.BufferedReader, scan: Scan) -> Pieces:
    start_bytes = reader.peek(BLOCK)
    head = start_bytes.decode("utf-8", "replace")
    scan.begin(head)
    lines = list(islice((line.strip() for line in head.split("\n") if line.strip()), 2))
    start = lines[0][:1] if lines else ""
    if start in {"", "["} or (start == "{" and not _is_lines(lines)):
        return read_values(reader, scan)
    if start != "{" and (header := header_of(head)):
        return read_rows(reader, header, scan)
    if _is_lines(lines):
        return read_lines(reader, scan)
    kind = next((name for mark, name in _FORMATS if start_bytes.startswith(mark)), "")
    detail = f"{kind or 'neither JSON nor a CSV with a column that is known'}; what is taken: {_TAKEN}"
    return iter([Broken("not_json", detail, "the beginning", head, _names_cmdlet(reader))])


def _names_cmdlet(reader: io.BufferedReader) -> bool:
    prefilter = Prefilter()
    while (block := reader.read(BLOCK)) and not prefilter.feed(block):
        pass
    return prefilter.matched


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


def _records(piece: Piece, *, source: str, scan: Scan) -> Iterator[AuditRecord | Unreadable]:
    if isinstance(piece, Broken):
        yield _unreadable(piece, source=source)
        return
    text = piece.text if isinstance(piece, JsonText) else json.dumps(dict(piece.cells), separators=(",", ":"))
    try:
        for candidate in candidates(_parsed(piece), text, is_row=isinstance(piece, CsvRow)):
            try:
                if record := record_of(candidate, text=text, day_first=scan.dates.day_first):
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
    cells = Fields([(name, cell) for name, cell in piece.cells.items() if name])
    if piece.problem and not _is_another(cells):
        raise InputError(piece.problem, detail="the row's cells and the header's names do not fit")
    return [] if piece.problem else cells


def _is_another(cells: Fields) -> bool:
    """Whether a whole record of another operation stands in one of the cells, and no cell says one of ours."""
    words = [*cells.values(), *(word for cell in cells.values() for word in _INSIDE.findall(cell))]
    if any(map(is_of_interest, words)):
        return False
    for cell in cells.values():
        if cell.lstrip().startswith("{"):
            try:
                return all(record_of(candidate, text=cell) is None for candidate in candidates(parse(cell), cell))
            except InputError:
                return False
    return False


def _unreadable(broken: Broken, *, source: str) -> Unreadable:
    found = _NAME.search(broken.text, EXCERPT_LIMIT) if len(broken.text) > EXCERPT_LIMIT else None
    return Unreadable(
        reason=broken.reason,
        detail=excerpt(broken.detail),
        source=source,
        where=broken.where,
        excerpt=excerpt(broken.text[max(0, found.start() - EXCERPT_LIMIT // 2) :] if found else broken.text),
        names_cmdlet=broken.names_cmdlet or may_matter(broken.text.encode("utf-8", "replace")),
    )
