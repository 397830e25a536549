"""What a verification of the response log covered, as a document.

The document is to be kept outside of the storage account.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

from bypass_responder import __version__
from bypass_responder.model.base import Utc, Value

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.operating.verify_log import Verification


class Attestation(Value):
    """The result of `bypassctl log verify`: range, checkpoint, ends of the logs, by whom, when."""

    format: Literal["bypass-responder/log-attestation/1"] = "bypass-responder/log-attestation/1"
    verified_at: Utc
    verified_by: str
    version: str
    """Of bypassctl."""
    since: date | None
    """None: everything. Otherwise what is older was trusted, not verified."""
    compared_with_copy: bool
    intact: bool
    """True: nothing was changed, deleted or cut, up to the last checkpoint."""
    problems: tuple[str, ...]
    logs: int
    """Accounts, and the tenant."""
    entries: int
    checkpoints: int
    torn_lines: int
    first_checkpoint: int
    last_checkpoint: int
    last_checkpoint_hash: str
    last_checkpoint_at: Utc | None
    """Deletions after it cannot be detected."""
    heads: dict[str, tuple[int, str]]
    """Object id, or the word tenant, to the number and the hash of its last entry. Empty within a report."""


def attest(
    found: Verification, *, at: datetime, by: str, since: date | None = None, compared: bool = False
) -> Attestation:
    """Return the document of a verification."""
    return Attestation(
        verified_at=at,
        verified_by=by,
        version=__version__,
        since=since,
        compared_with_copy=compared,
        intact=not found.problems,
        problems=tuple(found.problems),
        logs=found.targets,
        entries=found.entries,
        checkpoints=found.checkpoints,
        torn_lines=found.torn_lines,
        first_checkpoint=found.first_checkpoint_seq,
        last_checkpoint=found.last_checkpoint_seq,
        last_checkpoint_hash=found.last_checkpoint_hash,
        last_checkpoint_at=found.last_checkpoint,
        heads=found.heads or {},
    )
