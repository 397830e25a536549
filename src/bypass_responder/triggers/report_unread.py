"""Notify of unread parts of the feed; request a sweep for bypasses that may be hidden in them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case import sweep_row
from bypass_responder.case.tasks import Task
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.record import Unreadable
from bypass_responder.session import change_if_needed, open_session

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.services import Services

_MOST_NAMED = 5
_OTHERS = "Audit records are unreadable"


async def report_unread(items: Iterable[Unreadable], services: Services) -> bool:
    """Notify of the items, and plan a sweep if some name the cmdlet. Returns True when it did so now.

    Once per set of items; of those that do not name it, there may be many sets, so at most once a minute.
    Called before the items are kept: a run that is interrupted in between repeats both.
    """
    unread = list(items)
    if not unread:
        return False
    naming = [item for item in unread if item.names_cmdlet]
    others = [item for item in unread if not item.names_cmdlet]
    command_id = services.new_id()

    def report(draft: Draft) -> None:
        if others:
            _report_others(draft, others)
        if naming and _report_naming(draft, naming):
            sweep_row.plan(draft, command_id=command_id, timeout_seconds=services.settings.sweep_timeout_seconds)

    return await change_if_needed(await open_session(TENANT_TARGET, services), report, services)


def _report_others(draft: Draft, others: Sequence[Unreadable]) -> None:
    lately = draft.now - timedelta(minutes=1)
    if any(note.title == _OTHERS and note.created_at > lately for note in draft.case.rows(Notification)):
        return
    if draft.notify(
        "unreadable",
        _OTHERS,
        "They are kept, and no action was taken.",
        key=_digest(others),
        left_to_do=(Task("Read them: an attacker may have made a record unreadable on purpose", "bypassctl status"),),
    ):
        draft.log("unreadable", "records are unreadable; they are kept")


def _report_naming(draft: Draft, naming: Sequence[Unreadable]) -> bool:
    """Return False when people were notified of these before."""
    places = "; ".join(f"{item.source} {item.where}: {item.reason}" for item in naming[:_MOST_NAMED])
    new = draft.notify(
        "unreadable",
        f"{len(naming)} unread parts of the audit feed name the cmdlet that switches audit bypass",
        f"A bypass may be in them. A sweep was requested; it detects a bypass that is on. {places}",
        key=_digest(naming),
        severity=Severity.CRITICAL,
        left_to_do=(
            Task("Read them: an attacker may have made a record unreadable on purpose", "bypassctl status"),
            Task("Check the accounts that they name: a sweep does not detect a bypass that is off again"),
        ),
    )
    if new:
        draft.log("unreadable", f"{len(naming)} unread parts of the feed name the cmdlet", count=len(naming))
    return new


def _digest(items: Iterable[Unreadable]) -> str:
    texts = "|".join(f"{item.source} {item.where} {item.excerpt}" for item in items)
    return hashlib.sha256(texts.encode()).hexdigest()
