"""JSON values from a stream: arrays, ``{"value": [...]}`` pages, objects one after the other, on one line or many.

One element at a time is taken from a bounded buffer; nothing but its extent is kept. Where the text stops being JSON,
the rest is one broken piece: looking for the next record inside broken text would let a string pose as a record.
"""

from __future__ import annotations

import codecs
import re
from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING

from bypass_responder.sensing.records.pieces import Broken, JsonText, Pieces
from bypass_responder.sensing.records.prefilter import may_matter
from bypass_responder.sensing.records.source import BLOCK, LIMIT

if TYPE_CHECKING:
    from typing import BinaryIO

_SCANNER = JSONDecoder(parse_int=str, parse_float=str, strict=False)  # str: a number of 5,000 digits is no error
_GAP = re.compile(r"[ \t\r\n\ufeff\x1e]*")
_PAGE = re.compile(
    r'\{\s*(?:"(?!operation")[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,\s*)*+"(?:value|records)"\s*:\s*\[', re.IGNORECASE
)
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|["\[\]{}]', re.DOTALL)
_AHEAD = 1 << 13
_NEAR_END = 12
"""A literal or an escape that a buffer's end cuts is reported at most this many characters before the end."""


class _BrokenError(Exception):
    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail


def read_values(reader: BinaryIO) -> Pieces:
    """Every value that may matter, and every element of a list that is no object."""
    buffer = _Buffer(reader)
    try:
        yield from _top_level(buffer)
    except _BrokenError as error:
        yield Broken(error.reason, error.detail, f"after record {buffer.count}", buffer.rest())


def _top_level(buffer: _Buffer) -> Pieces:
    while char := buffer.char():
        if char == "[":
            buffer.take(1)
            yield from _array(buffer)
        elif char == "{" and (page := buffer.page_start()):
            buffer.take(page)
            yield from _array(buffer)
            yield from _page_end(buffer)
        elif char == "{":
            yield from _element(buffer)
        else:
            raise _BrokenError(reason="not_json", detail=f"a JSON object or array should begin at {char!r}")
    if not buffer.started:
        raise _BrokenError(reason="not_json", detail="the input is empty")


def _array(buffer: _Buffer) -> Pieces:
    """The elements after ``[``, and the bracket that closes it."""
    if buffer.char() == "]":
        buffer.take(1)
        return
    while True:
        yield from _element(buffer)
        char = buffer.char()
        if char not in {",", "]"}:
            raise _BrokenError(reason="not_json", detail=f"the array is cut off or broken at {char!r}")
        buffer.take(1)
        if char == "]":
            return


def _page_end(buffer: _Buffer) -> Pieces:
    """The members that follow the list of a page. They are read too, so that nothing hides there."""
    while (char := buffer.char()) == ",":
        buffer.take(1)
        buffer.char()
        buffer.take(buffer.value_length())
        if buffer.char() != ":":
            raise _BrokenError(reason="not_json", detail="a colon should stand here")
        buffer.take(1)
        is_nested = buffer.char() in {"[", "{"}
        text = buffer.take(buffer.value_length())
        if is_nested and may_matter(text.encode()):
            yield JsonText(text, f"after record {buffer.count}")
    if char != "}":
        raise _BrokenError(reason="not_json", detail=f"the object is cut off or broken at {char!r}")
    buffer.take(1)


def _element(buffer: _Buffer) -> Pieces:
    is_object = buffer.char() == "{"
    length = buffer.value_length()
    matters = buffer.may_matter(length)
    buffer.count += 1
    where = f"record {buffer.count}"
    if not is_object:
        yield Broken("not_an_object", "a record is a JSON object", where, buffer.take(length))
    elif matters:
        yield JsonText(buffer.take(length), where)
    else:
        buffer.skip(length)


class _Buffer:
    """A window of text over the stream. Nothing before ``_cold_until`` may matter."""

    def __init__(self, reader: BinaryIO) -> None:
        self._reader = reader
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._at = 0
        self._ended = False
        self._cold_until = 0
        self.started = False
        self.count = 0

    def char(self) -> str:
        """The next character that is no space; empty at the end. What stands before it is consumed."""
        while True:
            gap = _GAP.match(self._text, self._at)
            self._at = gap.end() if gap else self._at
            if self._at < len(self._text):
                self.started = True
                return self._text[self._at]
            if self._ended:
                return ""
            self._more()

    def take(self, length: int) -> str:
        """Consume ``length`` characters."""
        text = self._text[self._at : self._at + length]
        self._at += length
        return text

    def skip(self, length: int) -> None:
        """Consume ``length`` characters unseen."""
        self._at += length

    def may_matter(self, length: int) -> bool:
        """Whether the next ``length`` characters may matter. Looks further ahead: most records do not."""
        end = self._at + length
        if end <= self._cold_until:
            return False
        ahead = max(end, self._at + _AHEAD)
        if not may_matter(self._text[self._at : ahead].encode()):
            self._cold_until = min(ahead, len(self._text))
            return False
        return may_matter(self._text[self._at : end].encode())

    def rest(self) -> str:
        """What is left of the window."""
        return self._text[self._at :]

    def page_start(self) -> int:
        """How many characters lead up to the first element of a page's list; 0 when a page does not begin here."""
        if len(self._text) - self._at < BLOCK and not self._ended:
            self._more()
        page = _PAGE.match(self._text, self._at, self._at + BLOCK)
        return page.end() - self._at if page else 0

    def value_length(self) -> int:
        """The length of the JSON value that begins here; the window grows until it holds all of it."""
        while True:
            try:
                end = self._end_of_value()
            except JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _NEAR_END
                if self._ended or not cut:
                    raise _BrokenError(reason="not_json", detail=error.msg) from error
            else:
                if self._ended or end < len(self._text):
                    return end - self._at
            if len(self._text) - self._at > LIMIT:
                raise _BrokenError(reason="too_large", detail=f"one value is longer than {LIMIT:,} characters")
            self._more()

    def _end_of_value(self) -> int:
        try:
            return _SCANNER.raw_decode(self._text, self._at)[1]
        except RecursionError:
            return self._end_of_nesting()

    def _end_of_nesting(self) -> int:
        """Return the end of a value that is nested too deeply to parse, by counting brackets outside strings."""
        depth = 0
        for token in _TOKEN.finditer(self._text, self._at):
            char = token.group()
            if char == '"':
                break
            depth += (char in "[{") - (char in "]}")
            if depth == 0:
                return token.end()
        message = "Unterminated string or nesting"
        raise JSONDecodeError(message, self._text, len(self._text))

    def _more(self) -> None:
        """Read on: at least as much as is waiting, so that a long value is scanned a few times, not many."""
        waiting = len(self._text) - self._at
        data = self._reader.read(max(BLOCK, waiting))
        self._ended = not data
        self._text = self._text[self._at :] + self._decoder.decode(data, self._ended)
        self._at = 0
        self._cold_until = 0
