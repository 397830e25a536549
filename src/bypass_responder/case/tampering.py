"""A change of the tampering family: recorded, and notified once.

Nothing is repaired, and nobody is blocked for it.
"""

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
"""Notifications of one technique and severity in a day, of records and of alerts each; one more says so.

A script may change every mailbox. What alerts report is counted apart: it must not silence a record.
"""
_DAY = timedelta(days=1)


def record(draft: Draft, row: Tampering) -> None:
    """Record a change that is new, or of which less was known.

    It is notified if that was not notified already.
    """
    known = draft.case.row(Tampering, row.row_key)
    if known is not None and not _says_more(row, known):
        return
    draft.put(row)
    claimed = "an alert reports: " if row.source is Source.HINT else ""
    draft.log("tampering", f"{claimed}{row.actor}: {row.change}", record=row.id, technique=row.technique)
    if row.took_effect and not (known and _is_notified(draft, row, known)):
        _notify(draft, row)


def _says_more(row: Tampering, known: Tampering) -> bool:
    """Return True for a record of what an alert reported, or that shows success where failure was known."""
    if row.source is Source.HINT and known.source is not Source.HINT:
        return False
    confirms = known.source is Source.HINT and row.source is not Source.HINT
    return confirms or (row.took_effect and not known.took_effect)


def _is_notified(draft: Draft, row: Tampering, known: Tampering) -> bool:
    """Return True when people were notified of this very change.

    An alert may use the id of a record for another change.
    """
    return draft.notified("tampering", key=_key(known)) is not None and _gist(row) == _gist(known)


def _gist(row: Tampering) -> tuple[str, ...]:
    return row.technique, row.change, row.target, row.extent, str(row.took_effect), row.actor.described


def _key(row: Tampering) -> str:
    return f"alert-{row.id}" if row.source is Source.HINT else row.id


def repair_of(row: Tampering) -> Task:
    """Return what undoes a change."""
    return Task(*FAMILY[row.technique].repair(row))


def _notify(draft: Draft, row: Tampering) -> None:
    way = FAMILY[row.technique]
    if _notified_today(draft, row) >= MOST_EACH:
        _notify_of_many(draft, row)
        return
    where = f": {row.target}" if row.target else ""
    claimed = "Not confirmed, an alert reports it. " if row.source is Source.HINT else ""
    extent = f" {row.extent}." if row.extent else ""
    draft.notify(
        "tampering",
        f"{way.title}{where}",
        f"{claimed}{row.actor.described} ran {row.change} at {row.occurred_at:%Y-%m-%d %H:%M:%SZ} "
        f"({row.outcome.value}).{extent} {' '.join(filter(None, (way.meaning, way.read_by)))} No account was blocked.",
        key=_key(row),
        severity=severity_of(row),
        left_to_do=(repair_of(row), *contain_actors((row.actor,))),
        technique=row.technique,
        change=row.change,
        confirmed=row.source is not Source.HINT,
    )


def _notify_of_many(draft: Draft, row: Tampering) -> None:
    way, severity, confirmed = FAMILY[row.technique], severity_of(row), row.source is not Source.HINT
    reported, not_confirmed = ("", "") if confirmed else ("alerts report ", "Not confirmed. ")
    draft.notify(
        "tampering",
        f"{way.title}: {reported}more than {MOST_EACH} in a day",
        f"{not_confirmed}{way.meaning} Each change is recorded; no more notifications of this kind for a day.",
        key=f"{row.technique}-{severity}-{'record' if confirmed else 'alert'}-{draft.now:%Y-%m-%d}",
        severity=severity,
        left_to_do=(Task("Read them", "bypassctl status"), *contain_actors((row.actor,))),
    )


def _notified_today(draft: Draft, row: Tampering) -> int:
    return sum(
        each.about == "tampering"
        and (each.facts.get("technique"), each.severity) == (row.technique, severity_of(row))
        and each.facts.get("confirmed", True) is (row.source is not Source.HINT)
        and draft.now - each.created_at < _DAY
        for each in draft.case.rows(Notification)
    )
