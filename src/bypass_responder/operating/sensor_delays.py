"""How late each sensor brings a record, by the records that both brought. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import TYPE_CHECKING

from bypass_responder.model.base import Value
from bypass_responder.model.finding import RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.model.hunting import Arrival

LOOK_BACK = timedelta(days=30)
"""The records that are compared."""
MISSING_AFTER = timedelta(hours=24)
"""When the other sensor has not brought a record by then, it counts as missed."""
_PERCENT = 100
_HIGH = 95


class SensorDelay(Value):
    """One sensor of audit records. The delays count only records that every sensor of records brought."""

    sensor: str
    records: int
    median_minutes: float | None
    """None: there is no such record."""
    p95_minutes: float | None
    missed: int
    """Records that only another sensor brought, a day ago or earlier."""


def compare(arrivals: Iterable[Arrival], *, since: datetime, now: datetime) -> tuple[SensorDelay, ...]:
    """Return the delays of each sensor, of events at or after ``since``: when all of them had begun."""
    of_record: dict[str, dict[str, Arrival]] = {}
    for each in arrivals:
        if each.occurred_at >= since:
            of_record.setdefault(each.record_id, {})[each.sensor] = each
    sensors = sorted(source.value for source in RECORDS)
    both = [seen for seen in of_record.values() if all(sensor in seen for sensor in sensors)]
    return tuple(_delay(sensor, both, of_record.values(), now) for sensor in sensors)


def _delay(
    sensor: str, both: list[dict[str, Arrival]], every: Iterable[dict[str, Arrival]], now: datetime
) -> SensorDelay:
    minutes = [seen[sensor].delay_seconds / 60 for seen in both]
    missed = [
        seen
        for seen in every
        if sensor not in seen and all(now - each.occurred_at >= MISSING_AFTER for each in seen.values())
    ]
    return SensorDelay(
        sensor=sensor,
        records=len(minutes),
        median_minutes=round(median(minutes), 1) if minutes else None,
        p95_minutes=round(_p95(minutes), 1) if minutes else None,
        missed=len(missed),
    )


def _p95(minutes: list[float]) -> float:
    return quantiles(minutes, n=_PERCENT, method="inclusive")[_HIGH - 1] if len(minutes) > 1 else minutes[0]
