"""An account that cannot be read, or not in time: due work is not done, and what was done is not proven. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

UNREAD_FOR = timedelta(minutes=15)


def mark_read(draft: Draft, *, read: bool) -> None:
    """Remember since when the account cannot be read, until it was read: what is due is read until then."""
    head = draft.case.head
    if read == (head.unread_since is not None):
        draft.move_head(unread_since=None if read else draft.now)


def unread_since(case: Case, now: datetime) -> datetime | None:
    """Return since when the account cannot be read; None if that is less than ``UNREAD_FOR``."""
    since = case.head.unread_since
    return since if since is not None and now - since >= UNREAD_FOR else None
