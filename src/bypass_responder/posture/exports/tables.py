"""A file as rows of named cells: JSON, JSON lines or CSV, in UTF-8 or UTF-16, also gzipped. Pure."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from bypass_responder.errors import InputError
from bypass_responder.model.encoding import decoded

Rows = list[dict[str, Any]]


class Table(NamedTuple):
    """What a file has. ``is_page``: it is one page of an answer of REST that has more."""

    rows: Rows
    is_page: bool = False


_DELIMITERS = (",", ";", "\t", "|")
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
MOST_BYTES = 1 << 31
"""Bytes that may come out of a gzipped file: all of it is kept in memory."""
_SMALL, _MOST_TIMES = 1 << 20, 200
"""An export of mailboxes, each with its ids, is about 20 times as long as its gzip. What is far above is none."""
_WORKBOOK = (
    "it is an Excel workbook or a zip archive. Make a CSV of it: soffice --headless --convert-to csv FILE, or in Excel "
    "Save As CSV UTF-8"
)
WITHOUT_ROWS = "Export it again; if nothing is found, without Where-Object, so that the file has rows"
_NEXT = "@odata.nextLink"
_LINES_BEFORE = 10
"""Lines that may stand before the header: ``#TYPE``, ``sep=``, a title."""


def read_table(data: bytes) -> Table:
    """Return the rows of a file. Raises InputError, with the fix, for one that is neither JSON nor CSV."""
    if data.startswith(_ZIP):
        raise InputError("workbook", _WORKBOOK)
    if data.startswith(_GZIP):
        return read_table(_unpacked(data))
    try:
        text = decoded(data).lstrip("\ufeff")
    except UnicodeDecodeError:
        raise InputError("encoding", "it is neither UTF-8 nor UTF-16. Export it again with -Encoding utf8") from None
    start = text.lstrip()[:1]
    if not start:
        raise InputError("empty", f"it is empty. {WITHOUT_ROWS}")
    return _json(text) if start in "[{" else Table(_csv(text))


def _unpacked(data: bytes) -> bytes:
    most = min(MOST_BYTES, max(_SMALL, len(data) * _MOST_TIMES))
    try:
        with gzip.open(io.BytesIO(data)) as file:
            unpacked = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as problem:
        raise InputError("gzip", f"it is not a complete gzip file ({problem}). Copy or export it again") from None
    if len(unpacked) > most:
        raise InputError("too_large", f"it unpacks to more than {most >> 20} MiB. Export it in parts, or unpack it")
    if unpacked.startswith(_GZIP):
        raise InputError("gzip", "it is gzipped twice. Unpack it once: gunzip FILE")
    return unpacked


def _json(text: str) -> Table:
    try:
        found = _loaded(text)
        return Table(list(_objects(found)), is_page=isinstance(found, dict) and _NEXT in found)
    except ValueError:
        pass
    except RecursionError:
        raise InputError("not_json", "it is nested too deeply for an export of mailboxes") from None
    rows: Rows = []
    for number, line in enumerate(text.split("\n"), start=1):  # a name may hold other ends of lines, such as U+2028
        if not line.strip():
            continue
        try:
            rows += _objects(_loaded(line))
        except (ValueError, RecursionError) as problem:
            cut = "it may be cut off" if number > 1 else "it is not JSON"
            raise InputError("not_json", f"line {number} cannot be read ({problem}); {cut}. Export it again") from None
    return Table(rows)


def _loaded(text: str) -> Any:  # noqa: ANN401 - any JSON
    """Return the value of a JSON text. Half a character, which no file can hold, becomes a question mark."""
    found = json.loads(text)
    if "\\ud" not in text.casefold():
        return found
    return json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))


def _objects(found: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """Yield the objects: of an array, or of the field value, as REST and Windows PowerShell wrap them."""
    if isinstance(found, dict) and isinstance(found.get("value"), list):
        found = found["value"]
    for each in found if isinstance(found, list) else [found]:
        if not isinstance(each, dict):
            raise InputError("not_rows", f"it has {str(each)!r:.60} where a mailbox is expected")
        yield each


def _csv(text: str) -> Rows:
    lines = text.splitlines(keepends=True)
    start = next((number for number, line in enumerate(lines[:_LINES_BEFORE]) if _is_header(line)), None)
    if start is None:
        raise InputError("no_header", "no line names columns. Export it with Export-Csv -NoTypeInformation")
    header = lines[start]
    delimiter = max(_DELIMITERS, key=header.count)
    csv.field_size_limit(1 << 25)
    rows = csv.reader(io.StringIO("".join(lines[start:]), newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip() for name in next(rows)]
        if doubled := sorted({name for name in names if name and names.count(name) > 1}):
            raise InputError("doubled_column", f"the column {doubled[0]!r:.60} appears twice")
        return [_row(names, cells, rows.line_num + start) for cells in rows if any(cell.strip() for cell in cells)]
    except csv.Error as problem:
        where = rows.line_num + start
        raise InputError("not_csv", f"line {where} is not CSV ({problem}). Export it again") from None


def _is_header(line: str) -> bool:
    """Return True for a line with several names."""
    return not line.startswith(("#", "sep=")) and any(line.count(delimiter) for delimiter in _DELIMITERS)


def _row(names: list[str], cells: list[str], line: int) -> dict[str, Any]:
    if any(cell.strip() for cell in cells[len(names) :]) or len(cells) < len(names):
        raise InputError(
            "wrong_columns", f"line {line} has {len(cells)} cells for {len(names)} columns. Export it again"
        )
    return dict(zip(names, cells, strict=False))
