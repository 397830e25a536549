"""Stores a day of watched mailboxes, and reports who opened one for the first time.

The source of the day makes no difference.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.bounded import limited
from bypass_responder.case.new_access import MOST_NOTIFIED, NewAccess, report_new_access
from bypass_responder.errors import PermissionMissingError, RefusedError
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.mailbox_access import MOST_NAMED
from bypass_responder.sensing.access.days import reports
from bypass_responder.session import change_health

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from bypass_responder.model.mailbox_access import AccessDay, MailboxAccess
    from bypass_responder.services import Services

MOST_REPORTED = 200
"""New actors of one day."""


class Mailboxes(NamedTuple):
    """The watched mailboxes by the names that records have."""

    object_ids: Mapping[str, str]
    """User principal name in lower case → object id, empty where the directory does not know it."""
    names: Mapping[str, str]
    """User principal name in lower case → the name in the setting."""

    @property
    def unresolved(self) -> tuple[str, ...]:
        """The names of the setting that the directory does not know."""
        known = {self.names[upn] for upn, object_id in self.object_ids.items() if object_id}
        return tuple(name for name in self.asked if name not in known)

    asked: tuple[str, ...]


async def resolved(services: Services) -> Mailboxes:
    """Return the watched mailboxes by user principal name.

    What the directory does not answer stays as it is.
    """
    names = tuple(sorted(services.settings.watched_mailboxes))
    found = await asyncio.gather(*map(limited(partial(_found, services=services)), names))
    by_name = [(upn, object_id, name) for (upn, object_id), name in zip(found, names, strict=True) if upn]
    return Mailboxes({upn: one for upn, one, _ in by_name}, {upn: name for upn, _, name in by_name}, names)


async def _found(name: str, services: Services) -> tuple[str, str]:
    """Return user principal name and object id; an id that the directory does not know has no name."""
    try:
        account = await services.directory.find(name)
    except (PermissionMissingError, RefusedError):
        account = None
    if account:
        return account.user_principal_name.lower(), account.object_id
    return ("" if guid_or_none(name) else name), ""


async def keep_day(
    read: AccessDay,
    rows: Sequence[MailboxAccess],
    days: dict[date, AccessDay],
    mailboxes: Mailboxes,
    services: Services,
) -> None:
    """Store a day with its rows, after who is new on it was reported. ``days`` are all that are known."""
    days[read.day] = read
    if new := await _new(rows, days, mailboxes, services):
        for _ in range(0, len(new), MOST_NOTIFIED):
            await change_health(partial(report_new_access, found=new), services)
        reported = (*read.reported, *(each.pair for each in new))
        days[read.day] = read.model_copy(update={"reported": reported})
    await services.access.keep(days[read.day], rows)


async def _new(
    rows: Sequence[MailboxAccess], days: Mapping[date, AccessDay], mailboxes: Mailboxes, services: Services
) -> list[NewAccess]:
    """Return the actors that no earlier day of a mailbox had, and of whom nobody was notified."""
    now, read = services.clock(), days.values()
    reported = {pair for each in read for pair in each.reported}
    pairs: dict[str, list[MailboxAccess]] = {}
    for row in rows:
        if row.pair not in reported and reports(read, mailboxes.names[row.mailbox], row.day, now):
            pairs.setdefault(row.pair, []).append(row)
    known = await services.access.known(pairs, rows[0].day) if pairs else set()
    return [_as_new(pair, group) for pair, group in list(pairs.items())[:MOST_REPORTED] if pair not in known]


def _as_new(pair: str, rows: Sequence[MailboxAccess]) -> NewAccess:
    logons = " and ".join(sorted({f"{row.logon}" for row in rows}))
    operations = ", ".join(sorted(f"{row.operation} {row.count}" for row in rows)[:MOST_NAMED])
    addresses = ", ".join(dict.fromkeys(each for row in rows for each in row.addresses))
    text = f"as {logons} ({operations}{f'; from {addresses}' if addresses else ''})"
    first = min(row.first for row in rows)
    return NewAccess(pair=pair, mailbox=rows[0].mailbox, actor=rows[0].who, first=first, text=text)
