"""An hourly limit: one row per tenant and purpose with all slots of the last hour, changed by ETag.

It lies in the table Work under ``{tenant}_{purpose}``. A slot is a key and the moment at which it was taken.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.table_rows import corrupt, row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, NotFoundError

TABLE = "Work"
_WITHIN = timedelta(hours=1)
_ROW = "slots"
_PART = 30_000
"""ASCII characters per property; a property holds 64 KiB of UTF-16."""
_TRIES = 50
"""Each lost race was won by another instance, so this needs as many concurrent ones."""


class TableHourlyLimit:
    """One limit of one tenant. Permission: Storage Table Data Contributor.

    ``purpose``: ``limit`` of blocks, ``hints`` of questions to Exchange that alerts caused.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str, *, purpose: str = "limit") -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._partition = f"{tenant_id}_{purpose}"
        self._turn = asyncio.Lock()
        """The runs of one host take their slots one after the other, instead of losing races to each other."""
        self._seen: tuple[dict[str, datetime], str | None] | None = None
        """The row as last read. It may be stale: a slot is only taken by a write under its ETag."""

    async def take(self, key: str, *, limit: int, now: datetime) -> bool:
        """Take a slot, or see that the key has one; decided again after every lost race."""
        async with self._turn:
            return await self._take(key, limit=limit, now=now)

    async def _take(self, key: str, *, limit: int, now: datetime) -> bool:
        for _ in range(_TRIES):
            seen, self._seen = self._seen, None
            slots, etag = seen or await self._read()
            slots = {taken_by: at for taken_by, at in slots.items() if at > now - _WITHIN}
            if key in slots or len(slots) >= limit:
                if seen is None:
                    return key in slots
            elif await self._written(slots | {key: now}, etag):
                return True
        raise ConflictError("An hourly limit is contended.")

    async def give_back(self, key: str) -> None:
        """Free the slot of this key; read again after every lost race."""
        for _ in range(_TRIES):
            slots, etag = await self._read()
            if key not in slots or await self._written({each: slots[each] for each in slots if each != key}, etag):
                return
        raise ConflictError("An hourly limit is contended.")

    async def _written(self, slots: dict[str, datetime], etag: str | None) -> bool:
        self._seen = None
        try:
            self._seen = slots, await self._write(slots, etag)
        except (ConflictError, NotFoundError):
            return False
        return True

    async def _read(self) -> tuple[dict[str, datetime], str | None]:
        entity = await row_or_none(self._table, self._partition, _ROW, "an hourly limit")
        if entity is None:
            return {}, None
        try:
            text = "".join(entity[name] for name in sorted(entity) if name.startswith("Slots"))
            slots = {str(key): datetime.fromtimestamp(float(at), UTC) for key, at in json.loads(text).items()}
        except (ValueError, TypeError, AttributeError) as problem:
            raise corrupt(entity, TABLE, problem) from problem
        return slots, str(entity.metadata["etag"])

    async def _write(self, slots: dict[str, datetime], etag: str | None) -> str:
        text = json.dumps({taken_by: at.timestamp() for taken_by, at in slots.items()})
        entity: dict[str, Any] = {"PartitionKey": self._partition, "RowKey": _ROW, "Taken": len(slots)}
        entity |= {f"Slots{start // _PART:02d}": text[start : start + _PART] for start in range(0, len(text), _PART)}
        return await write_if_unchanged(self._table, entity, etag, "an hourly limit")
