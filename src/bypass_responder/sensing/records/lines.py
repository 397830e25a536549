"""JSON lines: each line stands alone, so a broken line costs only itself.

A block without a name of interest is checked only for its shape: lines that begin and end as objects do.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from bypass_responder.sensing.records.pieces import Broken, Pieces
from bypass_responder.sensing.records.prefilter import may_matter
from bypass_responder.sensing.records.source import BLOCK, LIMIT
from bypass_responder.sensing.records.values import read_values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO


def read_lines(reader: BinaryIO) -> Pieces:
    """Every record that may matter, and every line that is no JSON object or array."""
    number = 0
    for block, whole in _blocks(reader):
        if not whole:
            number += 1
            detail = f"the line is longer than {LIMIT:,} bytes"
            yield Broken("too_large", detail, f"line {number}", block[:LIMIT].decode("utf-8", "replace"))
        elif not may_matter(block) and _tidy(block):
            number += block.count(b"\n")
        else:
            for line in block.removesuffix(b"\n").split(b"\n"):
                number += 1
                yield from _line(line.strip(), f"line {number}")


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


def _tidy(block: bytes) -> bool:
    """Whether every line begins with ``{`` and ends with ``}``, without looking at each."""
    inner = block.count(b"\n") - block.endswith(b"\n")
    joined = block.count(b"}\n{") + block.count(b"}\r\n{")
    return joined == inner and block.startswith(b"{") and block[-4:].rstrip(b"\r\n").endswith(b"}")


def _line(line: bytes, where: str) -> Pieces:
    if not line:
        return
    if may_matter(line):
        for piece in read_values(io.BytesIO(line)):
            yield replace(piece, where=f"{where}, {piece.where}")
    elif line[:1] + line[-1:] not in {b"{}", b"[]"}:
        yield Broken("not_json", "the line is no JSON object, or cut off", where, line.decode("utf-8", "replace"))
