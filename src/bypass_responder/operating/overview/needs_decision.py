"""What waits for a person: incidents, health alerts, allowlist entries that expire soon."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.listing import IndexEntry
from bypass_responder.operating.incidents.listing import needing_decision
from bypass_responder.operating.overview.health import ongoing_alerts
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from bypass_responder.services import Services

MOST_INCIDENTS = 50
MOST_EXPIRING = 50
EXPIRES_WITHIN = timedelta(days=30)


class NeedsDecision(Value):
    """The first page: incidents that are held or failed, oldest first; health; entries that expire."""

    read_at: Utc
    incidents: tuple[IndexEntry, ...]
    more_incidents: bool
    alerts: tuple[HealthAlert, ...]
    expiring: tuple[AllowlistEntry, ...]
    more_expiring: bool


async def read_needs_decision(services: Services) -> NeedsDecision:
    """Return what waits for a person now."""
    now = services.clock()
    waiting = await needing_decision(services, limit=MOST_INCIDENTS)
    tenant = (await open_session(TENANT_TARGET, services)).case
    entries = [entry async for entry in services.allowlist.entries() if isinstance(entry, AllowlistEntry)]
    expiring = sorted((it for it in entries if it.expires_at <= now + EXPIRES_WITHIN), key=lambda it: it.expires_at)
    return NeedsDecision(
        read_at=now,
        incidents=waiting.entries,
        more_incidents=waiting.next is not None,
        alerts=tuple(ongoing_alerts(tenant)),
        expiring=tuple(expiring[:MOST_EXPIRING]),
        more_expiring=len(expiring) > MOST_EXPIRING,
    )
