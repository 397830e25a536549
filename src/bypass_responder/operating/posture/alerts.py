"""Which health alerts a read of the mailboxes raises. Pure.

The organization's switches have separate alerts, which each sweep raises: nothing is notified twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bypass_responder.model.base import counted, moment
from bypass_responder.posture.stored import complete_at

if TYPE_CHECKING:
    from bypass_responder.operating.posture.report import PostureReport
    from bypass_responder.posture.comparison_row import MailboxPosture
    from bypass_responder.posture.stored import PostureRead

WEEK = timedelta(days=7)
MANY = 10
"""Mailboxes that changed since the last read of their type; fewer are in the report only."""
MOST_NAMED = 3
ALERTS = ("posture_drift", "posture_default_left", "posture_partial")


def alerts_of(report: PostureReport, reads: Sequence[PostureRead], now: datetime) -> dict[str, str]:
    """Return the alerts with their details. ``reads``: those that are stored, this one included."""
    present: dict[str, str] = {}
    changed, left = _Named(), _Named()
    for row in report.found.rows:
        if not all(each.planned for each in row.changed):
            changed.add(row)
            if _left_default_set(row):
                left.add(row)
    since = f"since the read of {moment(report.found.compared_with)}" if report.found.compared_with else ""
    if changed.count >= MANY:
        present["posture_drift"] = f"The audit settings of {changed.count} mailboxes changed {since}: {changed}."
    if left.count:
        mailboxes = counted(left.count, "mailbox", "mailboxes")
        present["posture_default_left"] = f"{mailboxes} left Microsoft's default audit set {since}: {left}."
    if late := _partial_for_a_week(reads, now):
        present["posture_partial"] = late
    return present


def _left_default_set(row: MailboxPosture) -> bool:
    return any(each.property == "DefaultAuditSet" and "-" in each.text for each in row.changed)


class _Named:
    """Mailboxes, counted; the first ones by name."""

    def __init__(self) -> None:
        self.count = 0
        self._names: list[str] = []

    def add(self, row: MailboxPosture) -> None:
        self.count += 1
        if len(self._names) < MOST_NAMED:
            self._names.append(row.mailbox.name)

    def __str__(self) -> str:
        more = self.count - len(self._names)
        return ", ".join(self._names) + (f" and {more} more" if more else "")


def _partial_for_a_week(reads: Sequence[PostureRead], now: datetime) -> str:
    """Return since when no read was complete, with the last reason; empty within a week.

    Where no mailbox was ever read, the optional permission is not granted: no alert.
    """
    if not any(read.overview and read.overview.summary.mailboxes for read in reads):
        return ""
    last, *earlier = sorted(reads, key=lambda read: read.read_at, reverse=True)
    since = complete_at(last, earlier)
    if last.complete or since + WEEK > now:
        return ""
    problems = (*last.problems, *(last.overview.problems if last.overview else ()))
    return f"No read of the mailboxes was complete since {moment(since)}: {problems[0]}."
