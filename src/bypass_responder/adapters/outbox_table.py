"""The outbox in the table Work, and the queue that starts a delivery.

Partition ``{tenant}_outbox_{receiver}``: row the target, column DueAt. Partition ``{tenant}_sender``: row the receiver,
columns Until (the end of the turn, or how long the receiver is left alone) and Failures.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueServiceClient

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.ports import WAKE, OutboxItem, Turn

TABLE = "Work"
_TOGETHER = 100
"""What Table Storage takes in one transaction."""
_WAKE_SECONDS = 600
"""The scheduler sends another message while something is due."""


class TableOutbox:
    """The outbox of one tenant. Permission: Storage Table Data Contributor."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def add(self, receiver: str, due: Mapping[str, datetime]) -> None:
        """Write the items in transactions of a hundred, whatever they were."""
        names = sorted(due)
        for start in range(0, len(names), _TOGETHER):
            operations: list[Any] = [
                ("upsert", self._entity(receiver, name, due[name]), {"mode": UpdateMode.REPLACE})
                for name in names[start : start + _TOGETHER]
            ]
            with translated("the outbox"):
                await self._table.submit_transaction(operations)

    async def due(self, receiver: str, now: datetime, limit: int) -> list[OutboxItem]:
        """Read the first items that are due, by target."""
        query = "PartitionKey eq @partition and DueAt le @now"
        names = {"partition": f"{self._tenant}_outbox_{receiver}", "now": now}
        items: list[OutboxItem] = []
        with translated("the outbox"):
            async for entity in self._table.query_entities(query, parameters=names, results_per_page=limit):
                due_at = entity["DueAt"].astimezone(UTC)
                items.append(OutboxItem(receiver, entity["RowKey"], due_at, str(entity.metadata["etag"])))
                if len(items) == limit:
                    break
        return items

    async def finish(self, item: OutboxItem, due_at: datetime | None) -> None:
        """Replace or delete the item, if its etag still holds."""
        with suppress(ConflictError, NotFoundError):
            if due_at is not None:
                entity = self._entity(item.receiver, item.target, due_at)
                await write_if_unchanged(self._table, entity, item.etag, "the outbox")
                return
            with translated("the outbox"):
                await self._table.delete_entity(
                    f"{self._tenant}_outbox_{item.receiver}",
                    item.target,
                    etag=item.etag,
                    match_condition=MatchConditions.IfNotModified,
                )

    async def waiting(self) -> int:
        """Read the keys of every receiver's partition."""
        query = "PartitionKey ge @first and PartitionKey lt @after"
        names = {"first": f"{self._tenant}_outbox_", "after": f"{self._tenant}_outbox`"}
        with translated("the outbox"):
            found = self._table.query_entities(query, parameters=names, select=["RowKey"])
            return len({entity["RowKey"] async for entity in found})

    async def take_turn(self, receiver: str, now: datetime, until: datetime) -> Turn | None:
        """Read the row, and write it where the last turn is over; a lost race is another run's turn."""
        entity = await row_or_none(self._table, f"{self._tenant}_sender", receiver, "the turn of a receiver")
        held_until = entity.get("Until") if entity else None
        if isinstance(held_until, datetime) and held_until > now:
            return None
        failures = int(entity.get("Failures", 0)) if entity else 0
        etag = entity.metadata["etag"] if entity else None
        with suppress(ConflictError, NotFoundError):
            return Turn(receiver, failures, await self._write_turn(receiver, failures, until, etag))
        return None

    async def end_turn(self, turn: Turn, *, failures: int, until: datetime | None) -> None:
        """Write the row, if its etag still holds."""
        with suppress(ConflictError, NotFoundError):
            await self._write_turn(turn.receiver, failures, until, turn.etag)

    async def _write_turn(self, receiver: str, failures: int, until: datetime | None, etag: str | None) -> str:
        entity = {"PartitionKey": f"{self._tenant}_sender", "RowKey": receiver, "Failures": failures}
        entity |= {} if until is None else {"Until": until}
        return await write_if_unchanged(self._table, entity, etag, "the turn of a receiver")

    def _entity(self, receiver: str, target: str, due_at: datetime) -> dict[str, Any]:
        return {"PartitionKey": f"{self._tenant}_outbox_{receiver}", "RowKey": target, "DueAt": due_at}


class StorageSenderQueue:
    """Starts a delivery.

    Permission: Storage Queue Data Contributor, because the app also reads the queue.
    """

    def __init__(self, service: QueueServiceClient, *, queue: str) -> None:
        """Take the client and the name of the queue; nothing connects before the first call."""
        self._queue = service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())

    async def wake(self) -> None:
        """Send a message without content."""
        with translated(f"the queue {self._queue.queue_name}"):
            await self._queue.send_message(WAKE, time_to_live=_WAKE_SECONDS)
