"""The timeline as rows with two times: when something happened, and when it was reported to the responder. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import Utc, Value
from bypass_responder.operating.timeline import Kind, Moment

if TYPE_CHECKING:
    from collections.abc import Sequence


class TimelineRow(Value):
    """One row. A state that was read, and an action, happened when it was read or done."""

    at: Utc
    """When it happened; where that is unknown, when it was reported."""
    happened_at: Utc | None
    """None: a source reported the bypass, and when it began is unknown."""
    reported_at: Utc | None
    """When a source reported it to the responder; None for what the responder read or did itself."""
    kind: Kind
    what: str
    source: str = ""
    who: str = ""
    delay_seconds: float | None = None
    """The detection delay of a report."""
    evidence: str = ""
    """The id of the finding."""
    link: str = ""


def rows(moments: Sequence[Moment]) -> tuple[TimelineRow, ...]:
    """Return the rows by time; an event and its report are one row."""
    reports = {moment.evidence: moment for moment in moments if moment.kind is Kind.REPORTED}
    found = []
    for moment in moments:
        if moment.kind is Kind.REPORTED:
            continue
        report = reports.pop(moment.evidence, None) if moment.evidence else None
        found.append(_row(moment, report))
    found += [_row(report, report) for report in reports.values()]
    return tuple(sorted(found, key=lambda row: row.at))


def _row(moment: Moment, report: Moment | None) -> TimelineRow:
    merged = report is not None and report is not moment
    return TimelineRow(
        at=moment.at,
        happened_at=None if moment is report else moment.at,
        reported_at=report.at if report else None,
        kind=moment.kind,
        what=f"{moment.what} ({report.what})" if merged and report else moment.what,
        source=(report or moment).source or "",
        who=moment.who or "",
        delay_seconds=report.latency_seconds if report else None,
        evidence=moment.evidence or "",
        link=(report or moment).link or "",
    )
