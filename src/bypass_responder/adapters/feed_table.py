"""The feed's state in the table ``Feed``: partition tenant; row keys begin with the kind of row."""

from __future__ import annotations

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from azure.data.tables import UpdateMode
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.model.base import Value
from bypass_responder.model.feed import ContentBlob, FeedCursor, FeedGap, PendingBlob, Window
from bypass_responder.model.record import Unreadable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from datetime import datetime

    from azure.data.tables.aio import TableServiceClient

V = TypeVar("V", bound=Value)
TABLE = "Feed"
_CURSOR = "cursor"
_PENDING = "blob-p-"
"""Sorts after every ``blob-<time>``."""
_TRANSACTION_ROWS = 100
_LONGEST = 2000
"""Characters of a text of unreadable input other than the excerpt; a property holds 32,000."""


class FeedTable:
    """``ports.FeedStore`` on Azure Tables; the table is made by the infrastructure.

    Rows: ``cursor`` · ``blob-<created>-<hash>`` read · ``blob-p-<hash>`` pending · ``gap-<start>-<hash>`` ·
    ``unreadable-<newest first>-<hash>`` with its marker ``unreadableid-<hash>``. Hashes stand for content ids
    and texts that may hold what a key must not. ``Body`` is the value as JSON. Role: Storage Table Data Contributor.
    """

    def __init__(self, service: TableServiceClient, *, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._tenant_id = tenant_id

    async def cursor(self) -> FeedCursor | None:
        """The cursor with its etag. Raises InputError when the row is malformed."""
        row = await row_or_none(self._table, self._tenant_id, _CURSOR, "Reading the feed cursor")
        return _parsed(FeedCursor, row).model_copy(update={"etag": row.metadata["etag"]}) if row else None

    async def save_cursor(self, cursor: FeedCursor) -> FeedCursor:
        """Insert it when it has no etag, else replace the row that has this etag. Raises ConflictError."""
        row = self._row(_CURSOR, Body=cursor.model_dump_json(exclude={"etag"}))
        etag = await write_if_unchanged(self._table, row, cursor.etag, "Saving the feed cursor")
        return cursor.model_copy(update={"etag": etag})

    async def blobs_read(self, window: Window) -> set[str]:
        """Content ids read, of blobs created in the window."""
        rows = self._range(f"blob-{_stamp(window.start)}", f"blob-{_stamp(window.end)}", select=["ContentId"])
        return {row["ContentId"] async for row in rows}

    async def mark_read(self, blob: ContentBlob) -> None:
        """Remember first, then forget that it was pending: a crash between the two only reads the blob again."""
        row = self._row(f"blob-{_stamp(blob.created)}-{_hash(blob.content_id)}", ContentId=blob.content_id)
        with translated("Marking a blob as read"):
            await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)
        await self._forget_pending(blob.content_id)

    async def set_pending(self, pending: PendingBlob) -> None:
        """Add or replace the row of a blob that could not be read."""
        content_id = pending.blob.content_id
        row = self._row(_PENDING + _hash(content_id), ContentId=content_id, Body=pending.model_dump_json())
        with translated("Keeping a pending blob"):
            await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    async def pending(self) -> list[PendingBlob]:
        """Every pending blob, in no order."""
        return [_parsed(PendingBlob, row) async for row in self._range(_PENDING, "blob-q")]

    async def add_gap(self, gap: FeedGap) -> None:
        """Insert the gap unless one with its bounds and blob is there, then forget the pending blob."""
        key = f"gap-{_stamp(gap.start)}-{_hash(f'{gap.end.isoformat()} {gap.content_id}')}"
        try:
            with translated("Recording a gap"):
                await self._table.create_entity(self._row(key, Body=gap.model_dump_json()))
        except ConflictError:
            pass  # recorded before: its first finding stands
        if gap.content_id:
            await self._forget_pending(gap.content_id)

    async def gaps(self) -> list[FeedGap]:
        """Every gap, the oldest start first."""
        return [_parsed(FeedGap, row) async for row in self._range("gap-", "gap.")]

    async def keep_unreadable(self, items: Iterable[Unreadable], *, received_at: datetime) -> int:
        """Keep each once, with a marker row beside it in the same transaction; returns how many were new."""
        return sum([await self._keep(item, received_at) for item in items])

    async def unreadable(self, limit: int) -> list[tuple[datetime, Unreadable]]:
        """The newest, with the time each came in."""
        found: list[tuple[datetime, Unreadable]] = []
        async for row in self._range("unreadable-", "unreadable.", page=limit):
            found.append((row["ReceivedAt"], _parsed(Unreadable, row)))
            if len(found) >= limit:
                break
        return found

    async def forget_before(self, moment: datetime) -> int:
        """Delete the rows of blobs read that were created before; pending blobs and gaps stay."""
        rows = self._range("blob-", f"blob-{_stamp(moment)}", select=["PartitionKey", "RowKey"])
        keys = iter([row["RowKey"] async for row in rows])
        forgotten = 0
        while batch := list(islice(keys, _TRANSACTION_ROWS)):
            try:
                with translated("Forgetting old blobs"):
                    await self._table.submit_transaction([("delete", self._row(key)) for key in batch])
            except NotFoundError:
                break  # another poll is at it
            forgotten += len(batch)
        return forgotten

    async def _keep(self, item: Unreadable, received_at: datetime) -> bool:
        short = {
            name: text[:_LONGEST] for name in ("reason", "detail", "source", "where") if (text := getattr(item, name))
        }
        item = item.model_copy(update=short)
        mark = _hash(item.model_dump_json())
        marker = self._row(f"unreadableid-{mark}")
        row = self._row(
            f"unreadable-{_newest_first(received_at)}-{mark}", ReceivedAt=received_at, Body=item.model_dump_json()
        )
        try:
            with translated("Keeping unreadable input"):
                await self._table.submit_transaction([("create", marker), ("create", row)])
        except ConflictError:
            return False
        return True

    async def _forget_pending(self, content_id: str) -> None:
        with translated("Forgetting a pending blob"):
            await self._table.delete_entity(self._tenant_id, _PENDING + _hash(content_id))

    async def _range(
        self, first: str, end: str, *, select: list[str] | None = None, page: int | None = None
    ) -> AsyncIterator[Any]:
        rows = self._table.query_entities(
            "PartitionKey eq @tenant and RowKey ge @first and RowKey lt @end",
            parameters={"tenant": self._tenant_id, "first": first, "end": end},
            select=select,
            results_per_page=page,
        )
        with translated(f"Listing {first}"):
            async for row in rows:
                yield row

    def _row(self, key: str, **columns: object) -> dict[str, Any]:
        return {"PartitionKey": self._tenant_id, "RowKey": key, **columns}


def _parsed(kind: type[V], row: Any) -> V:  # noqa: ANN401
    try:
        return kind.model_validate_json(row["Body"])
    except (KeyError, ValidationError) as problem:
        raise corrupt(row, TABLE, problem) from problem


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S%f}"


def _newest_first(moment: datetime) -> str:
    return f"{10**14 - int(moment.timestamp() * 1000):014}"
