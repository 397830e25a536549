"""Reads every audit record of interest from a file, blob or pipe of any export, in bounded memory."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from bypass_responder.errors import InputError
from bypass_responder.model.record import EXCERPT_LIMIT, AuditRecord, Unreadable, excerpt
from bypass_responder.sensing.records.containers import pieces_of
from bypass_responder.sensing.records.moments import AMBIGUOUS
from bypass_responder.sensing.records.parsed import Fields, parse
from bypass_responder.sensing.records.pieces import Broken, CsvRow, JsonText, Piece, Pieces, Scan
from bypass_responder.sensing.records.prefilter import names_cmdlet
from bypass_responder.sensing.records.record import record_of
from bypass_responder.sensing.records.shapes import candidates, is_of_interest
from bypass_responder.sensing.records.source import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.sensing.records.source import Readable

_INSIDE = re.compile(r'"operations?"\s*:\s*"([^"]*)"', re.IGNORECASE)
_NAME = re.compile(r"audit\W{0,20}bypass", re.IGNORECASE)
_MOST_HELD = 1000
"""Records whose day and month are ambiguous, kept until the end of the input may show the order of its dates."""


def read_records(stream: Readable, *, source: str, scan: Scan | None = None) -> Iterator[AuditRecord | Unreadable]:
    """The records whose operation detection reads, in order, and what could not be read.

    Takes JSON (an array, a page, objects one after the other, lines) and CSV, in UTF-8 or UTF-16. A record of another
    operation is passed over, however odd; a part that is broken is reported, and reading goes on behind it.
    ``source`` names the input in what is unreadable. Records whose day and month are ambiguous come last.
    """
    scan = scan or Scan()
    yield from records_in(pieces_of(stream, scan), source=source, scan=scan)


def records_in(pieces: Pieces, *, source: str, scan: Scan) -> Iterator[AuditRecord | Unreadable]:
    """The same for what has been taken apart before."""
    held: list[Piece] = []
    room = LIMIT
    for piece in pieces:
        found = list(_records(piece, source=source, scan=scan))
        is_ambiguous = any(isinstance(item, AuditRecord) and AMBIGUOUS in item.note for item in found)
        if is_ambiguous and len(held) < _MOST_HELD and (size := _size(piece)) <= room:
            held.append(piece)
            room -= size
        else:
            yield from found
    for piece in held:
        yield from _records(piece, source=source, scan=scan)


def _size(piece: Piece) -> int:
    return sum(map(len, piece.cells.values())) if isinstance(piece, CsvRow) else len(piece.text)


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
    """Return the piece as Fields.

    A row whose cells do not fit its header is refused only if it names an operation of interest.
    """
    if isinstance(piece, JsonText):
        return parse(piece.text)
    cells = Fields([(name, cell) for name, cell in piece.cells.items() if name])
    if piece.problem and not _is_another(cells):
        raise InputError(piece.problem, detail="the row's cells do not match the header")
    return [] if piece.problem else cells


def _is_another(cells: Fields) -> bool:
    """Return True when a cell holds a whole record of another operation, and no cell names one of ours."""
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
        names_cmdlet=broken.names_cmdlet or names_cmdlet(broken.text.encode("utf-8", "replace")),
    )
