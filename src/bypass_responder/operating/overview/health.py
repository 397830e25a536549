"""Whether the responder sees and works: alerts with fixes, the feed, the sweep, what is overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.feed import FeedCursor, FeedGap, PendingBlob
from bypass_responder.model.health import HealthAlert, Tampering
from bypass_responder.model.listing import IndexEntry
from bypass_responder.model.notification import Severity
from bypass_responder.operating.overview.access_problems import Fixable, access_problems
from bypass_responder.operating.posture.plan_runs import plan_text
from bypass_responder.operating.sensor_delays import SensorDelay
from bypass_responder.operating.status import SWITCHES, hunting_text, read_status, who_switched

if TYPE_CHECKING:
    from bypass_responder.model.case import Case
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services

WORST_FIRST = (Severity.CRITICAL, Severity.WARNING, Severity.INFO)


class SweepHealth(Value):
    """The sweep of all accounts. The counts are of the last complete one."""

    complete_at: Utc | None
    scanned: int
    on: int
    covered: int
    unknown_because: str
    """Why it is unknown which accounts are bypassed now; empty when it is known."""


class HuntingHealth(Value):
    """The hunting sensor."""

    works: bool
    text: str
    last_success_at: Utc | None
    first_success_at: Utc | None


class Switched(Value):
    """An audit switch of the organization that is weakened, and who did it."""

    alert: str
    detail: str
    who: str


class Health(Value):
    """The health page. Ongoing alerts are the worst first."""

    read_at: Utc
    state: Literal["healthy", "needs_attention"]
    alerts: tuple[HealthAlert, ...]
    recovered: tuple[HealthAlert, ...]
    switches: tuple[Switched, ...]
    tampering: tuple[Tampering, ...]
    feed: FeedCursor | None
    pending_blobs: tuple[PendingBlob, ...]
    gaps: tuple[FeedGap, ...]
    unreadable: int
    hunting: HuntingHealth
    sensor_delays: tuple[SensorDelay, ...]
    """How late feed and hunting brought the same records within 30 days; empty before hunting first worked."""
    sweep: SweepHealth
    posture_plan: str
    """The plan of mailbox changes that is under way, and how far it is; empty while none is."""
    protected_still_blocked: tuple[str, ...]
    waiting: tuple[IndexEntry, ...]
    undelivered_notifications: int
    accounts_with_pending_work: int
    self_check_at: Utc | None
    dead_letters: int | None
    poison_messages: dict[str, int]
    access: tuple[Fixable, ...]
    """What the app could not reach or was not allowed, at its last self-check."""


def ongoing_alerts(tenant: Case) -> list[HealthAlert]:
    """Return the ongoing alerts of the tenant's case, the worst first."""
    alerts = [alert for alert in tenant.rows(HealthAlert) if alert.ongoing]
    return sorted(alerts, key=lambda alert: (WORST_FIRST.index(alert.severity), alert.since))


async def read_health(services: Services, checks: SelfChecks) -> Health:
    """Return the health of the responder and of the tenant's auditing."""
    found = await read_status(services, checks)
    return Health(
        read_at=services.clock(),
        state="needs_attention" if found.bad_news else "healthy",
        alerts=tuple(found.alerts),
        recovered=tuple(found.recovered),
        switches=tuple(
            Switched(alert=alert.id, detail=alert.detail, who=who_switched(alert, found.switched))
            for alert in found.alerts
            if alert.id in SWITCHES
        ),
        tampering=tuple(found.tampering),
        feed=found.cursor,
        pending_blobs=tuple(found.pending),
        gaps=tuple(found.gaps),
        unreadable=len(found.unreadable),
        hunting=HuntingHealth(
            works=found.hunting.works,
            text=hunting_text(found.hunting),
            last_success_at=found.hunting.last_success_at,
            first_success_at=found.hunting.first_success_at,
        ),
        sensor_delays=found.delays,
        sweep=SweepHealth(
            complete_at=found.sweep.complete_at,
            scanned=found.sweep.scanned,
            on=found.sweep.on,
            covered=found.sweep.covered,
            unknown_because=found.doubt,
        ),
        posture_plan=plan_text(found.plan) if found.plan else "",
        protected_still_blocked=tuple(found.protected_blocked),
        waiting=tuple(found.waiting),
        undelivered_notifications=found.undelivered,
        accounts_with_pending_work=found.work,
        self_check_at=found.self_check.at if found.self_check else None,
        dead_letters=found.self_check.dead_letters if found.self_check else None,
        poison_messages=found.self_check.poison if found.self_check else {},
        access=tuple(access_problems(found.self_check)) if found.self_check else (),
    )
