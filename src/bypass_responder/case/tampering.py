"""A change of the tampering family: recorded, and notified once. Nothing is repaired, and nobody is blocked for it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.tasks import Task, contain_actors
from bypass_responder.model.finding import Source
from bypass_responder.model.health import Tampering
from bypass_responder.model.notification import Notification
from bypass_responder.tampering.family import FAMILY, severity_of

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft

MOST_EACH = 5
"""Notifications of one technique in a day; one more says that there are more. A script may change every mailbox."""
_DAY = timedelta(days=1)


def record(draft: Draft, row: Tampering) -> None:
    """Record a change that is new, or of which only an alert was known. A new one that took effect is notified."""
    known = draft.case.row(Tampering, row.row_key)
    if known is not None and (known.source is not Source.HINT or row.source is Source.HINT):
        return
    draft.put(row)
    claimed = "an alert reports: " if row.source is Source.HINT else ""
    draft.log("tampering", f"{claimed}{row.actor}: {row.change}", record=row.id, technique=row.technique)
    if known is None and row.took_effect:
        _notify(draft, row)


def repair_of(row: Tampering) -> Task:
    """Return what undoes a change."""
    return Task(*FAMILY[row.technique].repair(row))


def _notify(draft: Draft, row: Tampering) -> None:
    way = FAMILY[row.technique]
    severity = severity_of(row)
    if _notified_today(draft, row) >= MOST_EACH:
        draft.notify(
            "tampering",
            f"{way.title}: more than {MOST_EACH} in a day",
            f"{way.meaning} Each change is recorded; no more notifications of this kind for a day.",
            key=f"{row.technique}-{draft.now:%Y-%m-%d}",
            severity=severity,
            left_to_do=(Task("Read them", "bypassctl status"), *contain_actors((row.actor,))),
        )
        return
    where = f": {row.target}" if row.target else ""
    claimed = "Not confirmed, an alert reports it. " if row.source is Source.HINT else ""
    extent = f" {row.extent}." if row.extent else ""
    draft.notify(
        "tampering",
        f"{way.title}{where}",
        f"{claimed}{row.actor.described} ran {row.change} at {row.occurred_at:%Y-%m-%d %H:%M:%SZ} "
        f"({row.outcome.value}).{extent} {' '.join(filter(None, (way.meaning, way.read_by)))} No account was blocked.",
        key=row.id,
        severity=severity,
        left_to_do=(repair_of(row), *contain_actors((row.actor,))),
        technique=row.technique,
        change=row.change,
    )


def _notified_today(draft: Draft, row: Tampering) -> int:
    return sum(
        each.about == "tampering"
        and each.facts.get("technique") == row.technique
        and draft.now - each.created_at < _DAY
        for each in draft.case.rows(Notification)
    )
