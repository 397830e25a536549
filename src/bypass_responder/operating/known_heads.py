"""The log heads that checkpoints and copies name, in a temporary file, so that memory stays bounded."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class KnownHeads:
    """Target, number and hash of log entries. Close it to delete its file."""

    def __init__(self) -> None:
        """Open an empty one."""
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = OFF")
        self._rows.execute(
            "CREATE TABLE head (target TEXT, seq INTEGER, hash TEXT, PRIMARY KEY (target, seq)) WITHOUT ROWID"
        )

    def close(self) -> None:
        """Delete the file."""
        self._rows.close()

    def add(self, target: str, seq: int, digest: str) -> bool:
        """Keep a head. False, and nothing is kept, when another hash is known for it."""
        self._rows.execute("INSERT OR IGNORE INTO head VALUES (?, ?, ?)", (target, seq, digest))
        known = self._rows.execute("SELECT hash FROM head WHERE target = ? AND seq = ?", (target, seq)).fetchone()
        return bool(known == (digest,))

    def targets(self) -> set[str]:
        """Return every target that a head is known of."""
        return {target for (target,) in self._rows.execute("SELECT DISTINCT target FROM head")}

    def of(self, target: str) -> Iterator[tuple[int, str]]:
        """Yield number and hash of the target's heads, in the order of their numbers."""
        return self._rows.execute("SELECT seq, hash FROM head WHERE target = ? ORDER BY seq", (target,))
