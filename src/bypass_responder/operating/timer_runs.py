"""When each timer last ran well, where nothing else that it stores shows it.

`bypassctl doctor` compares these times with the schedules.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.errors import ResponderError
from bypass_responder.event_lines import write_line

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services

NOTED_EVERY = timedelta(minutes=10)
SCHEDULES = {
    "hunt_audit_events": "HUNTING_SCHEDULE",
    "gather_evidence": "EVIDENCE_SCHEDULE",
    "read_posture": "POSTURE_SCHEDULE",
}
"""The timers, and the setting of each. The feed's cursor, the sweep and the self-check stand for the others."""


async def note_run(timer: str, run: Awaitable[object], services: Services, checks: SelfChecks) -> None:
    """Wait for a timer's run, then store its time at most every ten minutes.

    A failure to store it does not fail the run.
    """
    await run
    now, last = services.clock(), checks.noted.get(timer)
    if last is not None and now - last < NOTED_EVERY:
        return
    try:
        await checks.store.save_run(timer, now)
    except ResponderError as problem:
        write_line("self_check_failed", logging.WARNING, error_class=type(problem).__name__)
        return
    checks.noted[timer] = now
