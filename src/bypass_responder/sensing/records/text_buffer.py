"""A window of JSON text over a stream.

It finds where a value ends, what cannot matter, and where the next record begins.
"""

from __future__ import annotations

import codecs
import re
from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.sensing.records.pieces import Scan
from bypass_responder.sensing.records.prefilter import Prefilter, count, names_cmdlet
from bypass_responder.sensing.records.source import BLOCK, LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

_SCANNER = JSONDecoder(parse_int=str, parse_float=str, strict=False)  # str: a number of 5,000 digits is no error
_GAP = re.compile(r"[ \t\r\n\ufeff\x1e]*")
_MEMBER = re.compile(r'[{,]\s*"([^"\\]*)"\s*:\s*')
_PAGES = frozenset({"value", "records", "results", "events"})
_RECORD = frozenset({"operation", "operations", "auditdata", "raweventdata", "actiontype", "_source"})
"""Names of which a record, or what is around it, has at least one."""
_SEPARATOR = re.compile(r'\s*,\s*\{\s*"[^"\\]+"\s*:')
_WINDOW = 1 << 20
"""Characters in which the next record behind a broken part has to end."""
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|["\[\]{}]', re.DOTALL)
_AHEAD = 1 << 13
_PART = 1 << 14
_SEAM = 1 << 10
_NEAR_END = 12
"""A literal or an escape that a buffer's end cuts is reported at most this many characters before the end."""
_MOST_CUTS = 10
_EFFORT = 8
"""Characters that may be read in vain for each one consumed, beside ``2 * LIMIT``."""


class BrokenTextError(Exception):
    """The text is no JSON from here on."""

    def __init__(self, reason: str, detail: str) -> None:
        """``reason``: as that of ``Broken``; ``detail``: what the parser says."""
        self.reason = reason
        self.detail = detail


class Page(NamedTuple):
    """The beginning of a page: characters up to the list's first element, and members before the list."""

    length: int
    members: list[str]


class TextBuffer:
    """A window of text over the stream. Nothing before ``_cold_until`` may matter."""

    def __init__(self, reader: BinaryIO, scan: Scan) -> None:
        """Take the stream; ``scan`` says which parts may matter, and counts."""
        self._reader = reader
        self.scan = scan
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._at = 0
        self._ended = False
        self._cold_until = 0
        self._parse_until = 0
        self._passed = 0
        self._in_vain = 0
        self._leapt = False
        self.separator: bytes | None = None
        self.started = False
        self.count = 0

    def where(self, word: str = "") -> str:
        """The place of the element that was read last; in bytes where elements were passed over uncounted."""
        return f"{word}about byte {self._passed + self._at:,}" if self._leapt else f"{word}record {self.count}"

    def learn(self) -> None:
        """Note what stands between the first two elements of a list, unless it stands inside of one as well."""
        if self.separator is None:
            found = _SEPARATOR.match(self._text, self._at)
            separator = "}" + found[0] if found else ""
            self.separator = b"" if separator in self._text[: self._at] else separator.encode()

    def take_separator(self) -> str:
        """Consume what must stand behind an element of a list: a comma or the bracket that ends it."""
        char = self.char()
        if char not in {",", "]"}:
            raise BrokenTextError(reason="not_json", detail=f"the array is cut off or broken at {char!r}")
        self.learn()
        return self.take(1)

    def leap(self) -> None:
        """Pass over elements that cannot matter, without parsing them. Stands at the beginning of one, then."""
        scan = self.scan
        if self._at < self._parse_until or not self.separator or scan.every or not scan.recognized:
            return
        data = self.rest().encode()
        self._passed += self._at
        while True:
            hot = _first_hot(data, scan.may_matter)
            cut = _last_cut(data, self.separator, end=len(data) if hot is None else hot)
            if cut >= 0:
                passed = cut + self.separator.index(b"{")
                scan.see(data[:passed])
                self._passed += passed
                self._leapt = True
                scan.is_exact = False
                data = data[passed:]
                hot = hot and hot - passed
            if hot is not None or len(data) > 2 * BLOCK or not (block := self._reader.read(BLOCK)):
                break
            data += block
        self._decoder.reset()
        self._text = self._decoder.decode(data)
        self._at = self._cold_until = 0
        self._parse_until = len(self._text) if hot is None else hot + _PART

    def resume(self, beginning: re.Pattern[str], *, of_records: bool = False) -> str:
        """Consume up to the next object and return the skipped text; empty without one.

        The pattern matches what stands before an object. ``of_records``: only one with a record's names counts.
        """
        tried = 1
        while self._in_vain < 2 * LIMIT + _EFFORT * (self._passed + self._at):
            while len(self._text) - self._at - tried < _WINDOW and not self._ended:
                self._more()
            found = beginning.search(self._text, self._at + tried)
            if found is None:
                if self._ended or len(self._text) - self._at > LIMIT:
                    return ""
                tried = max(tried, len(self._text) - self._at - _SEAM)
            elif self._is_object(found.end(), of_records=of_records):
                return self.take(found.end() - self._at)
            else:
                tried = found.end() - self._at
        return ""

    def _is_object(self, at: int, *, of_records: bool) -> bool:
        try:
            value, end = _SCANNER.raw_decode(self._text, at)
        except JSONDecodeError as error:
            self._in_vain += error.pos - at
            return False
        except RecursionError:
            self._in_vain += len(self._text) - at
            return False
        self._in_vain += end - at
        return not of_records or not _RECORD.isdisjoint(name.lower() for name in value)

    def names_cmdlet_from_here(self) -> bool:
        """Whether what is left of the stream, which is read to its end for this, may name the cmdlet."""
        prefilter = Prefilter(names_cmdlet)
        block = self.rest().encode("utf-8", "replace")
        while block and not prefilter.feed(block):
            block = self._reader.read(BLOCK)
        return prefilter.matched

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

    def ahead(self, length: int) -> str:
        """The next ``length`` characters, not consumed."""
        return self._text[self._at : self._at + length]

    def may_matter(self, length: int) -> bool:
        """Whether the next ``length`` characters may matter. Looks further ahead: most records do not."""
        end = self._at + length
        if end <= self._cold_until:
            return False
        ahead = max(end, self._at + _AHEAD)
        if not self.scan.may_matter(self._text[self._at : ahead].encode()):
            self._cold_until = min(ahead, len(self._text))
            return False
        return self.scan.may_matter(self._text[self._at : end].encode())

    def rest(self) -> str:
        """What is left of the window."""
        return self._text[self._at :]

    def page_start(self) -> Page | None:
        """The beginning of a page; None when none begins here."""
        if len(self._text) - self._at < BLOCK and not self._ended:
            self._more()
        at = self._at
        members: list[str] = []
        while member := _MEMBER.match(self._text, at):
            name = member[1].lower()
            if name in _PAGES and self._text.startswith("[", member.end()):
                return Page(member.end() + 1 - self._at, members)
            if name in _RECORD:
                break
            try:
                at = _SCANNER.raw_decode(self._text, member.end())[1]
            except (JSONDecodeError, RecursionError):
                break
            members.append(self._text[member.end() : at])
            at = _GAP.match(self._text, at).end()  # type: ignore[union-attr] # it matches nothing, too
        return None

    def value_length(self) -> int:
        """The length of the JSON value that begins here; the window grows until it holds all of it."""
        while True:
            try:
                end = self._end_of_value()
            except JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _NEAR_END
                if self._ended or not cut:
                    self._in_vain += error.pos - self._at if not cut else len(self._text) - self._at
                    raise BrokenTextError(reason="not_json", detail=error.msg) from error
            else:
                if self._ended or end < len(self._text):
                    return end - self._at
            if len(self._text) - self._at > LIMIT:
                self._in_vain += len(self._text) - self._at
                raise BrokenTextError(reason="too_large", detail=f"one value is longer than {LIMIT:,} characters")
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
        self._parse_until = min(self._parse_until - self._at, waiting)
        self._passed += self._at
        self._at = 0
        self._cold_until = 0


def _last_cut(data: bytes, separator: bytes, *, end: int) -> int:
    """Where the last separator begins that stands between elements; -1 when there is none.

    Behind that one, as many braces close as open before it: the same separator may stand inside of a record.
    """
    cut = end
    for _ in range(_MOST_CUTS):
        cut = data.rfind(separator, 0, cut)
        before = memoryview(data)[: cut + 1]
        if cut < 0 or count(before, b"{") == count(before, b"}"):
            return cut
    return -1


def _first_hot(data: bytes, may_matter: Callable[[bytes], bool]) -> int | None:
    """Where the first part that may matter begins; None when nothing in the data may."""
    if not may_matter(data):
        return None
    starts = range(0, len(data), _PART)
    return next((at for at in starts if may_matter(data[max(0, at - _SEAM) : at + _PART + _SEAM])), 0)
