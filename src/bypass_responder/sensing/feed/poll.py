"""One poll of the audit feed (docs/flow.md, 1). The cursor passes no blob that has no outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bypass_responder.errors import ConflictError, FeedError, ResponderError
from bypass_responder.model.feed import ContentBlob, FeedCursor, Window
from bypass_responder.sensing.feed.blobs import Intake, Keep, ReportGap
from bypass_responder.sensing.feed.poll_report import (
    START_INTERVAL,
    BlobRecords,
    FeedProblem,
    PollReport,
    Subscription,
    problems_of,
)
from bypass_responder.sensing.feed.windows import LOOK_BACK, OVERLAP, earlier, plan, still_there, whole_second

if TYPE_CHECKING:
    from bypass_responder.ports import AuditFeed, FeedStore

__all__ = ["BlobRecords", "FeedProblem", "Keep", "PollReport", "ReportGap", "poll"]

_LISTED_AT_ONCE = 64
_MEMORY = timedelta(days=8)
_SILENCE = timedelta(hours=6)
_LATE = "not_asked_in_time"


async def poll(
    *,
    feed: AuditFeed,
    store: FeedStore,
    keep: Keep,
    report_gap: ReportGap,
    now: datetime,
    silence: timedelta = _SILENCE,
) -> PollReport:
    """List what is new, read it, hand it to ``keep``, and move the cursor.

    ``keep`` stores findings; its ResponderError leaves that blob pending. ``report_gap`` notifies of what is lost.
    Errors of the feed are in the report, after ``failing_since`` was saved; errors of ``store`` pass. Of two
    concurrent polls, the later reports it.
    """
    cursor = await store.cursor()
    first = cursor is None
    try:
        cursor = cursor or await store.save_cursor(_before_everything(now))
    except ConflictError as error:
        return PollReport(error=error.diagnostics())
    waiting = {pending.blob.content_id: pending for pending in await store.pending()}
    run = _Run(feed, store, Intake(feed, store, keep, report_gap, now, cursor.first_start, waiting), cursor, now)
    if first:
        await run.look_at_subscription()
    await run.list_new()
    await run.intake.take_due()
    return await run.finish(silence)


def _before_everything(now: datetime) -> FeedCursor:
    return FeedCursor(first_start=now, listed_through=whole_second(now - LOOK_BACK + OVERLAP))


@dataclass
class _Run:
    """What one poll knows so far. ``changes`` are the fields of the cursor that it will set."""

    feed: AuditFeed
    store: FeedStore
    intake: Intake
    cursor: FeedCursor
    now: datetime
    listed: int = 0
    subscription: Subscription | None = None
    error: ResponderError | None = None
    changes: dict[str, Any] = field(default_factory=dict)

    async def list_new(self) -> None:
        """List the newest window and one of backlog; without backlog, once an hour, the earlier windows.

        Those find blobs that were listed late.
        """
        try:
            backlog = await self._list_newest()
            if backlog:
                await self._list_behind(backlog[0])
                self.changes["backlog"] = backlog[1:]
            elif self._hour_is_new():
                for window in earlier(self.now):
                    await self._list(window)
            self.changes["failing_since"] = None
        except _ListingError as failed:
            self.error = failed.error
            self.changes["failing_since"] = self.cursor.failing_since or self.now
            if isinstance(failed.error, FeedError) and failed.error.code == "AF20022":
                await self._start_again()

    async def _list_newest(self) -> tuple[Window, ...]:
        planned = plan(self.cursor, self.now)
        newest_blob = await self._list(planned.newest)
        for window in planned.lost:
            await self.intake.lose(window, _LATE)
        self.changes |= {
            "listed_through": max(self.cursor.listed_through, planned.newest.end),
            "backlog": planned.backlog,
            "worked_before": True,
            "last_success_at": self.now,
            "last_new_blob_at": max(filter(None, (self.cursor.last_new_blob_at, newest_blob)), default=None),
        }
        return planned.backlog

    async def _list_behind(self, window: Window) -> None:
        asked = still_there(window, self.now)
        await self._list(asked)
        if window.start < asked.start:
            await self.intake.lose(Window(start=window.start, end=asked.start), _LATE)

    async def _list(self, window: Window) -> datetime | None:
        """Account for every blob of the window; returns when the newest of the new ones was created."""
        known: set[str] | None = None
        newest: datetime | None = None
        async for page in _pages(self.feed, window):
            if known is None:
                known = await self.store.blobs_read(window) | self.intake.waiting.keys()
            new = {blob.content_id: blob for blob in page if blob.content_id not in known}
            known |= new.keys()
            self.listed += len(page)
            newest = max(filter(None, (newest, *(blob.created for blob in new.values()))), default=None)
            await self.intake.take(new.values())
        return newest

    def _hour_is_new(self) -> bool:
        last = self.cursor.last_success_at
        return last is not None and last.hour != self.now.hour

    async def _start_again(self) -> None:
        started = self.changes.get("subscription_started_at", self.cursor.subscription_started_at)
        if started is None or self.now - started >= START_INTERVAL:
            await self.look_at_subscription()

    async def look_at_subscription(self) -> None:
        """Start it when the list shows none. An error here is reported unless listing fails as well."""
        try:
            status = await self.feed.subscription()
            if status is None:
                self.subscription = "missing"
                await self.feed.start_subscription()
                self.subscription = "started"
                self.changes["subscription_started_at"] = self.now
            elif status != "enabled":
                self.subscription = "disabled"
        except ResponderError as error:
            self.error = self.error or error

    async def finish(self, silence: timedelta) -> PollReport:
        """Save the cursor if anything in it changed, forget what is old once an hour, and report."""
        after = self.cursor.model_copy(update=self.changes)
        conflict: ConflictError | None = None
        if after != self.cursor:
            try:
                after = await self.store.save_cursor(after)
            except ConflictError as error:
                conflict = error
        if not self.error and self._hour_is_new():
            await self.store.forget_before(self.now - _MEMORY)
        ended_by = self.error or conflict
        return PollReport(
            listed=self.listed,
            read=self.intake.read,
            records=self.intake.records,
            unreadable=self.intake.unreadable,
            gaps=self.intake.gaps,
            pending=len(self.intake.waiting),
            subscription=self.subscription,
            error=ended_by.diagnostics() if ended_by else None,
            problems=problems_of(
                after,
                error=self.error,
                subscription=self.subscription,
                waiting=self.intake.waiting.values(),
                silence=silence,
                now=self.now,
            ),
        )


class _ListingError(Exception):
    """The feed's own error while listing, kept apart from an error of the store in the same loop."""

    def __init__(self, error: ResponderError) -> None:
        super().__init__(str(error))
        self.error = error


async def _pages(feed: AuditFeed, window: Window) -> AsyncIterator[list[ContentBlob]]:
    """The listing in parts. What came before an error comes before the error."""
    page: list[ContentBlob] = []
    failed: ResponderError | None = None
    try:
        async for blob in feed.list_content(window):
            page.append(blob)
            if len(page) >= _LISTED_AT_ONCE:
                yield page
                page = []
    except ResponderError as error:
        failed = error
    if page:
        yield page
    if failed:
        raise _ListingError(failed) from failed
