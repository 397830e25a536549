"""Timer triggers: six-field NCRONTAB in UTC, one run at a time.

One run makes up for all missed occurrences.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from croniter import croniter

from sandbox.host.invocation import as_json, decoded, invoke, notification

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.host.index import HostedFunction

PAST_DUE_SECONDS = 1.0


def following(schedule: str, moment: datetime) -> datetime:
    """The first occurrence of a schedule after a moment. Both day fields must match, as in NCRONTAB."""
    occurrences = croniter(schedule, moment, ret_type=datetime, second_at_beginning=True, day_or=False)
    found: datetime = occurrences.get_next()
    return found


class TimerStatus:
    """When each timer last ran, kept in a file so that a restart knows what was missed.

    Without a file it is kept in memory.
    """

    def __init__(self, file: Path | None) -> None:
        """Read what an earlier host left; a file that it could not finish writing counts as none."""
        self._file = file
        self._last: dict[str, str] = {}
        if file is not None and file.exists():
            try:
                self._last = json.loads(file.read_text(encoding="utf-8"))
            except ValueError:
                notification("timer_status_unreadable", file=file)

    def last(self, name: str) -> datetime | None:
        """When the timer last ran, None when it never did."""
        return datetime.fromisoformat(self._last[name]) if name in self._last else None

    def ran(self, name: str, moment: datetime) -> None:
        """Record a run."""
        self._last[name] = moment.isoformat()
        if self._file is not None:
            unfinished = self._file.with_suffix(".new")
            unfinished.write_text(json.dumps(self._last), encoding="utf-8")
            unfinished.replace(self._file)


async def run_timer(function: HostedFunction, status: TimerStatus) -> None:
    """Fire the timer forever.

    A failed run is not repeated: the next occurrence is the next try, as in Azure.
    """
    schedule = str(function.trigger["schedule"])
    last = status.last(function.name) or datetime.now(UTC)
    while True:
        due = following(schedule, last)
        await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
        started = datetime.now(UTC)
        if started < due:  # the loop's clock may run a little ahead of the wall's
            continue
        past_due = (started - due).total_seconds() > PAST_DUE_SECONDS
        status.ran(function.name, started)
        request = _request(function, last=last, started=started, past_due=past_due)
        await _to_its_end(asyncio.create_task(invoke(function, request)))
        last = started


async def _to_its_end(run: asyncio.Task[Any]) -> None:
    """Wait for a run, also when the host is asked to stop meanwhile. Its end was logged."""
    try:
        await asyncio.wait([run])
    finally:
        await asyncio.gather(run, return_exceptions=True)


def _request(function: HostedFunction, *, last: datetime, started: datetime, past_due: bool) -> Any:  # noqa: ANN401
    schedule = str(function.trigger["schedule"])
    status = {"Last": last, "Next": following(schedule, started), "LastUpdated": last}
    return decoded(
        function, as_json({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due})
    )
