"""The chain of checkpoints: a table for reading, and write-once blobs, immutable in Azure.

Table: partition tenant id, row the number in twelve digits, inserted and never updated; partition ``{tenant}_last``
remembers where to look for the newest. Blob: ``{tenant}/{number}.json``, the same JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none
from bypass_responder.errors import ConflictError, InputError, NotFoundError, RefusedError
from bypass_responder.model.log import Checkpoint

TABLE = "Checkpoints"
CONTAINER = "log-checkpoints"
_PART = 16_000
"""Characters per property: a property holds 64 KiB of UTF-16."""
_PARTS = 30
"""An entity holds 1 MiB: about 3,500 targets in one checkpoint."""
_SIDE_BY_SIDE = 16
"""Blobs that are read at once while the chain is verified."""
_LAST = "last"


class CheckpointStore:
    """The checkpoints of one tenant. Permissions: Storage Table Data Contributor, Storage Blob Data Contributor."""

    def __init__(self, tables: TableServiceClient, blobs: BlobServiceClient, tenant_id: str) -> None:
        """Take the clients; nothing connects before the first call."""
        self._table = tables.get_table_client(TABLE)
        self._container = blobs.get_container_client(CONTAINER)
        self._tenant = tenant_id
        self._pointer = f"{tenant_id}_last"

    async def last(self) -> Checkpoint | None:
        """Read from where the newest was last seen; from the beginning when nothing is there."""
        rows = await self._from(await self._last_seen()) or await self._from(_key(0))
        return rows[-1] if rows else None

    async def append(self, checkpoint: Checkpoint) -> None:
        """Insert the row, then its blob; a crash between the two is repaired by the next append.

        Raises ConflictError when the number is taken by another checkpoint, InputError when a blob differs.
        """
        await self._repair(checkpoint.seq - 1)
        entity = {"PartitionKey": self._tenant, "RowKey": _key(checkpoint.seq), "At": checkpoint.at} | _body(checkpoint)
        try:
            with translated(f"checkpoint {checkpoint.seq}"):
                await self._table.create_entity(entity)
        except ConflictError:
            if await self._row(checkpoint.seq) != checkpoint:
                raise
        await self._write_once(checkpoint)
        pointer = {"PartitionKey": self._pointer, "RowKey": _LAST, "Row": _key(checkpoint.seq)}
        with translated(f"checkpoint {checkpoint.seq}"):
            await self._table.upsert_entity(pointer, mode=UpdateMode.REPLACE)

    async def all(self) -> AsyncIterator[Checkpoint]:
        """Yield the table's checkpoints, each compared with its blob. Only the newest may still lack one.

        Raises InputError: a row that cannot be read, a blob that differs or is missing, a blob without its row.
        """
        rows = await self._from(_key(0))
        with translated("the checkpoint blobs"):
            names = {name async for name in self._container.list_blob_names(name_starts_with=f"{self._tenant}/")}
        if lost := sorted(names - {self._blob(row.seq) for row in rows}):
            raise InputError("checkpoint_row_missing", f"blob {lost[0]} has no row in table {TABLE}")
        if (seen := await self._last_seen()) > (_key(rows[-1].seq) if rows else _key(0)):
            raise InputError("checkpoint_row_missing", f"checkpoint {int(seen)} is not in table {TABLE} any more")
        for start in range(0, len(rows), _SIDE_BY_SIDE):
            part = rows[start : start + _SIDE_BY_SIDE]
            blobs = await asyncio.gather(*(self._read_blob(row.seq) for row in part))
            for row, blob in zip(part, blobs, strict=True):
                if blob is None and row is not rows[-1]:
                    raise InputError("checkpoint_blob_missing", f"checkpoint {row.seq} has no blob")
                if blob is not None and blob != _bytes(row):
                    raise _differs(row.seq)
                yield row

    async def _last_seen(self) -> str:
        row = await row_or_none(self._table, self._pointer, _LAST, "the last checkpoint")
        return str(row["Row"]) if row else _key(0)

    async def _from(self, first: str) -> list[Checkpoint]:
        where, names = "PartitionKey eq @tenant and RowKey ge @first", {"tenant": self._tenant, "first": first}
        with translated("the checkpoints"):
            return [_parsed(entity) async for entity in self._table.query_entities(where, parameters=names)]

    async def _row(self, seq: int) -> Checkpoint | None:
        row = await row_or_none(self._table, self._tenant, _key(seq), f"checkpoint {seq}")
        return _parsed(row) if row else None

    async def _repair(self, seq: int) -> None:
        before = await self._row(seq)
        if before is not None:
            await self._write_once(before)

    async def _write_once(self, checkpoint: Checkpoint) -> None:
        try:
            with translated(f"the blob of checkpoint {checkpoint.seq}"):
                await self._container.upload_blob(self._blob(checkpoint.seq), _bytes(checkpoint), overwrite=False)
        except ConflictError as conflict:
            if await self._read_blob(checkpoint.seq) != _bytes(checkpoint):
                raise _differs(checkpoint.seq) from conflict

    async def _read_blob(self, seq: int) -> bytes | None:
        try:
            with translated(f"the blob of checkpoint {seq}"):
                return await (await self._container.download_blob(self._blob(seq))).readall()
        except NotFoundError:
            return None

    def _blob(self, seq: int) -> str:
        return f"{self._tenant}/{_key(seq)}.json"


def _key(seq: int) -> str:
    return f"{max(seq, 0):012d}"


def _bytes(checkpoint: Checkpoint) -> bytes:
    return checkpoint.model_dump_json().encode()


def _body(checkpoint: Checkpoint) -> dict[str, str]:
    text = checkpoint.model_dump_json()
    if len(text) > _PART * _PARTS:
        raise RefusedError(f"{len(checkpoint.heads)} targets are too many for one checkpoint; write several.")
    return {f"Body{start // _PART:02d}": text[start : start + _PART] for start in range(0, len(text), _PART)}


def _parsed(entity: Any) -> Checkpoint:  # noqa: ANN401 - TableEntity is a dict of any values
    try:
        text = "".join(entity[name] for name in sorted(entity) if name.startswith("Body"))
        checkpoint = Checkpoint.model_validate_json(text)
    except (TypeError, ValidationError) as problem:
        raise corrupt(entity, TABLE, problem) from problem
    if _key(checkpoint.seq) != entity["RowKey"]:
        raise corrupt(entity, TABLE, f"it holds number {checkpoint.seq}")
    return checkpoint


def _differs(seq: int) -> InputError:
    return InputError("checkpoint_blob_differs", f"checkpoint {seq}: table and blob say different things")
