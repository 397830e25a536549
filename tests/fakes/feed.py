"""The audit feed and its memory, in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import datetime

from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.model.feed import ContentBlob, FeedCursor, FeedGap, PendingBlob, Window
from bypass_responder.model.record import Unreadable
from tests.fakes.scripted import Scripted


class FakeAuditFeed(Scripted):
    """``published`` is content id → (blob, bytes), listed in the order of publication."""

    def __init__(self) -> None:
        super().__init__()
        self.published: dict[str, tuple[ContentBlob, bytes]] = {}
        self.status: str | None = "enabled"
        self.windows: list[Window] = []

    def publish(self, blob: ContentBlob, body: bytes) -> ContentBlob:
        """Put a blob into the feed."""
        self.published[blob.content_id] = (blob, body)
        return blob

    async def subscription(self) -> str | None:
        self._called("subscription")
        return self.status

    async def start_subscription(self) -> None:
        self._called("start_subscription")
        self.status = "enabled"

    async def list_content(self, window: Window) -> AsyncIterator[ContentBlob]:
        self._called("list_content", window.start.isoformat())
        self.windows.append(window)
        for blob, _ in list(self.published.values()):
            if window.start <= blob.created < window.end:
                yield blob
        self._called("list_content", "the end")

    async def read(self, blob: ContentBlob) -> AsyncIterator[bytes]:
        self._called("read", blob.content_id)
        if blob.content_id not in self.published:
            raise NotFoundError(f"AF20050: there is no {blob.content_id}.")
        body = self.published[blob.content_id][1]
        middle = len(body) // 2
        yield body[:middle]
        self._called("read", f"the rest of {blob.content_id}")
        yield body[middle:]


class FakeFeedStore(Scripted):
    """The store of the feed, in memory; each save of the cursor gives a new etag.

    It remembers ``saved``, ``read``, ``waiting``, ``found_gaps`` and ``kept``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.saved: FeedCursor | None = None
        self.read: dict[str, ContentBlob] = {}
        self.waiting: dict[str, PendingBlob] = {}
        self.found_gaps: dict[tuple[datetime, datetime, str], FeedGap] = {}
        self.kept: dict[Unreadable, datetime] = {}
        self._version = 0

    async def cursor(self) -> FeedCursor | None:
        self._called("cursor")
        return self.saved

    async def save_cursor(self, cursor: FeedCursor) -> FeedCursor:
        self._called("save_cursor")
        if cursor.etag != (self.saved.etag if self.saved else None):
            raise ConflictError("The feed cursor was moved by another poll.")
        self._version += 1
        self.saved = cursor.model_copy(update={"etag": str(self._version)})
        return self.saved

    async def blobs_read(self, window: Window) -> set[str]:
        self._called("blobs_read")
        return {blob.content_id for blob in self.read.values() if window.start <= blob.created < window.end}

    async def mark_read(self, blob: ContentBlob) -> None:
        self._called("mark_read", blob.content_id)
        self.read[blob.content_id] = blob
        self.waiting.pop(blob.content_id, None)

    async def set_pending(self, pending: PendingBlob) -> None:
        self._called("set_pending", pending.blob.content_id)
        self.waiting[pending.blob.content_id] = pending

    async def pending(self) -> list[PendingBlob]:
        self._called("pending")
        return list(self.waiting.values())

    async def add_gap(self, gap: FeedGap) -> None:
        self._called("add_gap", gap.content_id)
        self.found_gaps.setdefault((gap.start, gap.end, gap.content_id), gap)
        self.waiting.pop(gap.content_id, None)

    async def gaps(self) -> list[FeedGap]:
        self._called("gaps")
        return sorted(self.found_gaps.values(), key=lambda gap: gap.start)

    async def keep_unreadable(self, items: Iterable[Unreadable], *, received_at: datetime) -> int:
        self._called("keep_unreadable")
        before = len(self.kept)
        for item in items:
            self.kept.setdefault(item, received_at)
        return len(self.kept) - before

    async def unreadable(self, limit: int) -> list[tuple[datetime, Unreadable]]:
        self._called("unreadable")
        newest = sorted(self.kept.items(), key=lambda pair: pair[1], reverse=True)
        return [(at, item) for item, at in newest[:limit]]

    async def forget_before(self, moment: datetime) -> int:
        self._called("forget_before")
        old = [key for key, blob in self.read.items() if blob.created < moment]
        for key in old:
            del self.read[key]
        return len(old)
