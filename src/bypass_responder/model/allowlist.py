"""The responder's last read of each allowlist row and of the whole table, for detecting changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, StringConstraints

from bypass_responder.model.base import Row, Stored, Utc, Value, guid_or_none
from bypass_responder.model.message import Guid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

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
    comparison: int = 0
    """Number of the comparison that recorded it: one with a lower number read the table before, and does not."""
    gone_at: Utc | None = None
    """When the row was found to be removed: a run that had read it before does not record it again."""
    digest: str = ""
    """Of the columns, as an approval has it."""
    earlier: tuple[Utc, Utc] | None = None
    """From when to when an entry of the account was in force before the present one."""
    earlier_approved: tuple[Utc, Utc] | None = None
    """The same where ``ALLOWLIST_APPROVAL`` is required: of an entry that was approved as it was."""
    edit_id: str = ""
    """As the row has it, like ``edited_by`` and ``via``."""
    edited_by: str = ""
    via: str = ""
    used_at: Utc | None = None
    """When the entry first exempted the account."""
    approval: Approval | None = None

    @property
    def handle(self) -> str:
        """Short and safe in a key, whatever was typed."""
        return "entry" if guid_or_none(self.id) == self.id else hashlib.sha256(self.id.encode()).hexdigest()[:24]


class EditAction(StrEnum):
    """What a person did to an entry."""

    ADD = "add"
    SET = "set"
    EXTEND = "extend"
    REMOVE = "remove"
    UNDO = "undo"
    IMPORT = "import"
    REVIEW = "review"


LONGEST_COLUMN = 2000
"""Characters of a column in a message; tools write no longer ones."""
MOST_EDITS = 100
"""Rows in one message, and in one transaction of Table Storage."""
Columns = Annotated[
    dict[
        Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")],
        Annotated[str, StringConstraints(max_length=LONGEST_COLUMN)],
    ],
    Field(max_length=20),
]


class EditedRow(Value):
    """One row before and after an edit; None where there was, or is, no row."""

    object_id: Guid
    edit_id: Guid
    before: Columns | None = None
    after: Columns | None = None


class AllowlistEdit(Value):
    """An edit of the allowlist that a tool has made, as it reports it."""

    action: EditAction
    via: Annotated[str, StringConstraints(pattern=r"^[a-z]{1,20}$")]
    """The tool: bypassctl, console or api."""
    plan: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{0,64}$")] = ""
    """With import: the plan id, which begins with the hash of the file."""
    rows: Annotated[tuple[EditedRow, ...], Field(min_length=1, max_length=MOST_EDITS)]


@dataclass(frozen=True)
class Snapshot:
    """The ETag of each allowlist row at the last run. ``etag``: the snapshot's own, None when new."""

    rows: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None
    digest_at: datetime | None = None
    """When people were last sent the entries that expire."""
    comparison: int = 0
    """Number of the run's comparison; each is greater than the one before."""
