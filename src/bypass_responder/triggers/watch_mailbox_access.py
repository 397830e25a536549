"""Once a day, who other than its owner opened each watched mailbox, as counted by Defender.

Each query covers one day. Part of the timer ``gather_evidence``. A day is stored with all its rows, or read again: a
crash repeats one day. Days are read again until two days after their end, because records arrive late. Where hunting
refuses, the audit log is searched (``search_mailbox_access``). It changes nothing but its own rows, and raises a health
alert when an actor opens a mailbox for the first time.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
)
from bypass_responder.model.feed import Window
from bypass_responder.model.mailbox_access import AccessDay, AccessState, midnight
from bypass_responder.sensing.access.days import BACK, EVERY, due_days
from bypass_responder.sensing.access.query import access_query
from bypass_responder.sensing.access.rows import read_rows
from bypass_responder.sensing.hunting.hunt import Off, has_rows, rows_within
from bypass_responder.triggers.keep_mailbox_access import Mailboxes, keep_day, resolved
from bypass_responder.triggers.search_mailbox_access import Advanced, advance_search, begin_search

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from bypass_responder.services import Services

MOST_DAYS = 4
"""Of one run; the next run goes on."""
RUN_SECONDS = 120.0
"""No day is begun later in a run: a query may take three minutes."""
ASK_AGAIN = timedelta(hours=1)
"""After a refusal: no permission, license or table."""
HUNTING = "hunting"
NO_PROBLEM: Mapping[str, object] = {"next_at": None, "problem": "", "fix": "", "problem_since": None}
GRANT = "Grant ThreatHunting.Read.All: bypassctl grant --evidence ThreatHunting.Read.All"
CONNECT = "Defender for Cloud Apps with the app connector of Microsoft 365"


async def watch_mailbox_access(services: Services) -> None:
    """Read the days that are due, and delete what is too old.

    Raises what storage refuses, and a transient error.
    """
    state = await _up_to_date(await services.access.state(), services)
    mailboxes, now = services.settings.watched_mailboxes, services.clock()
    if not mailboxes or (state.next_at and state.next_at > now):
        return
    days = {each.day: each for each in await services.access.days((now - BACK).date())}
    due = due_days(days, mailboxes, now)[:MOST_DAYS]
    if due or state.search:
        await _read(due, days, state, services)


async def _up_to_date(state: AccessState, services: Services) -> AccessState:
    """Note which mailboxes are watched; once a day, delete what is too old."""
    now, settings = services.clock(), services.settings
    changes: dict[str, object] = {"watched": tuple(sorted(settings.watched_mailboxes))}
    if not changes["watched"]:
        changes |= {**NO_PROBLEM, "search": None}
    if state.forgotten_at is None or state.forgotten_at <= now - EVERY:
        await services.access.forget_before((now - timedelta(days=settings.access_retention_days)).date())
        changes["forgotten_at"] = now
    return await _save(state, changes, services)


async def _save(state: AccessState, changes: Mapping[str, object], services: Services) -> AccessState:
    changed = state.model_copy(update=dict(changes))
    return await services.access.save(changed) if changed != state else state


async def _read(due: Sequence[date], days: dict[date, AccessDay], state: AccessState, services: Services) -> None:
    """Read the days, and save what kept one from being read. A search that is under way goes on first."""
    ends_at = asyncio.get_running_loop().time() + RUN_SECONDS
    mailboxes = await resolved(services)
    state = await _save(state, {"unresolved": mailboxes.unresolved}, services)
    try:
        if state.search is None:
            await _hunt(due, days, mailboxes, ends_at, services)
            await _save(state, NO_PROBLEM, services)
            return
    except (*Off, RefusedError, ThrottledError) as refused:
        state = await _save(state, _after(refused, state, services.clock()), services)
        if not isinstance(refused, Off):
            return
    await _search(due, days, mailboxes, state, services)


async def _hunt(
    due: Sequence[date], days: dict[date, AccessDay], mailboxes: Mailboxes, ends_at: float, services: Services
) -> None:
    for day in due:
        if asyncio.get_running_loop().time() >= ends_at:
            break
        await _hunt_day(day, days, mailboxes, services)


async def _hunt_day(day: date, days: dict[date, AccessDay], mailboxes: Mailboxes, services: Services) -> None:
    now = services.clock()
    window = Window(start=midnight(day), end=min(midnight(day) + EVERY, now))
    query = partial(access_query, mailboxes=mailboxes.object_ids)
    answered = await rows_within(services.hunting, window, query) if mailboxes.object_ids else []
    rows, unreadable = read_rows(answered, day, mailboxes.object_ids)
    silent = not answered and not await has_rows(services.hunting, window)
    read = days.get(day) or AccessDay(day=day, read_at=now, source=HUNTING, mailboxes=())
    changes = {"read_at": now, "source": HUNTING, "mailboxes": mailboxes.asked, "incomplete": ()}
    read = read.model_copy(update={**changes, "silent": silent, "unreadable": unreadable})
    await keep_day(read, rows, days, mailboxes, services)


async def _search(
    due: Sequence[date], days: dict[date, AccessDay], mailboxes: Mailboxes, state: AccessState, services: Services
) -> None:
    """Begin a search of the audit log, or go on with it.

    Raises a transient error after the search is saved.
    """
    source = services.sources.get("mailbox_access")
    if source is None:
        return
    search = state.search or begin_search(due, days, mailboxes, services.clock())
    advanced = await advance_search(search, source, days, mailboxes, services)
    await _save(state, _after_search(advanced, state, services.clock()), services)
    if advanced.error and not isinstance(advanced.error, ThrottledError | PermissionMissingError):
        raise advanced.error


def _after_search(advanced: Advanced, state: AccessState, now: datetime) -> dict[str, object]:
    """Return what is remembered of a search. Where hunting and it are refused, both are."""
    search, error = advanced
    if isinstance(error, PermissionMissingError):
        refused = _after(error, state, now)
        both = f"{state.problem} The audit log: {error}" if state.problem else str(error)
        return {**refused, "problem": both, "fix": state.fix or GRANT, "search": None}
    if search.open:
        wait = timedelta(seconds=error.retry_after_seconds) if isinstance(error, ThrottledError) else None
        return {**NO_PROBLEM, "next_at": now + wait if wait else None, "search": search}
    if search.problem:
        since = state.problem_since or now
        refused = {"next_at": now + ASK_AGAIN, "problem": search.problem, "problem_since": since}
        return {**refused, "fix": GRANT, "search": None}
    return {**NO_PROBLEM, "search": None}


def _after(refused: ResponderError, state: AccessState, now: datetime) -> dict[str, object]:
    """Return what is remembered of a refusal."""
    wait = timedelta(seconds=refused.retry_after_seconds) if isinstance(refused, ThrottledError) else ASK_AGAIN
    fixes = {PermissionMissingError: GRANT, NotFoundError: CONNECT}
    fix = fixes.get(type(refused), "It is asked again automatically; bypassctl doctor checks the rest")
    return {"next_at": now + wait, "problem": str(refused), "fix": fix, "problem_since": state.problem_since or now}
