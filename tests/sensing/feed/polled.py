"""A feed that a test fills, polls and moves through time."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from bypass_responder.errors import PermissionMissingError
from bypass_responder.model.feed import ContentBlob, FeedCursor, FeedGap
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.feed.poll import BlobRecords, PollReport, poll
from tests.fakes.feed import FakeAuditFeed, FakeFeedStore

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FORBIDDEN = PermissionMissingError("AF10001.", permission="ActivityFeed.Read")


def a_body(*ids: str, operation: str = "Set-MailboxAuditBypassAssociation") -> bytes:
    common = {
        "CreationTime": "2026-05-20T10:00:00",
        "Operation": operation,
        "Workload": "Exchange",
        "ResultStatus": "True",
        "ObjectId": "a88ae17c-f562-4c1f-a377-8910b6847d76",
        "Parameters": [{"Name": "AuditBypassEnabled", "Value": "True"}],
    }
    return json.dumps([{"Id": record_id} | common for record_id in ids]).encode()


def a_blob(name: str = "blob", *, created: datetime = NOW - HOUR) -> ContentBlob:
    return ContentBlob(
        content_id=name, uri=f"https://manage.office.com/{name}", created=created, expires=created + 7 * DAY
    )


class Tenant:
    """A feed, its memory and what was kept of it, with a clock that a test moves."""

    def __init__(self, *, started: datetime | None = NOW - 10 * DAY, listed: datetime = NOW - MINUTE) -> None:
        self.feed = FakeAuditFeed()
        self.store = FakeFeedStore()
        self.kept: list[BlobRecords] = []
        self.keep_fails: dict[str, Exception] = {}
        self.reported: list[FeedGap] = []
        if started:
            self.store.saved = FeedCursor(
                first_start=started,
                listed_through=listed,
                worked_before=True,
                last_success_at=listed,
                last_new_blob_at=listed,
                etag="0",
            )

    @property
    def cursor(self) -> FeedCursor:
        assert self.store.saved
        return self.store.saved

    @property
    def kept_ids(self) -> set[str]:
        return {item.id for part in self.kept for item in part.records if isinstance(item, AuditRecord)}

    def publish(self, name: str, body: bytes, *, created: datetime = NOW - HOUR) -> ContentBlob:
        return self.feed.publish(a_blob(name, created=created), body)

    async def keep(self, part: BlobRecords) -> None:
        if part.blob.content_id in self.keep_fails:
            raise self.keep_fails.pop(part.blob.content_id)
        self.kept.append(part)

    async def report_gap(self, gap: FeedGap) -> None:
        self.reported.append(gap)

    async def poll(self, now: datetime = NOW) -> PollReport:
        return await poll(feed=self.feed, store=self.store, keep=self.keep, report_gap=self.report_gap, now=now)


def ids_of(report: PollReport) -> set[str]:
    return {problem.id for problem in report.problems}
