"""Once a day, who else than its owner opened each watched mailbox: counted by Defender, one query for each day.

Part of the timer ``gather_evidence``. A day is stored with all its rows, or read again: a crash repeats one day. Days
are read again until two days after their end, because records arrive late. It changes nothing but its own rows,
and raises a health alert when an actor opens a mailbox for the first time.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.bounded import limited
from bypass_responder.case.new_access import NewAccess, report_new_access
from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
)
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.feed import Window
from bypass_responder.model.mailbox_access import MOST_NAMED, AccessDay, AccessState, midnight
from bypass_responder.sensing.access.days import BACK, EVERY, due_days, reports
from bypass_responder.sensing.access.query import access_query
from bypass_responder.sensing.access.rows import read_rows
from bypass_responder.sensing.hunting.hunt import Off, has_rows, rows_within
from bypass_responder.session import change_health

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date, datetime

    from bypass_responder.model.mailbox_access import MailboxAccess
    from bypass_responder.services import Services

MOST_DAYS = 4
"""Of one run; the next run goes on."""
RUN_SECONDS = 120.0
"""No day is begun later in a run: a query may take three minutes."""
ASK_AGAIN = timedelta(hours=1)
"""After a refusal: no permission, license or table."""
MOST_REPORTED = 200
"""New actors of one day."""
HUNTING = "hunting"
NO_PROBLEM: Mapping[str, object] = {"next_at": None, "problem": "", "fix": "", "problem_since": None}
GRANT = "Grant ThreatHunting.Read.All: bypassctl grant --evidence ThreatHunting.Read.All"
CONNECT = "Defender for Cloud Apps with the app connector of Microsoft 365"


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


async def watch_mailbox_access(services: Services) -> None:
    """Read the days that are due, and delete what is too old. Raises what storage refuses, and a transient error."""
    state = await _up_to_date(await services.access.state(), services)
    mailboxes, now = services.settings.watched_mailboxes, services.clock()
    if not mailboxes or (state.next_at and state.next_at > now):
        return
    days = {each.day: each for each in await services.access.days((now - BACK).date())}
    if due := due_days(days, mailboxes, now)[:MOST_DAYS]:
        await _read(due, days, state, services)


async def _up_to_date(state: AccessState, services: Services) -> AccessState:
    """Note which mailboxes are watched; once a day, delete what is too old."""
    now, settings = services.clock(), services.settings
    changes: dict[str, object] = {"watched": tuple(sorted(settings.watched_mailboxes))}
    if not changes["watched"]:
        changes |= NO_PROBLEM
    if state.forgotten_at is None or state.forgotten_at <= now - EVERY:
        await services.access.forget_before((now - timedelta(days=settings.access_retention_days)).date())
        changes["forgotten_at"] = now
    return await _save(state, changes, services)


async def _save(state: AccessState, changes: Mapping[str, object], services: Services) -> AccessState:
    changed = state.model_copy(update=dict(changes))
    return await services.access.save(changed) if changed != state else state


async def _read(due: Collection[date], days: dict[date, AccessDay], state: AccessState, services: Services) -> None:
    """Read the days, and save what kept one from being read."""
    ends_at = asyncio.get_running_loop().time() + RUN_SECONDS
    try:
        mailboxes = await _resolved(services)
        for day in due:
            if asyncio.get_running_loop().time() >= ends_at:
                break
            await _read_day(day, days, mailboxes, services)
        await _save(state, {**NO_PROBLEM, "unresolved": mailboxes.unresolved}, services)
    except (*Off, RefusedError, ThrottledError) as refused:
        await _save(state, _after(refused, state, services.clock()), services)


def _after(refused: ResponderError, state: AccessState, now: datetime) -> dict[str, object]:
    """Return what is remembered of a refusal."""
    wait = timedelta(seconds=refused.retry_after_seconds) if isinstance(refused, ThrottledError) else ASK_AGAIN
    fixes = {PermissionMissingError: GRANT, NotFoundError: CONNECT}
    fix = fixes.get(type(refused), "It is asked again by itself; bypassctl doctor checks the rest")
    return {"next_at": now + wait, "problem": str(refused), "fix": fix, "problem_since": state.problem_since or now}


async def _resolved(services: Services) -> Mailboxes:
    """Return the watched mailboxes by user principal name. What the directory does not answer stays as it is."""
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


async def _read_day(day: date, days: dict[date, AccessDay], mailboxes: Mailboxes, services: Services) -> None:
    """Read one day, report who is new on it, and store it."""
    now = services.clock()
    window = Window(start=midnight(day), end=min(midnight(day) + EVERY, now))
    query = partial(access_query, mailboxes=mailboxes.object_ids)
    answered = await rows_within(services.hunting, window, query) if mailboxes.object_ids else []
    rows, unreadable = read_rows(answered, day, mailboxes.object_ids)
    silent = not answered and not await has_rows(services.hunting, window)
    read = days.get(day) or AccessDay(day=day, read_at=now, source=HUNTING, mailboxes=())
    changes = {"read_at": now, "mailboxes": mailboxes.asked, "silent": silent, "unreadable": unreadable}
    days[day] = read.model_copy(update=changes)
    new = await _new(rows, days, mailboxes, services)
    if new:
        await change_health(partial(report_new_access, found=new), services)
        reported = (*days[day].reported, *(each.pair for each in new))
        days[day] = days[day].model_copy(update={"reported": reported})
    await services.access.keep(days[day], rows)


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
