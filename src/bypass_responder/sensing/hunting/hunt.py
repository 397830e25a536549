"""One run of the hunting sensor: which rows are new, and what the run says about the sensor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
)
from bypass_responder.model.base import record_key
from bypass_responder.model.feed import Window
from bypass_responder.model.hunting import HuntingState
from bypass_responder.sensing.hunting.query import ROWS, any_row_query, records_query
from bypass_responder.sensing.hunting.rows import HuntedRow, hunted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from bypass_responder.ports import Hunting

OVERLAP = timedelta(hours=24)
"""What each run reads: rows come late, and keep the time of their event."""
LONG_OVERLAP = timedelta(days=7)
"""What one run a day reads."""
ASK_AGAIN = timedelta(hours=1)
"""How long a sensor rests that has no permission, license or table."""
PATIENCE = timedelta(hours=1)
"""How long runs may fail before that is a problem."""
SHORTEST = timedelta(seconds=1)
"""A window that is not divided any more."""

Off = (PermissionMissingError, NotFoundError)
"""The tenant has no permission, license or table for this sensor."""


@dataclass(frozen=True)
class Hunt:
    """What a run read.

    ``rows`` are those that no run has brought before; ``state`` is to be saved after them.
    """

    state: HuntingState
    rows: Sequence[HuntedRow] = ()
    listed: int = 0
    error: ResponderError | None = None


def is_due(state: HuntingState, now: datetime) -> bool:
    """Return False while the sensor is off, or the service asked it to wait."""
    return state.next_at is None or state.next_at <= now


def window_of(state: HuntingState, now: datetime) -> Window:
    """Return what the next run reads: a day, and once a day a week."""
    last = state.days_read_at
    long = last is None or now - last >= timedelta(days=1)
    return Window(start=now - (LONG_OVERLAP if long else OVERLAP), end=now)


async def hunt(
    hunting: Hunting, state: HuntingState, *, known: Collection[str], since: datetime, now: datetime
) -> Hunt:
    """Read the window, and return what is new in it. An error of the service is in the state.

    ``known``: keys (``record_key``) of rows that came before. ``since``: the responder's first start. Earlier events
    are left to the feed, which knows whether they were there before.
    """
    window = window_of(state, now)
    try:
        answered = await rows_within(hunting, window)
        alive = bool(answered) or await has_rows(hunting, Window(start=now - OVERLAP, end=now))
    except ResponderError as error:
        return Hunt(_after_error(state, error, now), error=error)
    rows = {row.id: row for row in (hunted(each, read_at=now) for each in answered)}
    changes: dict[str, Any] = {
        "first_success_at": state.first_success_at or now,
        "last_success_at": now,
        "off_because": "",
        "off_since": None,
        "failing_since": None,
        "failure": "",
        "next_at": None,
        "empty_since": None if alive else state.empty_since or now,
        "days_read_at": now if window.end - window.start > OVERLAP else state.days_read_at,
    }
    new = [row for row in rows.values() if record_key(row.id) not in known and row.at >= since]
    return Hunt(state.model_copy(update=changes), new, listed=len(rows))


async def rows_within(
    hunting: Hunting, window: Window, query: Callable[[Window], str] = records_query
) -> list[Mapping[str, Any]]:
    """Return the rows of a window; of one with too many, those of its halves. Raises RefusedError."""
    found = list(await hunting.run(query(window), window))
    if len(found) < ROWS:
        return found
    half = (window.end - window.start) / 2
    if half < SHORTEST:
        raise RefusedError(f"More than {ROWS:,} rows at {window.start:%Y-%m-%d %H:%M:%SZ}: they cannot be divided.")
    middle = window.start + half
    earlier = await rows_within(hunting, Window(start=window.start, end=middle), query)
    return [*earlier, *await rows_within(hunting, Window(start=middle, end=window.end), query)]


async def has_rows(hunting: Hunting, window: Window) -> bool:
    """Return True when the table has any row of Exchange: without one, an empty answer proves nothing."""
    return bool(await hunting.run(any_row_query(window), window))


def _after_error(state: HuntingState, error: ResponderError, now: datetime) -> HuntingState:
    if isinstance(error, Off):
        off = {"off_because": str(error), "off_since": state.off_since or now, "next_at": now + ASK_AGAIN}
        return state.model_copy(update=off | {"failing_since": None, "failure": ""})
    wait = timedelta(seconds=error.retry_after_seconds) if isinstance(error, ThrottledError) else None
    failing = {"failing_since": state.failing_since or now, "failure": str(error)}
    return state.model_copy(update=failing | {"next_at": now + wait if wait else None})


def problems_of(state: HuntingState, now: datetime) -> dict[str, str]:
    """Return the problems of the sensor with their details. One that was never on has none."""
    found: dict[str, str] = {}
    if state.off_because and state.first_success_at:
        found["hunting_lost"] = f"Since {_at(state.off_since)}: {state.off_because}"
    if state.failing_since and now - state.failing_since >= PATIENCE:
        found["hunting_failing"] = f"Since {_at(state.failing_since)}: {state.failure}"
    if state.empty_since:
        found["hunting_silent"] = f"Since {_at(state.empty_since)} CloudAppEvents has no row of Exchange for a day."
    return found


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%SZ}" if moment else "an unknown time"
