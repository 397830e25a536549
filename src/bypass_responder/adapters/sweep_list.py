"""The accounts of the last complete sweep, in columns of the row ``baseline``.

They are in columns because the console reads no blob.
"""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bypass_responder.adapters.table_rows import corrupt, row_or_none
from bypass_responder.model.sweep import Baseline, BaselineEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from azure.data.tables.aio import TableServiceClient

TABLE, ROW = "Feed", "baseline"
MOST_LISTED = 3000
"""Accounts in the row; those without an allowlist entry first."""
COLUMN_BYTES, COLUMNS = 60_000, 8
"""A column of a table holds 64 KiB, a row 1 MiB."""
UNREADABLE = (KeyError, ValueError, TypeError, EOFError, OSError, zlib.error)
"""Raised for a row that was edited by hand."""


def columns_of(entries: Iterable[BaselineEntry]) -> dict[str, bytes]:
    """Return the columns that list the accounts, as many as fit."""
    listed = sorted(entries, key=lambda each: (each.covered, each.name, each.object_id or ""))[:MOST_LISTED]
    packed = _packed(listed)
    while len(packed) > COLUMN_BYTES * COLUMNS:
        listed = listed[: len(listed) * 3 // 4]
        packed = _packed(listed)
    parts = range(0, len(packed), COLUMN_BYTES)
    return {f"Listed{number}": packed[start : start + COLUMN_BYTES] for number, start in enumerate(parts)}


def _packed(listed: list[BaselineEntry]) -> bytes:
    rows = [[each.object_id, each.name, each.on_since.isoformat(), each.covered] for each in listed]
    return gzip.compress(json.dumps(rows, separators=(",", ":"), ensure_ascii=False).encode(), mtime=0)


class SweepList:
    """Reads the row. Permission: Storage Table Data Reader."""

    def __init__(self, tables: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = tables.get_table_client(TABLE)
        self._tenant = tenant_id

    async def baseline(self) -> Baseline | None:
        """The last complete sweep with the accounts that the row lists, None before the first.

        Raises InputError when it is malformed.
        """
        row = await row_or_none(self._table, self._tenant, ROW, "the last complete sweep")
        if row is None:
            return None
        try:
            return _baseline(row)
        except UNREADABLE as problem:
            raise corrupt(row, TABLE, problem) from problem


def _baseline(row: Mapping[str, Any]) -> Baseline:
    stored: dict[str, Any] = json.loads(row["Body"])
    packed = b"".join(row[name] for name in (f"Listed{number}" for number in range(COLUMNS)) if name in row)
    listed = json.loads(gzip.decompress(packed))
    entries = {
        f"{number}": BaselineEntry(object_id, name, moment_of(since), covered)
        for number, (object_id, name, since, covered) in enumerate(listed)
    }
    return Baseline(
        command_id=str(stored["command_id"]),
        started_at=moment_of(stored["started_at"]),
        scanned=int(stored["scanned"]),
        entries=entries,
        first_at=moment_of(stored["first_at"]),
        moved_at=moment_of(stored["moved_at"]),
        left_out=int(row["On"]) - len(entries),
    )


def moment_of(text: str) -> datetime:
    """Return the time that a row or a list has as text."""
    return datetime.fromisoformat(text).astimezone(UTC)
