"""Part of the timer ``resume_responses``: record changed rules and visit the cases they concern.

Visiting means that the scheduler settles them, where ``handling.follow_rules`` does the rest. A run that is interrupted
is repeated. Only the record and its notification must happen exactly once: they are one transaction.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case.rules import in_force, record_rules, record_visits
from bypass_responder.model.incident_status import UNFINISHED, IncidentStatus
from bypass_responder.session import change_if_needed

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.services import Services
    from bypass_responder.session import Session

VISITS_PER_RUN = 200


async def follow_settings(session: Session, services: Services, *, started: datetime) -> None:
    """Compare the settings with those of the last run. ``session`` is of the tenant's own case.

    A run that ``started`` before the last change may have old settings: it leaves the record as it is.
    """
    settings = services.settings
    known, mode, protected = in_force(session.case), settings.mode.value, sorted(settings.protected)
    if known is not None and known.since > started:
        return
    if known is None:
        await session.apply(partial(record_rules, mode=mode, protected=protected))
    elif known.mode != mode or known.protected != tuple(protected):
        await _visit({*protected} ^ {*known.protected}, services)
        observed = await _observed(services) if known.mode != mode and settings.enforce else []
        record = partial(record_rules, mode=mode, protected=protected, observed=observed)
        await change_if_needed(session, record, services)
    known = in_force(session.case)
    if known and known.visit_from and known.visit_from <= services.clock():
        targets, before = await _unfinished(services, known.visit_before)
        await _visit(targets, services)
        await session.apply(partial(record_visits, mode=mode, before=before))


async def _observed(services: Services) -> list[str]:
    """Return the account of every incident that was decided in observe, newest first."""
    return [entry.account async for entry in services.index.newest(statuses=(IncidentStatus.OBSERVED,))]


async def _unfinished(services: Services, before: datetime | None) -> tuple[set[str], datetime | None]:
    """Return targets of unfinished incidents opened before a moment, and the moment to continue from."""
    targets: set[str] = set()
    last: datetime | None = None
    async for entry in services.index.newest(statuses=tuple(UNFINISHED)):
        if before is not None and entry.at >= before:
            continue
        if len(targets) >= VISITS_PER_RUN and entry.at != last:
            return targets, last
        targets.add(entry.target)
        last = entry.at
    return targets, None


async def _visit(targets: set[str], services: Services) -> None:
    touch = limited(partial(services.work.touch, due_at=services.clock()))
    await asyncio.gather(*(touch(target) for target in sorted(targets)))
