"""What is not known of the access to watched mailboxes in a period, and why. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.base import counted
from bypass_responder.sensing.access.days import known_since

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from bypass_responder.model.mailbox_access import AccessDay, AccessFilter, AccessState

DAY = timedelta(days=1)
MOST_RANGES = 10


def gaps_of(
    days: Sequence[AccessDay], state: AccessState, watched: Sequence[str], wanted: AccessFilter
) -> Iterator[str]:
    """Yield what is missing: days, days of single mailboxes, mailboxes without a known name, rows."""
    period = _period(wanted)
    read = {each.day: each for each in days if each.day in period}
    if missing := _ranges(day for day in period if day not in read):
        yield f"not read: {missing}"
    if silent := _ranges(day for day, each in sorted(read.items()) if each.silent):
        yield f"the source had no record of Exchange at all: {silent}"
    for name in watched:
        first, all_first = known_since(read.values(), name), min(read, default=None)
        if all_first and (first is None or first > all_first):
            yield f"{name}: {f'nothing before {first}' if first else 'not read yet'}"
    for name in sorted({name for each in read.values() for name in each.incomplete}):
        cut = _ranges(day for day, each in sorted(read.items()) if name in each.incomplete)
        yield f"{name} has more records than were read, the owner's among them: {cut}"
    if state.search and state.search.open:
        waiting = counted(len(state.search.open), "mailbox", "mailboxes")
        yield f"the audit log is still searched for {state.search.first} to {state.search.last}: {waiting}"
    if state.unresolved:
        yield f"the directory does not know {', '.join(state.unresolved)}: records have user principal names only"
    if unreadable := sum(each.unreadable for each in read.values()):
        yield f"{counted(unreadable, 'row')} of the source could not be read"


def _period(wanted: AccessFilter) -> list[date]:
    last = (wanted.until - timedelta(microseconds=1)).date()
    first = wanted.since.date()
    return [first + number * DAY for number in range((last - first).days + 1)]


def _ranges(days: Iterable[date]) -> str:
    """Return days as ranges, such as ``2026-03-01 to 2026-03-04, 2026-03-09``; the first of many."""
    found: list[list[date]] = []
    for day in days:
        if found and day - found[-1][1] == DAY:
            found[-1][1] = day
        else:
            found.append([day, day])
    more = f" and {counted(len(found) - MOST_RANGES, 'more range')}" if len(found) > MOST_RANGES else ""
    return ", ".join(f"{one}" if one == end else f"{one} to {end}" for one, end in found[:MOST_RANGES]) + more
