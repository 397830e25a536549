"""Which days of watched mailboxes are read next, and since when a mailbox is known. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date, datetime

    from bypass_responder.model.mailbox_access import AccessDay

BACK = timedelta(days=29)
"""How far back a mailbox is read that was not watched before: hunting keeps 30 days."""
EVERY = timedelta(days=1)
"""A day is read again so often until it is settled."""
SETTLED = timedelta(days=2)
"""After the end of a day: records arrive late."""
HISTORY = timedelta(days=7)
"""How long a mailbox must be known before an actor counts as new."""


def due_days(days: Mapping[date, AccessDay], mailboxes: Collection[str], now: datetime) -> list[date]:
    """Return the days to read, oldest first: not read, not of every mailbox, or not settled."""
    today = now.date()
    span = [today - timedelta(days=number) for number in range(BACK.days, -1, -1)]
    return [day for day in span if _is_due(days.get(day), mailboxes, now)]


def _is_due(known: AccessDay | None, mailboxes: Collection[str], now: datetime) -> bool:
    if known is None or set(mailboxes) - {*known.mailboxes}:
        return True
    settled = known.read_at >= known.ended_at + SETTLED
    return not settled and known.read_at <= now - EVERY


def known_since(days: Iterable[AccessDay], mailbox: str) -> date | None:
    """Return the first day that is known of a mailbox, as the setting names it; None where there is none."""
    return min((each.day for each in days if mailbox in each.mailboxes and not each.silent), default=None)


def reports(days: Iterable[AccessDay], mailbox: str, day: date, now: datetime) -> bool:
    """Return True if a new actor on this day is notified: it is recent, and the week before it is known."""
    known = known_since(days, mailbox)
    recent = day >= (now - SETTLED - EVERY).date()
    return recent and known is not None and day - known >= HISTORY
