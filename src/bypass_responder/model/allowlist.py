"""The responder's last read of each allowlist row and of the whole table, for detecting changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from bypass_responder.model.base import Row, Stored, Utc, guid_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRY_KEY = "allowlist-entry"
"""The row key for the row under the account's own object id."""


class Approval(Stored):
    """A person's approval of one row, as it was."""

    sha256: str
    """Of the approved row: see ``AllowlistEntry.digest``."""
    by: str
    since: Utc
    """Since when the account has had an approved entry, edits that were approved later included."""


class SeenRow(Row):
    """An allowlist row as last read, in the case of the account that its key names or in the tenant's.

    It never exempts an account: without a valid row in the table it counts for nothing.
    """

    kind: ClassVar[str] = "allowlist"
    key: ClassVar[str] = "allowlist-{row.handle}"
    id: str
    """Of the row in the table: the object id, or the keys of a misspelled row."""
    etag: str
    columns: dict[str, str]
    edited_at: Utc | None = None
    valid_since: Utc | None = None
    """Since when the account has had a valid row without interruption; None: this row cannot be read."""
    valid_until: Utc | None = None
    compared: bool = True
    """False: read for a decision alone. The row may be gone again before a comparison has seen it."""
    gone_at: Utc | None = None
    """When the row was found to be removed: a run that had read it before does not record it again."""
    used_at: Utc | None = None
    """When the entry first exempted the account."""
    approval: Approval | None = None

    @property
    def handle(self) -> str:
        """Short and safe in a key, whatever was typed."""
        return "entry" if guid_or_none(self.id) == self.id else hashlib.sha256(self.id.encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Snapshot:
    """The ETag of each allowlist row at the last run. ``etag``: the snapshot's own, None when new."""

    rows: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
