"""What one poll of the audit feed works with."""

from __future__ import annotations

from bypass_responder.model.base import Utc, Value


class Window(Value):
    """A stretch of ``contentCreated``: start inclusive, end exclusive, at most 24 h when it is asked for."""

    start: Utc
    end: Utc


class ContentBlob(Value):
    """One blob of the feed's listing."""

    content_id: str
    uri: str
    created: Utc
    expires: Utc


class PendingBlob(Value):
    """A blob that could not be read yet, with its own retries until it expires."""

    blob: ContentBlob
    attempts: int
    next_at: Utc
    reason: str


class FeedGap(Value):
    """A stretch of the feed that was lost, with its bounds and the reason."""

    start: Utc
    end: Utc
    reason: str
    content_id: str = ""
    found_at: Utc


class FeedCursor(Value):
    """How far the feed was listed. ``etag`` is the row's; None before the first save."""

    first_start: Utc
    """Blobs created before this moment are first-run."""
    listed_through: Utc
    backlog: tuple[Window, ...] = ()
    """Windows that are still to be listed, oldest last; the newest is taken first, one a poll."""
    subscription_started_at: Utc | None = None
    worked_before: bool = False
    last_success_at: Utc | None = None
    last_new_blob_at: Utc | None = None
    failing_since: Utc | None = None
    etag: str | None = None
