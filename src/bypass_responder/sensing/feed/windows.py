"""The windows of the feed that a poll lists: the newest first, then one of the backlog. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bypass_responder.model.feed import FeedCursor, Window

OVERLAP = timedelta(hours=2)
"""A blob may be listed after its contentCreated: every poll lists this much again, see ``earlier`` for the rest."""
LONGEST = timedelta(hours=24)
RETRIEVABLE = timedelta(days=7) - timedelta(minutes=10)
"""The service takes no start of more than 7 days ago; its clock may be a little ahead of ours."""
LOOK_BACK = timedelta(days=7) - timedelta(hours=2)
"""Of the first poll. Its oldest window is read six polls later and must not have expired: 15 minutes may be between."""


@dataclass(frozen=True)
class Plan:
    """The windows to list now. ``backlog``: still to list, newest first. ``lost``: no longer retrievable."""

    newest: Window
    backlog: tuple[Window, ...]
    lost: tuple[Window, ...]


def whole_second(moment: datetime) -> datetime:
    """The moment without its fraction: the service takes bounds in whole seconds."""
    return moment.replace(microsecond=0)


def plan(cursor: FeedCursor, now: datetime) -> Plan:
    """Return the newest window, from the cursor less the overlap, at most 24 h; the rest is backlog.

    A cursor far in the future proves nothing about what was listed (a clock was wrong): then the last 24 h.
    """
    now = whole_second(now)
    reached = cursor.listed_through if cursor.listed_through <= now + OVERLAP else now - LONGEST
    behind = min(reached, now) - OVERLAP
    newest = Window(start=max(behind, now - LONGEST), end=now)
    owed = (*_cut(behind, newest.start), *cursor.backlog)
    return Plan(
        newest=newest,
        backlog=tuple(window for window in owed if window.end > now - RETRIEVABLE),
        lost=tuple(window for window in owed if window.end <= now - RETRIEVABLE),
    )


def earlier(now: datetime) -> tuple[Window, Window]:
    """What is listed again once an hour, for a blob that was listed hours after its contentCreated.

    The last 24 hours before the overlap, and one of the seven days before today, another one each hour.
    """
    now = whole_second(now)
    end = now.replace(hour=0, minute=0, second=0) - now.hour % 7 * LONGEST
    older = Window(start=max(end - LONGEST, now - RETRIEVABLE), end=end)
    return Window(start=now - LONGEST, end=now - OVERLAP), older


def still_there(window: Window, now: datetime) -> Window:
    """The part of a window that ends less than 7 days ago which can still be asked for."""
    return Window(start=max(window.start, whole_second(now - RETRIEVABLE)), end=window.end)


def _cut(start: datetime, end: datetime) -> list[Window]:
    """Return windows of at most 24 h, newest first, cut from the start: a later poll cuts the same."""
    windows: list[Window] = []
    while start < end:
        windows.insert(0, Window(start=start, end=min(start + LONGEST, end)))
        start += LONGEST
    return windows
