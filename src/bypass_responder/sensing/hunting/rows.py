"""Rows of the table CloudAppEvents, and the audit records in them. Pure."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

from bypass_responder.errors import InputError
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.operation import BYPASS_OPERATION, folded
from bypass_responder.model.record import AuditRecord, Unreadable, excerpt
from bypass_responder.sensing.records.moments import read_moment
from bypass_responder.sensing.records.reader import read_records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_SAME = ("UserId", "Operation", "ObjectId", "CreationTime", "Parameters")
"""What two copies of a record without an Id have in common."""


class HuntedRow(Value):
    """One row. ``text`` is the audit record as the feed would have it; empty when the row has none."""

    id: str
    """The record's Id; without one, a hash of what makes it the same event."""
    at: Utc
    operation: str
    text: str


def hunted(row: Mapping[str, Any], *, read_at: datetime) -> HuntedRow:
    """Return the row. RawEventData may be an object or its text, and any name may have other capitals.

    A row without a readable Timestamp counts as of ``read_at``.
    """
    cells = {name.casefold(): cell for name, cell in row.items()}
    raw = cells.get("raweventdata")
    text = raw if isinstance(raw, str) else json.dumps(raw) if isinstance(raw, dict) else ""
    named = cells.get("recordid")
    return HuntedRow(
        id=named if isinstance(named, str) and named else _hash(raw, text or json.dumps(dict(row), default=str)),
        at=_moment(cells.get("timestamp")) or read_at,
        operation=str(cells.get("actiontype") or ""),
        text=text,
    )


def records_of(row: HuntedRow) -> list[AuditRecord | Unreadable]:
    """Return the record of a row, if detection reads its operation, or what is unreadable in it."""
    source = f"hunting row {row.id}"
    if row.text:
        return list(read_records(io.BytesIO(row.text.encode("utf-8", "replace")), source=source))
    nothing = Unreadable(
        reason="missing_field",
        detail="the row has no RawEventData",
        source=source,
        where=f"{row.at:%Y-%m-%d %H:%M:%SZ}",
        excerpt=excerpt(row.operation),
        names_cmdlet=folded(row.operation) == folded(BYPASS_OPERATION),
    )
    return [nothing]


def _hash(raw: object, text: str) -> str:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            raw = None
    if isinstance(raw, dict) and raw.get("Id"):
        return str(raw["Id"])
    same = [raw.get(name) for name in _SAME] if isinstance(raw, dict) else text
    return hashlib.sha256(json.dumps(same, sort_keys=True, default=str).encode()).hexdigest()


def _moment(given: object) -> datetime | None:
    try:
        return read_moment(given).at if isinstance(given, str) else None
    except InputError:
        return None
