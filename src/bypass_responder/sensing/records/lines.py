"""JSON lines: each line stands alone, so a broken line costs only itself.

A block without a name of interest is checked only for its shape: lines that begin and end as objects do.
"""

from __future__ import annotations

import io
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from bypass_responder.sensing.records.pieces import Broken, Pieces, Scan
from bypass_responder.sensing.records.prefilter import count
from bypass_responder.sensing.records.source import BLOCK, LIMIT
from bypass_responder.sensing.records.values import read_values

if TYPE_CHECKING:
    from typing import BinaryIO

_PART = 1 << 15
"""Bytes that are judged together inside a block with a name of interest."""


def read_lines(reader: BinaryIO, scan: Scan) -> Pieces:
    """Every record that may matter, and every line that is no JSON object or array."""
    number = 0
    for block, whole in _blocks(reader):
        if not whole:
            number += 1
            detail = f"the line is longer than {LIMIT:,} bytes"
            yield Broken("too_large", detail, f"line {number}", block[:LIMIT].decode("utf-8", "replace"), True)  # noqa: FBT003
            continue
        scan.see(block)
        cold = _cold_lines(block, scan)
        for part in [block] if cold else _parts(block):
            if passed := cold or _cold_lines(part, scan):
                number += passed
                scan.records += passed
                continue
            for line in part.removesuffix(b"\n").split(b"\n"):
                number += 1
                yield from _line(line.strip().removeprefix(BOM_UTF8), f"line {number}", scan)


def _blocks(reader: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Blocks of complete lines; a line over the limit comes alone, cut, and marked as not whole."""
    while block := reader.read(BLOCK):
        tail = b"" if block.endswith(b"\n") else reader.readline(LIMIT)
        if len(tail) < LIMIT or tail.endswith(b"\n"):
            yield block + tail, True
            continue
        complete, newline, start = block.rpartition(b"\n")
        if newline:
            yield complete + newline, True
        yield start + tail, False
        while (skipped := reader.readline(BLOCK)) and not skipped.endswith(b"\n"):
            pass


def _parts(block: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(block):
        end = block.find(b"\n", at + _PART) + 1 or len(block)
        yield block[at:end]
        at = end


def _cold_lines(block: bytes, scan: Scan) -> int:
    """Return the number of lines of the block when none may matter and each is in braces, else 0."""
    if not scan.recognized or not block.startswith(b"{") or not block[-4:].rstrip(b"\r\n").endswith(b"}"):
        return 0
    lines = count(block, b"\n") + (not block.endswith(b"\n"))
    joined = count(block, b"}\n{") + 1
    whole = joined == lines or joined + count(block, b"}\r\n{") == lines
    return lines if whole and not scan.may_matter(block) else 0


def _line(line: bytes, where: str, scan: Scan) -> Pieces:
    if not line:
        return
    if not scan.recognized:
        scan.recognize(line.decode("utf-8", "replace"))
    if scan.may_matter(line):
        for piece in read_values(io.BytesIO(line), scan):
            yield replace(piece, where=f"{where}, {piece.where}")
    elif line[:1] + line[-1:] in {b"{}", b"[]"}:
        scan.records += 1
    else:
        yield Broken("not_json", "the line is not a complete JSON object", where, line.decode("utf-8", "replace"))
