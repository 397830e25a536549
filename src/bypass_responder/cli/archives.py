"""Return the exports inside an input: itself, or the members of a .gz, .zip or .xlsx, within bounds."""

from __future__ import annotations

import io
import lzma
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from bypass_responder.sensing.records.pieces import Broken, Pieces, Scan
from bypass_responder.sensing.records.rows import read_table

if TYPE_CHECKING:
    from bypass_responder.sensing.records.source import Readable

_BLOCK = 1 << 20
_MOST_BYTES = 1 << 36
"""Bytes that may come out of one compressed input."""
_MOST_MEMBERS = 10_000
_DEEPEST = 3
_LARGEST_WORKBOOK = 1 << 30
"""Bytes of all the parts of a workbook; the texts of its cells are kept in memory."""
_MOST_ROWS = 1 << 20
"""Rows of a worksheet: Excel has no more. One that the file numbers higher would be preceded by as many empty rows."""
_GZIP, _ZIP, _EMPTY_ZIP = b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06"
_NO_FILE = "empty: the zip archive has no file"
_OF_MACOS = (
    (re.compile(r"(?:.*/)?\._[^/]*", re.DOTALL), b"\0\x05\x16\x07"),  # AppleDouble, in __MACOSX/ or beside its file
    (re.compile(r"(?:.*/)?\.DS_Store"), b"\0\0\0\x01Bud1"),
)
"""Names of what macOS adds to an archive, and how such a member begins. One that begins otherwise is read."""
_WORKBOOK = "xl/workbook.xml"
_OF_WORKBOOK = re.compile(
    r"\[Content_Types\]\.xml|(?:xl|_rels|docProps|docMetadata|customXml)/.*\.(?:xml|rels|bin|vml|emf|gif|jpe?g|png|svg)"
)
"""Members of a workbook that belong to it. Any other member may be an export."""
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s")
_CORRUPT = (
    *(EOFError, zlib.error, lzma.LZMAError, struct.error, zipfile.BadZipFile),
    *(NotImplementedError, RuntimeError, ValueError),  # RuntimeError: it has a password
)
"""What compressed data raises that is not as it should be; bzip2 raises an OSError without a number."""


@dataclass
class Part:
    """One export: a stream of bytes, or the rows of a worksheet.

    ``problem`` is known once it has been read. ``size``: bytes that were read of it, if it is no stream.
    """

    name: str
    stream: Readable | None = None
    rows: Callable[[Scan], Pieces] | None = None
    problem: Callable[[], str] = str
    size: int = 0
    skipped: str = ""
    """What was left unread on purpose."""


class _Allowance:
    """What may still come out of one input, with all that is compressed inside of it."""

    def __init__(self) -> None:
        self._bytes = _MOST_BYTES

    def covers(self, size: int) -> bool:
        """Count extracted bytes; False once there are more than allowed."""
        self._bytes -= size
        return self._bytes >= 0


class _Stream:
    """Bytes from ``read``, up to an error or the limit; ``problem`` has the reason."""

    def __init__(self, read: Callable[[int], bytes], *, head: bytes = b"", allowance: _Allowance | None = None) -> None:
        self._read = read
        self._head = head
        self._allowance = allowance
        self.problem = ""

    def read(self, size: int, /) -> bytes:
        data, self._head = self._head[:size], self._head[size:]
        if data or self.problem:
            return data
        try:
            data = self._read(size)
        except (*_CORRUPT, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            self.problem = f"cut_off: the compressed data is {_damage(error)}"
            return b""
        if self._allowance and not self._allowance.covers(len(data)):
            self.problem = f"too_large: it decompresses to more than {_MOST_BYTES:,} bytes"
            return b""
        return data


def parts(stream: Readable, name: str) -> Iterator[Part]:
    """Return the exports in the input, each to be read before the next one."""
    yield from _parts(stream, name, _Allowance(), depth=0)


def _parts(stream: Readable, name: str, allowance: _Allowance, *, depth: int) -> Iterator[Part]:
    head = b""
    while len(head) < len(_ZIP) and (more := stream.read(len(_ZIP) - len(head))):
        head += more
    whole = _Stream(stream.read, head=head)
    is_gzip = head.startswith(_GZIP)
    if head == _EMPTY_ZIP:
        yield Part(name, problem=lambda: _NO_FILE, size=len(head))
    elif not is_gzip and head != _ZIP:
        yield Part(name, stream=whole)
    elif depth >= _DEEPEST:
        yield Part(name, problem=lambda: f"too_deep: more than {_DEEPEST} nested compressed files")
    elif is_gzip:
        inside = _Stream(_Gunzip(whole).read, allowance=allowance)
        for part in _parts(inside, name, allowance, depth=depth + 1):
            yield replace(part, problem=_either(part.problem, lambda: inside.problem))
    else:
        with tempfile.TemporaryFile() as copy:
            while block := whole.read(_BLOCK):
                copy.write(block)
            yield from _members(cast("BinaryIO", copy), name, allowance, depth=depth)


def _either(one: Callable[[], str], two: Callable[[], str]) -> Callable[[], str]:
    return lambda: one() or two()


def _members(copy: BinaryIO, name: str, allowance: _Allowance, *, depth: int) -> Iterator[Part]:
    try:
        archive = zipfile.ZipFile(copy)
    except (*_CORRUPT, OSError) as error:
        problem = f"cut_off: the zip archive is {_damage(error)}"
        yield Part(name, problem=lambda: problem, size=copy.seek(0, io.SEEK_END))
        return
    from bypass_responder.model.record import printable

    every = [member for member in archive.infolist() if not member.is_dir()]
    members = [member for member in every if not _is_of_macos(archive, member)]
    if skipped := len(every) - len(members):
        yield Part(name, skipped=f"{skipped} of its members skipped, which macOS added (__MACOSX, ._*, .DS_Store)")
    if not members:
        yield Part(name, problem=lambda: _NO_FILE, size=copy.seek(0, io.SEEK_END))
    if any(member.filename == _WORKBOOK for member in members):
        yield from _sheets(archive, copy, name)
        members = [member for member in members if not _OF_WORKBOOK.fullmatch(member.filename)]
    if len(members) > _MOST_MEMBERS:
        yield Part(name, problem=lambda: f"too_large: it has more than {_MOST_MEMBERS:,} members")
        return
    for member in members:
        inside = f"{name}/{printable(member.filename)}"
        try:
            with archive.open(member) as opened:
                stream = _Stream(opened.read, allowance=allowance)
                for part in _parts(stream, inside, allowance, depth=depth + 1):
                    yield replace(part, problem=_either(part.problem, lambda s=stream: s.problem))  # type: ignore[misc]
        except (*_CORRUPT, OSError) as error:
            problem = f"cut_off: the member is {_damage(error)}"
            yield Part(inside, problem=lambda problem=problem: problem)  # type: ignore[misc]


def _is_of_macos(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bool:
    begins = next((begins for name, begins in _OF_MACOS if name.fullmatch(member.filename)), None)
    if begins is None:
        return False
    try:
        with archive.open(member) as opened:
            return opened.read(len(begins)) == begins
    except (*_CORRUPT, OSError):
        return False


def _damage(error: Exception) -> str:
    """Return what is wrong with compressed data, and what to do."""
    if "password" in str(error):
        return "protected by a password: extract it first"
    if isinstance(error, NotImplementedError):
        return f"compressed in a way that is not supported ({error}): extract it first"
    return f"cut off or damaged ({error}): copy or export it again"


def _sheets(archive: zipfile.ZipFile, copy: BinaryIO, name: str) -> Iterator[Part]:
    import openpyxl

    from bypass_responder.model.record import printable

    size = copy.seek(0, io.SEEK_END)
    if sum(member.file_size for member in archive.infolist()) > _LARGEST_WORKBOOK:
        yield Part(name, problem=lambda: f"too_large: the workbook has more than {_LARGEST_WORKBOOK:,} bytes")
        return
    try:
        named = len(_SHEET.findall(archive.read(_WORKBOOK)))
        workbook = openpyxl.load_workbook(copy, read_only=True, data_only=True, keep_links=False)
    except Exception as error:  # noqa: BLE001 - openpyxl raises anything for a file that is not as it should be
        problem = f"cut_off: the workbook is {_damage(error)}"
        yield Part(name, problem=lambda: problem, size=size)
        return
    yield Part(name, size=size)
    if lost := named - len(workbook.sheetnames):
        yield Part(name, problem=lambda: f"cut_off: {lost} of the {named} sheets of the workbook are missing")
    for sheet in workbook.worksheets:
        sheet.reset_dimensions()
        sheet_name = f"{name}/{printable(sheet.title)}"
        yield Part(sheet_name, rows=lambda scan, sheet=sheet: _pieces(sheet, scan))  # type: ignore[misc]


def _pieces(sheet: Any, scan: Scan) -> Pieces:  # noqa: ANN401 - openpyxl has no types
    try:
        yield from read_table(_rows(sheet, scan), scan)
    except Exception as error:  # noqa: BLE001 - as above
        yield Broken("cut_off", f"reading the worksheet stopped: {error}", "after the last row", "", names_cmdlet=True)


def _rows(sheet: Any, scan: Scan) -> Iterator[list[str]]:  # noqa: ANN401 - as above
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > _MOST_ROWS:
            raise ValueError(f"it has more than {_MOST_ROWS:,} rows")
        cells = [_cell(value) for value in row]
        scan.rows += any(cells)
        yield cells


def _cell(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return "" if value is None else str(value)


class _Gunzip:
    """Decompressed bytes of one or more gzip members; all that can be, when the last one is cut off."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._waiting = b""
        self._member = zlib.decompressobj(wbits=31)
        self._begun = False

    def read(self, size: int) -> bytes:
        while True:
            if not self._waiting and not (data := self._stream.read(_BLOCK)):
                if self._begun:
                    raise EOFError("the gzip data ends too early")
                return b""
            self._waiting = self._waiting or data
            if not self._begun and not (stripped := self._waiting.lstrip(b"\0")):  # padding after the last member
                self._waiting = stripped
                continue
            self._begun = True
            out = self._member.decompress(self._waiting, size)
            self._waiting = self._member.unconsumed_tail
            if self._member.eof:
                self._waiting = self._member.unused_data
                self._member = zlib.decompressobj(wbits=31)
                self._begun = False
            if out:
                return out
