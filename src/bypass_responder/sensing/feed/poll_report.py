"""Results and problems of a poll: frozen values, and pure rules that derive problems from a cursor."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from bypass_responder.errors import FeedError, PermissionMissingError, ResponderError
from bypass_responder.model.base import Value, counted
from bypass_responder.model.feed import ContentBlob, FeedCursor, PendingBlob
from bypass_responder.model.record import AuditRecord, Unreadable

START_INTERVAL = timedelta(minutes=15)
"""The service refuses a second start before, and a start takes about as long until the listing knows of it."""
READS = 3
"""A blob that failed fewer times is no problem yet."""
PATIENCE = timedelta(minutes=15)
"""How long polls may fail before that is a problem."""
GRACE = timedelta(hours=12)
"""The first blobs may take this long after a subscription started."""

ProblemId = Literal[
    "subscription_missing",
    "subscription_disabled",
    "feed_silent",
    "poll_failing",
    "permission_lost",
    "permission_missing",
]
Subscription = Literal["started", "missing", "disabled"]


class BlobRecords(Value):
    """Relevant records and unreadable parts of a blob. A large blob comes in several of these."""

    blob: ContentBlob
    records: tuple[AuditRecord | Unreadable, ...]
    first_run: bool
    """The blob was created before our first start."""


class FeedProblem(Value):
    """A state of the feed that needs attention. Every poll reports it for as long as it lasts."""

    id: ProblemId
    detail: str


class PollReport(Value):
    """What one poll did. Counts are of this poll, ``pending`` of blobs that wait now."""

    listed: int = 0
    read: int = 0
    records: int = 0
    unreadable: int = 0
    """Unreadable input that was not kept before."""
    gaps: int = 0
    pending: int = 0
    subscription: Subscription | None = None
    """None when the poll had no reason to ask, or it was there."""
    error: str | None = None
    """``diagnostics()`` of what kept the poll from listing, or of another poll's having moved the cursor."""
    problems: tuple[FeedProblem, ...] = ()


def problems_of(
    cursor: FeedCursor,
    *,
    error: ResponderError | None,
    subscription: Subscription | None,
    waiting: Iterable[PendingBlob],
    silence: timedelta,
    now: datetime,
) -> tuple[FeedProblem, ...]:
    """Every problem that the cursor after the poll, and the poll's error, show."""
    found: list[FeedProblem] = []
    code = error.code if isinstance(error, FeedError) else None
    if code == "AF20022" and cursor.worked_before:  # before that, there was none to stop
        found.append(FeedProblem(id="subscription_missing", detail=_missing(subscription)))
    if code == "AF20023" or subscription == "disabled":
        found.append(FeedProblem(id="subscription_disabled", detail="An administrator disabled the subscription."))
    if isinstance(error, PermissionMissingError):
        found.append(
            FeedProblem(
                id="permission_lost" if cursor.worked_before else "permission_missing", detail=error.diagnostics()
            )
        )
    if error and cursor.failing_since and now - cursor.failing_since >= PATIENCE:
        detail = f"Polls fail since {cursor.failing_since:%Y-%m-%d %H:%M:%S}Z: {error.diagnostics()}"
        found.append(FeedProblem(id="poll_failing", detail=detail))
    late = [each for each in waiting if each.attempts >= READS and now - each.blob.created >= PATIENCE]
    if late and not error:
        detail = f"{counted(len(late), 'blob')} could not be read for 15 minutes: {late[0].reason}"
        found.append(FeedProblem(id="poll_failing", detail=detail))
    if not error and (since := _silent_since(cursor, silence=silence, now=now)):
        found.append(FeedProblem(id="feed_silent", detail=f"No new blob since {since:%Y-%m-%d %H:%M:%S}Z."))
    return tuple(found)


def _missing(subscription: Subscription | None) -> str:
    done = (
        "It was started again." if subscription == "started" else "It is started again 15 minutes after the last time."
    )
    return f"There was no subscription: it was stopped, and records from that time are lost. {done}"


def _silent_since(cursor: FeedCursor, *, silence: timedelta, now: datetime) -> datetime | None:
    last = max(cursor.last_new_blob_at or cursor.first_start, cursor.first_start)
    started = cursor.subscription_started_at
    graced = started is not None and now - started < GRACE
    return last if now - last > silence and not graced else None
