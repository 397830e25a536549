"""The allowlist as a CSV file, safe to open in a spreadsheet. Pure.

What a spreadsheet makes of the file is read; what it would run is defused.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bypass_responder.errors import RefusedError
from bypass_responder.model.base import expiry_text
from bypass_responder.model.spreadsheet import cells_of, is_formula

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.operating.allowlist.entries import EntryView

MOST_ROWS = 10_000
MOST_BYTES = 32 * 1024 * 1024
LONGEST_CELL = 4_000
FIELDS = ("object_id", "account", "reason_class", "justification", "owner", "ticket", "expires", "documentation")
"""The columns that an import reads. ``account`` may stand for ``object_id``."""
REQUIRED = ("reason_class", "justification", "owner", "ticket", "expires")
SHOWN = ("state", "bypassed", "approved_by", "edited_at", "edited_by", "via", "reviewed_at", "reviewed_by")
"""The columns that an export adds. An import skips them."""
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Line:
    """One row of a file, with its number; ``cells`` by column, without skipped columns."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True)
class File:
    """A file that was read. ``sha256`` is of its bytes: a confirmation is about exactly these."""

    sha256: str
    lines: tuple[Line, ...]


def read_file(data: bytes) -> File:
    """Return the rows of a CSV file.

    Raises RefusedError, with the fix, for one that cannot be read as a whole.
    """
    if len(data) > MOST_BYTES:
        raise RefusedError(f"The file has {len(data):,} bytes; at most {MOST_BYTES:,} are read. Split it.")
    text = _decoded(data)
    header = next(iter(text.splitlines()), "")
    delimiter = max((",", ";", "\t"), key=lambda each: len({*_names(header, each)} & {*FIELDS, *SHOWN}))
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = [name.strip().lower() for name in next(rows, [])]
        _check_names(names)
        lines: list[Line] = []
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if len(lines) >= MOST_ROWS:
                raise RefusedError(f"The file has more than {MOST_ROWS:,} rows. Split it.")
            lines.append(_line(rows.line_num, names, cells))
    except csv.Error as error:
        raise RefusedError(f"Line {rows.line_num} is not CSV: {error}. Save the sheet as CSV again.") from None
    if not lines:
        raise RefusedError("The file has no rows below its header. Nothing to import.")
    return File(hashlib.sha256(data).hexdigest(), tuple(lines))


def _decoded(data: bytes) -> str:
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), None)
    if encoding is None:
        zeros = data[:200].count(0)
        encoding = "utf-8" if not zeros else "utf-16-le" if data[1:2] == b"\0" else "utf-16-be"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise RefusedError("The file is neither UTF-8 nor UTF-16. Save it as CSV UTF-8.") from None


def _names(header: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"').lower() for name in header.split(delimiter)]


def _check_names(names: list[str]) -> None:
    unknown = [name for name in names if name and name not in {*FIELDS, *SHOWN}]
    if unknown:
        shown = ", ".join(f"{name!r:.40}" for name in unknown[:5])
        raise RefusedError(f"Unknown columns: {shown}. The columns are {', '.join(FIELDS)}.")
    if doubled := sorted({name for name in names if name and names.count(name) > 1}):
        raise RefusedError(f"Columns that appear twice: {', '.join(doubled)}.")
    missing = [name for name in REQUIRED if name not in names]
    missing += [] if {"object_id", "account"} & {*names} else ["object_id or account"]
    if missing:
        raise RefusedError(f"Missing columns: {', '.join(missing)}. The columns are {', '.join(FIELDS)}.")


def _line(number: int, names: list[str], cells: list[str]) -> Line:
    if any(cell.strip() for cell in cells[len(names) :]) or any(len(cell) > LONGEST_CELL for cell in cells):
        return Line(number, {"": "it has more cells than the header, or one that is too long"})
    known = {name: _undefused(cell) for name, cell in zip(names, cells, strict=False) if name in FIELDS}
    return Line(number, {name: known.get(name, "") for name in FIELDS})


def write_file(entries: Iterable[EntryView]) -> str:
    """Return the entries as CSV text, as ``read_file`` reads them.

    Malformed ones are left out: they have no fields.
    """
    out = io.StringIO(newline="")
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow((*FIELDS, *SHOWN))
    for entry in entries:
        if entry.expires_at is not None:
            rows.writerow([_defused(cell) for cell in _cells(entry)])
    return out.getvalue()


def _cells(entry: EntryView) -> list[str]:
    moments = {name: getattr(entry, name) for name in ("edited_at", "reviewed_at")}
    shown = {
        **{name: getattr(entry, name) for name in (*FIELDS[:6], "documentation", "approved_by", "edited_by", "via")},
        **{name: at.isoformat() if at else "" for name, at in moments.items()},
        "expires": expiry_text(entry.expires_at) if entry.expires_at else "",
        "state": entry.state.value,
        "bypassed": {True: "on", False: "off", None: "unknown"}[entry.bypass.now],
        "reviewed_by": entry.reviewed_by,
    }
    return [shown[name] for name in (*FIELDS, *SHOWN)]


def _runs(cell: str) -> bool:
    """Return True for a cell that a spreadsheet takes for a formula."""
    return is_formula(cell) or cell.startswith(("\t", "\r"))


def _defused(text: str) -> str:
    """Return a text that no spreadsheet runs, with any separator. ``_undefused`` turns it back into itself."""
    return "".join(f"'{cell}" if _runs(cell) or _is_marked(cell) else cell for cell in cells_of(text))


def _undefused(text: str) -> str:
    return "".join(cell[1:] if _is_marked(cell) else cell for cell in cells_of(text))


def _is_marked(cell: str) -> bool:
    return cell.startswith("'") and (cell.startswith("''") or _runs(cell[1:]))
