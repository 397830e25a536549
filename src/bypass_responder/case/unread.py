"""An account that cannot be read: what is due is not done, and what was done is not proven. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.health_alerts import raise_alert

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.errors import UnreadError
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


def report_unread(draft: Draft, unread: Sequence[UnreadError]) -> None:
    """Raise one alert for all accounts; notify again for another first one, and whenever their number has doubled."""
    if not unread:
        return
    first = min(unread, key=lambda each: (each.since, each.target))
    extent = f"{first.target}-{len(unread).bit_length()}"
    raise_alert(draft, "accounts_unread", f"{len(unread)} in all; {first}", extent=extent)
