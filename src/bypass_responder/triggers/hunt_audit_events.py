"""Timer ``hunt_audit_events``: read Defender's table of cloud events.

Its records are treated as those of the feed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case.health_alerts import update_alerts
from bypass_responder.errors import ConflictError
from bypass_responder.event_lines import write_line
from bypass_responder.handling.identify import Lookups
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.base import EARLIEST, record_key
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.feed import Window
from bypass_responder.model.finding import Source
from bypass_responder.model.hunting import Arrival
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.hunting.hunt import hunt, is_due, problems_of, window_of
from bypass_responder.sensing.hunting.rows import records_of
from bypass_responder.session import change_if_needed, open_session
from bypass_responder.triggers.report_unread import report_unread
from bypass_responder.triggers.store_records import store_records

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.model.hunting import HuntingState
    from bypass_responder.sensing.hunting.hunt import Hunt
    from bypass_responder.sensing.hunting.rows import HuntedRow
    from bypass_responder.services import Services

HUNTING_ALERTS = ("hunting_lost", "hunting_failing", "hunting_silent")
KEPT = timedelta(days=400)
"""How long it is kept when each sensor brought a record."""
_SLACK = timedelta(hours=1)
"""By which the time of a row may differ from that of its record."""


async def hunt_audit_events(services: Services) -> Hunt | None:
    """Run the sensor once; None when it is off or has to wait, or the feed has never been polled.

    Raises when storage fails or a target cannot be settled; the timer runs it again.
    """
    store, now = services.hunting_store, services.clock()
    state = await store.state()
    cursor = await services.feed_store.cursor() if is_due(state, now) else None
    if cursor is None:
        return None
    window = window_of(state, now)
    before = await store.arrivals(Window(start=window.start - _SLACK, end=window.end + _SLACK))
    known = {each.record_id for each in before if each.sensor == Source.HUNTING}
    found = await hunt(services.hunting, state, known=known, since=cursor.first_start, now=now)
    touched = await _handle(found.rows, now, services)
    await _save(found.state, window, services)
    touched += await _report_health(found.state, now, services)
    _write(found, touched)
    return found


async def _handle(rows: Sequence[HuntedRow], now: datetime, services: Services) -> int:
    """Store what the rows have, settle the targets, then note the arrivals.

    Returns the number of targets.
    """
    if not rows:
        return 0
    read = [(row, item) for row in rows for item in records_of(row)]
    records = [item for _, item in read if isinstance(item, AuditRecord)]
    unreadable = [(row, item) for row, item in read if isinstance(item, Unreadable)]
    lookups = Lookups(services)
    try:
        stored = await store_records(
            records,
            services,
            source="hunting",
            available_at=None,
            first_run=False,
            lookups=lookups,
            sensor=Source.HUNTING,
        )
        reported = await report_unread((item for _, item in unreadable), services)
        if unreadable:
            await services.feed_store.keep_unreadable((item for _, item in unreadable), received_at=now)
        touched = stored.targets | ({TENANT_TARGET} if reported else set())
        await settle_all(touched, services, lookups=lookups)
    finally:
        await lookups.aclose()
    seen = {each.record_id for each in stored.arrivals}
    others = [_arrival(row, now) for row, _ in read if record_key(row.id) not in seen]
    if arrivals := [*stored.arrivals, *others]:
        await services.hunting_store.note(arrivals)
    return len(touched)


def _arrival(row: HuntedRow, now: datetime) -> Arrival:
    """Return the arrival of a row that is no finding, so that the next runs pass it over."""
    at = max(row.at, EARLIEST)
    return Arrival(record_id=record_key(row.id), sensor=Source.HUNTING.value, occurred_at=at, arrived_at=now)


async def _save(state: HuntingState, window: Window, services: Services) -> None:
    """Save the state; once a day forget old arrivals. Of two runs at a time, the first one saves."""
    try:
        await services.hunting_store.save(state)
    except ConflictError:
        return
    if state.days_read_at == window.end:
        await services.hunting_store.forget_before(window.end - KEPT)


async def _report_health(state: HuntingState, now: datetime, services: Services) -> int:
    """Raise and end the alerts of this sensor. Returns 1 when the tenant's case changed."""
    session = await open_session(TENANT_TARGET, services)
    update = partial(update_alerts, present=problems_of(state, now), known=HUNTING_ALERTS)
    changed = await change_if_needed(session, update, services)
    if changed:
        await settle_all({TENANT_TARGET}, services)
    return int(changed)


def _write(found: Hunt, touched: int) -> None:
    """Write one line about the run. A sensor that was never on is not worth a warning."""
    state = found.state
    level = logging.WARNING if found.error and state.first_success_at else logging.INFO
    word = "off" if state.off_because else "failed" if found.error else "on"
    write_line("hunted", level, listed=found.listed, records=len(found.rows), targets=touched, state=word)
