"""The tables of advanced hunting: audit records of Exchange as rows of CloudAppEvents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLOUD_APP_EVENTS = "CloudAppEvents"


@dataclass(frozen=True)
class HuntingRow:
    """One row of a table: the time of its event, and when it appeared."""

    table: str
    at: datetime
    visible_at: datetime
    cells: dict[str, Any]


_WORKLOADS = frozenset({"Exchange", "SecurityComplianceCenter", "AzureActiveDirectory", "Azure"})


def rows_of(records: Sequence[object] | bytes, *, visible_at: datetime) -> Iterator[HuntingRow]:
    """The audit records as rows of CloudAppEvents; bytes of a broken blob are in no table."""
    for record in records if not isinstance(records, bytes) else ():
        if isinstance(record, dict) and record.get("Workload") in _WORKLOADS and moment_of(record.get("CreationTime")):
            yield _row(record, visible_at)


def _row(record: dict[str, Any], visible_at: datetime) -> HuntingRow:
    at = moment_of(record["CreationTime"]) or visible_at
    cells = {
        "Timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "ReportId": f"{record.get('Id')}_20893_0",
        "ActionType": record.get("Operation"),
        "AccountObjectId": record.get("TokenObjectId") or "",
        "RecordId": record.get("Id"),
        "RawEventData": record,
    }
    return HuntingRow(CLOUD_APP_EVENTS, at, visible_at, cells)


def moment_of(given: object) -> datetime | None:
    """Return a time in ISO 8601, of UTC where it has no zone; None for anything else."""
    try:
        at = datetime.fromisoformat(str(given))
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
