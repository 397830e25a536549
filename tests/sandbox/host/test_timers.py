"""Timer triggers of the local host."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from sandbox.host.index import HostedFunction
from sandbox.host.timers import TimerStatus, following, run_timer

if TYPE_CHECKING:
    from pathlib import Path

    import azure.functions as func

EVERY_SECOND = "* * * * * *"


async def runs_of(schedule: str, status: TimerStatus, *, for_seconds: float, takes_seconds: float = 0) -> list[bool]:
    """Run a timer for a while; for each run, whether it was past due."""
    seen: list[bool] = []

    async def tick(timer: func.TimerRequest) -> None:
        seen.append(timer.past_due)
        await asyncio.sleep(takes_seconds)

    function = HostedFunction("tick", {"type": "timerTrigger", "name": "timer", "schedule": schedule}, tick)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(run_timer(function, status), for_seconds)
    return seen


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("*/2 * * * * *", "2026-01-02T03:04:06+00:00"),
        ("30 * * * * *", "2026-01-02T03:04:30+00:00"),
        ("0 */5 * * * *", "2026-01-02T03:05:00+00:00"),
        ("0 0 6 * * *", "2026-01-02T06:00:00+00:00"),
        ("0 0 6 13 * Fri", "2026-02-13T06:00:00+00:00"),  # both, where cron would take either
    ],
)
def test_a_schedule_is_read_as_ncrontab(schedule: str, expected: str) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    assert following(schedule, moment) == datetime.fromisoformat(expected)


async def test_a_timer_fires_on_time() -> None:
    assert await runs_of(EVERY_SECOND, TimerStatus(None), for_seconds=2.5) in ([False] * 2, [False] * 3)


async def test_missed_occurrences_are_made_up_for_by_one_run_which_is_past_due(tmp_path: Path) -> None:
    before = TimerStatus(tmp_path / "timers.json")
    before.ran("tick", datetime.now(UTC) - timedelta(hours=1))

    assert await runs_of("0 */5 * * * *", TimerStatus(tmp_path / "timers.json"), for_seconds=0.5) == [True]


async def test_a_timer_that_never_ran_has_missed_nothing() -> None:
    assert await runs_of("0 0 0 1 1 *", TimerStatus(None), for_seconds=0.2) == []


async def test_a_run_that_takes_longer_than_the_schedule_is_not_joined_by_another() -> None:
    assert len(await runs_of(EVERY_SECOND, TimerStatus(None), for_seconds=2.2, takes_seconds=3)) == 1


async def test_a_status_file_that_was_cut_off_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "timers.json").write_text('{"tick": "20')

    assert TimerStatus(tmp_path / "timers.json").last("tick") is None
