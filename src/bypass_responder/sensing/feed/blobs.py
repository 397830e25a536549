"""Tracks the blobs of one poll: each ends as read, as pending with its own retries, or as a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.errors import NotFoundError, ResponderError
from bypass_responder.model.base import backoff
from bypass_responder.model.feed import ContentBlob, FeedGap, PendingBlob, Window
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.feed.poll_report import BlobRecords
from bypass_responder.sensing.feed.read_blob import container_is_broken, read_blob

if TYPE_CHECKING:
    from bypass_responder.ports import AuditFeed, FeedStore

Keep = Callable[[BlobRecords], Awaitable[None]]
ReportGap = Callable[[FeedGap], Awaitable[None]]

_DUE_AT_ONCE = 500
_BROKEN_READS = 4
"""A blob that is no JSON counts as read after this many reads: the first and three more."""
_GONE_READS = 3
"""How many reads must report that a blob no longer exists before it is given up."""
_BACKOFF = timedelta(minutes=1)
_LONGEST_BACKOFF = timedelta(hours=12)
"""Doubling from a minute to this makes about 22 tries in the 7 days that a blob lives."""
_LIFE = timedelta(days=7)
_BROKEN = "broken: "


@dataclass
class Intake:
    """The blobs of one poll. ``waiting`` has the pending ones by content id; the rest are counts."""

    feed: AuditFeed
    store: FeedStore
    keep: Keep
    report_gap: ReportGap
    now: datetime
    first_start: datetime
    waiting: dict[str, PendingBlob]
    read: int = 0
    records: int = 0
    unreadable: int = 0
    gaps: int = 0

    async def take(self, blobs: Iterable[ContentBlob]) -> None:
        """Account for blobs that were listed and are not known yet. One that cannot be read becomes pending."""
        await _side_by_side([partial(self._take, blob) for blob in blobs])

    async def take_due(self) -> None:
        """Try pending blobs again whose time has come, the oldest first; give up those that expired."""
        due = sorted((p for p in self.waiting.values() if p.next_at <= self.now), key=lambda p: p.blob.created)
        await _side_by_side([partial(self._retry, pending) for pending in due[:_DUE_AT_ONCE]])

    async def lose(self, window: Window, reason: str, *, content_id: str = "") -> None:
        """Report and record that the window, or the blob created at that moment, was lost.

        Reported first: a run that is interrupted in between repeats both.
        """
        gap = FeedGap(start=window.start, end=window.end, reason=reason, content_id=content_id, found_at=self.now)
        await self.report_gap(gap)
        await self.store.add_gap(gap)
        self.gaps += 1

    async def _retry(self, pending: PendingBlob) -> None:
        if _expires(pending.blob) <= self.now:
            await self._give_up(pending)
        else:
            await self._take(pending.blob, pending)

    async def _take(self, blob: ContentBlob, before: PendingBlob | None = None) -> None:
        broken = ""
        first_run = blob.created < self.first_start
        try:
            async for batch in read_blob(self.feed, blob):
                broken = broken or container_is_broken(batch) or ""
                await self._hand_over(BlobRecords(blob=blob, records=batch, first_run=first_run))
        except ResponderError as error:
            await self._wait(blob, before, error.diagnostics(), gone=isinstance(error, NotFoundError))
            return
        if broken and _attempts(before, broken=True) < _BROKEN_READS:
            await self._wait(blob, before, _BROKEN + broken)
            return
        await self.store.mark_read(blob)
        self.waiting.pop(blob.content_id, None)
        self.read += 1

    async def _hand_over(self, batch: BlobRecords) -> None:
        await self.keep(batch)
        if unreadable := [item for item in batch.records if isinstance(item, Unreadable)]:
            self.unreadable += await self.store.keep_unreadable(unreadable, received_at=self.now)
        self.records += sum(isinstance(item, AuditRecord) for item in batch.records)

    async def _wait(self, blob: ContentBlob, before: PendingBlob | None, reason: str, *, gone: bool = False) -> None:
        """Make the blob pending, the next try later each time, the last one when it expires."""
        attempts = _attempts(before, broken=reason.startswith(_BROKEN))
        wait = backoff(attempts - 1, first=_BACKOFF, longest=_LONGEST_BACKOFF)
        next_at = min(self.now + wait, max(_expires(blob), self.now))
        pending = PendingBlob(blob=blob, attempts=attempts, next_at=next_at, reason=reason[:1000])
        if gone and attempts >= _GONE_READS:
            await self._give_up(pending)
            return
        await self.store.set_pending(pending)
        self.waiting[blob.content_id] = pending

    async def _give_up(self, pending: PendingBlob) -> None:
        blob = pending.blob
        moment = Window(start=blob.created, end=blob.created)
        await self.lose(moment, f"blob_lost: {pending.reason}", content_id=blob.content_id)
        await self.store.mark_read(blob)  # or the overlap would list it, and lose it, again
        self.waiting.pop(blob.content_id, None)


def _attempts(before: PendingBlob | None, *, broken: bool) -> int:
    """Return the number of reads including this one; broken content and failed reads count separately."""
    same = before is not None and before.reason.startswith(_BROKEN) == broken
    return before.attempts + 1 if before and same else 1


def _expires(blob: ContentBlob) -> datetime:
    return min(blob.expires, blob.created + _LIFE)


async def _side_by_side(work: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do all of it, a few at a time; the first error ends the rest."""

    @limited
    async def run(part: Callable[[], Awaitable[None]]) -> None:
        await part()

    try:
        async with asyncio.TaskGroup() as group:
            for part in work:
                group.create_task(run(part))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
