"""Delivery of the outbox. A failure never holds back a response: the notification stays and is retried."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.errors import RefusedError, ResponderError, ThrottledError
from bypass_responder.model.base import backoff
from bypass_responder.model.notification import Notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.ports import Notifier
    from bypass_responder.session import Services, Session

FLOOD = 10
"""At this many due notifications, one message carries many."""
LARGEST = 50
"""Notifications in one message: their rows fit into one transaction, and receivers take it."""
RETRY_LONGEST = timedelta(hours=1)
LONGEST_ASKED = timedelta(days=1)
"""The longest delay that a receiver can request for a notification."""


async def deliver(sessions: Sequence[Session], services: Services) -> None:
    """Send every due notification of these targets: one by one, or as one message in a flood."""
    due = [
        (session, notification)
        for session in sessions
        for notification in session.case.rows(Notification)
        if notification.sent_at is None
        and notification.next_at is not None
        and notification.next_at <= services.clock()
    ]
    if not due or services.notifier is None:
        return
    size = LARGEST if len(due) >= FLOOD else 1
    batches = [due[start : start + size] for start in range(0, len(due), size)]
    for batch in batches:
        error = await _send([notification for _, notification in batch], services.notifier)
        keys: dict[int, list[str]] = {}
        for session, notification in batch:
            keys.setdefault(id(session), []).append(notification.row_key)
        by_id = {id(session): session for session, _ in batch}
        await asyncio.gather(*(by_id[key].apply(partial(_mark, keys=keys[key], error=error)) for key in by_id))


async def _send(notifications: list[Notification], notifier: Notifier) -> ResponderError | None:
    """The error, None when it was delivered."""
    try:
        await notifier.send(notifications)
    except ResponderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - one odd notification holds back no other
        return RefusedError(f"The notification could not be sent: {type(error).__name__}: {error}")
    return None


def _mark(draft: Draft, keys: list[str], error: ResponderError | None) -> None:
    seconds = error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0
    asked = timedelta(seconds=min(seconds, LONGEST_ASKED.total_seconds()))
    for key in keys:
        notification = draft.case.row(Notification, key)
        if notification is None or notification.sent_at is not None:
            continue
        attempts = notification.attempts + 1
        if error:
            wait = max(asked, backoff(attempts, first=timedelta(seconds=30), longest=RETRY_LONGEST))
            changes: dict[str, object] = {"attempts": attempts, "next_at": draft.now + wait, "last_error": str(error)}
        else:
            changes = {"attempts": attempts, "sent_at": draft.now, "next_at": None, "last_error": ""}
        draft.put(notification.model_copy(update=changes))
