"""Timer ``poll_audit_feed``: read the feed, store its records, settle the affected targets."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case.health_alerts import update_alerts
from bypass_responder.event_lines import write_line, write_ongoing
from bypass_responder.handling.identify import Lookups
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.hunting import Arrival
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.feed.poll import BlobRecords, PollReport, poll
from bypass_responder.session import change_if_needed, open_session, raise_health
from bypass_responder.triggers.report_unread import report_unread
from bypass_responder.triggers.store_records import store_records

if TYPE_CHECKING:
    from bypass_responder.model.feed import FeedGap
    from bypass_responder.services import Services

FEED_ALERTS = (
    "subscription_missing",
    "subscription_disabled",
    "feed_silent",
    "poll_failing",
    "permission_lost",
    "permission_missing",
)


async def poll_audit_feed(services: Services) -> PollReport:
    """Run one poll. Raises when storage fails or a target cannot be settled; the timer retries the run."""
    lookups = Lookups(services)
    touched: set[str] = set()
    arrivals: list[Arrival] = []
    unreadable = 0

    async def keep(batch: BlobRecords) -> None:
        nonlocal unreadable
        stored = await store_records(
            [record for record in batch.records if isinstance(record, AuditRecord)],
            services,
            source=batch.blob.content_id,
            available_at=batch.blob.created,
            first_run=batch.first_run,
            lookups=lookups,
        )  # first: trouble with the tenant's case, where the others are reported, holds back no finding
        if await report_unread((item for item in batch.records if isinstance(item, Unreadable)), services):
            touched.add(TENANT_TARGET)
        unreadable += stored.unreadable
        touched.update(stored.targets)
        arrivals.extend(stored.arrivals)

    async def report_gap(gap: FeedGap) -> None:
        lost = f"The feed of {gap.start:%Y-%m-%d %H:%M:%SZ} was lost: {gap.reason[:200]}"
        await raise_health("gap", f"{lost}. `bypassctl status` lists all that was lost.", services)
        touched.add(TENANT_TARGET)

    try:
        report = await poll(
            feed=services.feed,
            store=services.feed_store,
            keep=keep,
            report_gap=report_gap,
            now=services.clock(),
            silence=timedelta(hours=services.settings.feed_silence_hours),
        )
        if await _report_health(report, services):
            touched.add(TENANT_TARGET)
        await settle_all(touched, services, lookups=lookups)
        if arrivals:
            await services.hunting_store.note(arrivals)
    finally:
        await lookups.aclose()
    write_line(
        "polled",
        listed=report.listed,
        read=report.read,
        records=report.records,
        unreadable=report.unreadable + unreadable,
        gaps=report.gaps,
        pending=report.pending,
        problems=len(report.problems),
        targets=len(touched),
    )
    return report


async def _report_health(report: PollReport, services: Services) -> bool:
    """Raise and end health alerts, and log the ongoing ones. True when the tenant's case changed."""
    present: dict[str, str] = {problem.id: problem.detail for problem in report.problems}
    session = await open_session(TENANT_TARGET, services)
    changed = await change_if_needed(session, partial(update_alerts, present=present, known=FEED_ALERTS), services)
    for alert in session.case.rows(HealthAlert):
        if alert.ongoing:
            write_ongoing(alert)
    return changed
