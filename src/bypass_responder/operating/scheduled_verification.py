"""The daily verification of the response log by the responder, whose result the console shows.

It covers what changed since the last one that found nothing. `bypassctl log verify` covers everything.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case.health_alerts import update_alerts
from bypass_responder.errors import ResponderError
from bypass_responder.event_lines import write_line
from bypass_responder.model.base import counted
from bypass_responder.model.self_check import LogVerification
from bypass_responder.operating.verify_log import verify_log
from bypass_responder.session import change_health

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services

EVERY = timedelta(days=1)
RETRY_AFTER = timedelta(hours=1)
"""The wait after a verification that did not end."""
LASTS_SECONDS = 120
MOST_PROBLEMS = 20


async def verify_when_due(services: Services, checks: SelfChecks) -> None:
    """Verify the log once a day.

    A verification that does not end is repeated an hour later, and stops nothing.
    """
    now = services.clock()
    if checks.verified_at is not None and now - checks.verified_at < EVERY:
        return
    try:
        last = await checks.store.last_verification()
        checks.verified_at = last.at if last else None
        if last is None or now - last.at >= EVERY:
            checks.verified_at = now - EVERY + RETRY_AFTER
            async with asyncio.timeout(LASTS_SECONDS):
                await _verify(services, checks, last, now)
            checks.verified_at = now
    except (ResponderError, TimeoutError) as problem:
        write_line("log_unverified", logging.WARNING, error_class=type(problem).__name__)


async def _verify(services: Services, checks: SelfChecks, last: LogVerification | None, now: datetime) -> None:
    """Verify the log, and notify before the result is stored: a run that is interrupted in between repeats both."""
    intact_at = last.intact_at if last else None
    since = ((intact_at or now) - EVERY).date()
    started = time.monotonic()
    found = await verify_log(services.ledger, services.checkpoints, since=since)
    seconds = round(time.monotonic() - started, 1)
    what = f"The verification of the response log found {counted(len(found.problems), 'problem')}. The first: "
    present = {"log_broken": what + found.problems[0]} if found.problems else {}
    await change_health(partial(update_alerts, present=present, known=("log_broken",)), services)
    await checks.store.save_verification(
        LogVerification(
            at=now,
            seconds=seconds,
            since=since,
            problems=tuple(found.problems[:MOST_PROBLEMS]),
            found=len(found.problems),
            logs=found.targets,
            entries=found.entries,
            checkpoints=found.checkpoints,
            last_checkpoint_at=found.last_checkpoint,
            intact_at=intact_at if found.problems else now,
        )
    )
    write_line("log_verified", problems=len(found.problems), count=found.entries)
