"""Detects the container of an input from its beginning: JSON, JSON lines or CSV.

Loads no model, and so starts fast.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from bypass_responder.errors import InputError
from bypass_responder.sensing.records.foreign import TAKEN, foreign
from bypass_responder.sensing.records.lines import read_lines
from bypass_responder.sensing.records.parsed import Fields, parse
from bypass_responder.sensing.records.pieces import Broken, Pieces, Scan
from bypass_responder.sensing.records.prefilter import Prefilter, names_cmdlet
from bypass_responder.sensing.records.rows import header_of, read_rows
from bypass_responder.sensing.records.source import BLOCK, utf8_reader
from bypass_responder.sensing.records.values import read_values

if TYPE_CHECKING:
    import io

    from bypass_responder.sensing.records.source import Readable


def pieces_of(stream: Readable, scan: Scan) -> Pieces:
    """The pieces of the input that may matter, and those that are broken, whatever it is written in."""
    reader = utf8_reader(stream)
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
    detail = foreign(start_bytes, head) or f"neither JSON nor a CSV with a known column; supported: {TAKEN}"
    return iter([Broken("not_json", detail, "the beginning", head, _names_cmdlet(reader))])


def _names_cmdlet(reader: io.BufferedReader) -> bool:
    prefilter = Prefilter(names_cmdlet)
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
