"""The timeline as rows with two times: when something happened, and when it was reported. Pure.

The second is the time of the report to the responder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.finding import RECORDS
from bypass_responder.model.step import StepKind
from bypass_responder.operating.incidents.proof import NAMES
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
    reports = {moment.evidence: moment for moment in moments if moment.kind is Kind.REPORTED and moment.evidence}
    found = []
    for moment in moments:
        if moment.kind is Kind.REPORTED:
            found += [] if moment.evidence else [_row(moment, moment)]
            continue
        report = reports.pop(moment.evidence, None) if moment.evidence else None
        found.append(_row(moment, report))
    found += [_row(report, report) for report in reports.values()]
    return tuple(sorted(found, key=lambda row: row.at))


def _row(moment: Moment, report: Moment | None) -> TimelineRow:
    known = report or moment
    return TimelineRow(
        at=moment.at,
        happened_at=None if moment is report else moment.at,
        reported_at=report.at if report else None,
        kind=moment.kind,
        what=_what(moment, report),
        source=known.source or "",
        who=moment.who or "",
        delay_seconds=report.latency_seconds if report else None,
        evidence=moment.evidence or "",
        link=known.link or "",
    )


def _what(moment: Moment, report: Moment | None) -> str:
    """Return the event; with its report where that says more than the record's id."""
    if report is None or report is moment or report.source in RECORDS:
        return _named(moment.what)
    return f"{moment.what}; {report.what}"


def _named(what: str) -> str:
    """Return the text with the name of a control as people are shown it."""
    kind, colon, rest = what.partition(": ")
    return f"{NAMES[StepKind(kind)]}: {rest}" if colon and kind in set(StepKind) else what
