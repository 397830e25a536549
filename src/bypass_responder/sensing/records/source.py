"""Bytes of an export as UTF-8 without a byte order mark, whatever they were written in."""

from __future__ import annotations

import codecs
import io
import re
from typing import TYPE_CHECKING, Protocol

from bypass_responder.model.encoding import encoding_of

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK = 1 << 16
"""Bytes read at a time: few enough that they stay in the processor's cache and come from the allocator's own memory."""
LIMIT = 1 << 25
"""Characters (or bytes) of one record, line or CSV row. What is longer is unreadable, so memory has a bound."""


_LONE_RETURN = re.compile(rb"\r[^\n]")


class Readable(Protocol):
    """What a source has to be: a file, a pipe, or bytes in memory."""

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes; none at the end."""


def utf8_reader(stream: Readable) -> io.BufferedReader:
    """Return a buffered reader of the text in UTF-8 with line feeds. The stream is never closed."""
    reader: io.BufferedReader = io.BufferedReader(_Utf8(stream), buffer_size=BLOCK)
    head = reader.peek(BLOCK)
    if b"\n" not in head and _LONE_RETURN.search(head):
        return io.BufferedReader(_Lines(reader), buffer_size=BLOCK)
    return reader


def _read_fully(stream: Readable, size: int) -> bytes:
    """Exactly ``size`` bytes, or what is left: so that a slow pipe gives the same answer as a file."""
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _Utf8(io.RawIOBase):
    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._ended = False
        head = _read_fully(stream, 4)
        encoding = encoding_of(head)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace") if encoding else None
        self._pending = self._recode(head, final=False).removeprefix(codecs.BOM_UTF8)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        if self._decoder is None and not self._pending:
            data = self._stream.read(len(view))
            taken = min(len(data), len(view))
            view[:taken] = data[:taken]
            self._pending = data[taken:]
            return taken
        filled = 0
        while filled < len(view) and (self._pending or self._load(len(view) - filled)):
            part = self._pending[: len(view) - filled]
            view[filled : filled + len(part)] = part
            self._pending = self._pending[len(part) :]
            filled += len(part)
        return filled

    def _load(self, size: int) -> bool:
        """Put the next bytes in ``_pending``; False at the end."""
        while not self._pending and not self._ended:
            data = _read_fully(self._stream, size)
            self._ended = not data
            self._pending = self._recode(data, final=self._ended)
        return bool(self._pending)

    def _recode(self, data: bytes, *, final: bool) -> bytes:
        if self._decoder is None:
            return data
        return self._decoder.decode(data, final).encode("utf-8", "replace")


class _Lines(io.RawIOBase):
    """Text whose lines end in a carriage return, as Excel's "CSV (Macintosh)" has them."""

    def __init__(self, reader: io.BufferedReader) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self._reader.read1(len(view)).replace(b"\r", b"\n")
        view[: len(data)] = data
        return len(data)
