"""Questions to the worker's function ExchangeReads: their queue, their rows, and the answers' blobs.

The rows are in the table Feed under ``{tenant}_reads``, by command id; one for each kind names the last.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from azure.data.tables import UpdateMode
from azure.storage.queue import TextBase64EncodePolicy
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, InputError, NotFoundError, TransientError
from bypass_responder.model.exchange_read import READ_COMMAND, ReadKind, ReadResult
from bypass_responder.ports import StoredRead

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from azure.data.tables.aio import TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

    from bypass_responder.model.exchange_read import ReadCommand

TABLE = "Feed"
CONTAINER = "reads"
LARGEST_BYTES = 64 * 1024 * 1024
"""Of a blob as stored."""
LONGEST_RESULT = 30_000
"""Characters; a property holds 32,768."""
_NEVER = -1
_LAST = "last-"
_LINES_AT_ONCE = 1000


class StorageExchangeReads:
    """``ports.ExchangeReads``.

    Permissions: Storage Table Data Contributor, Storage Queue Data Message Sender, Storage Blob Data Reader.
    """

    def __init__(
        self,
        tables: TableServiceClient,
        queues: QueueServiceClient,
        blobs: BlobServiceClient,
        tenant_id: str,
        *,
        queue: str,
    ) -> None:
        """Take the clients and the name of the queue; nothing connects before the first call."""
        self._table = tables.get_table_client(TABLE)
        self._queue = queues.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
        self._blobs = blobs.get_container_client(CONTAINER)
        self._partition = f"{tenant_id}_reads"

    async def ask(self, command: ReadCommand, now: datetime) -> None:
        """Insert the row, then send. After a crash in between, asking again sends it."""
        try:
            await self._insert(command, now)
        except ConflictError:
            known = await self.find(command.command_id)
            if known is not None and known.result is not None:
                return
            await self._merge(self._row(command.command_id, SentAgain=True))
        await self._is_last(command.kind, Asked=command.command_id)
        with translated(f"the question {command.command_id}"):
            await self._queue.send_message(command.model_dump_json(), time_to_live=_NEVER)

    async def withdraw(self, command: ReadCommand, result: ReadResult, now: datetime) -> StoredRead:
        """Insert the row with its answer. Where there is one, ``ask`` was first."""
        with suppress(ConflictError):
            await self._insert(command, now, Result=result.model_dump_json(), AnsweredAt=now)
        stored = await self.find(command.command_id)
        if stored is None:
            raise TransientError(f"the question {command.command_id} was forgotten meanwhile")
        return stored

    async def _insert(self, command: ReadCommand, now: datetime, **answer: object) -> None:
        """Insert the row of a question. Raises ConflictError where there is one."""
        about = {"Kind": command.kind.value, "AskedAt": now, "Body": command.model_dump_json()}
        row = self._row(command.command_id, **about, **answer)
        await write_if_unchanged(self._table, row, None, "a question to the Exchange worker")

    async def find(self, command_id: str) -> StoredRead | None:
        """The question as stored. Raises InputError when the row is malformed."""
        row = await row_or_none(self._table, self._partition, command_id, "a question to the Exchange worker")
        return _parsed(row) if row else None

    async def newest(self, kind: ReadKind, *, answered: bool = False) -> StoredRead | None:
        """The one that the row of its kind names."""
        row = await row_or_none(self._table, self._partition, _LAST + kind, "the last question to the Exchange worker")
        name = row.get("Answered" if answered else "Asked") if row else None
        return await self.find(str(name)) if name else None

    async def record(self, result: ReadResult, now: datetime) -> bool:
        """Add the answer to its row by ETag. Raises InputError for one that is too long to store."""
        body = result.model_dump_json()
        if len(body) > LONGEST_RESULT:
            raise InputError("bad_message", f"the answer {result.command_id} has {len(body)} characters")
        row = await row_or_none(self._table, self._partition, result.command_id, "a question to the Exchange worker")
        if row is None or "Result" in row or _parsed(row).command.kind is not result.kind:
            return False
        answered = dict(row) | {"Result": body, "AnsweredAt": now}
        try:
            await write_if_unchanged(self._table, answered, row.metadata["etag"], "an answer of the Exchange worker")
        except ConflictError:
            return False
        last = await self.newest(result.kind, answered=True)
        if last is None or last.asked_at <= _parsed(row).asked_at:
            await self._is_last(result.kind, Answered=result.command_id)
        return True

    async def _is_last(self, kind: ReadKind, **named: str) -> None:
        await self._merge(self._row(_LAST + kind, **named))

    async def _merge(self, row: dict[str, Any]) -> None:
        with translated("the last question to the Exchange worker"):
            await self._table.upsert_entity(row, mode=UpdateMode.MERGE)

    async def lines(self, result: ReadResult) -> AsyncIterator[bytes]:
        """Yield the lines, unpacked a thousand at a time: the compressed blob is all that is kept."""
        name = result.blob or ""
        with translated(f"the rows of a read, {name}"):
            download = await self._blobs.download_blob(name)
            if download.size > LARGEST_BYTES:
                raise InputError("corrupt_read", f"the blob {name} has {download.size} bytes")
            packed = bytes(await download.readall())
        if hashlib.sha256(packed).hexdigest() != result.sha256:
            raise InputError("corrupt_read", f"the hash of the blob {name} is not that of the answer")
        try:
            with gzip.open(io.BytesIO(packed)) as unpacked:
                while lines := await asyncio.to_thread(_some, unpacked):
                    for line in lines:
                        yield line
        except (EOFError, OSError, zlib.error) as problem:
            raise InputError("corrupt_read", f"the blob {name} cannot be unpacked: {problem}") from problem

    async def forget_before(self, moment: datetime) -> int:
        """Delete old rows one by one; there are a few dozen a day at most."""
        named = await self._rows("RowKey ge 'last-' and RowKey lt 'last.'")
        newest = {row.get(column) for row in named for column in ("Asked", "Answered")}
        old = await self._rows("AskedAt lt @moment", moment=moment)
        keys = [row["RowKey"] for row in old if row["RowKey"] not in newest]
        for key in keys:
            try:
                with translated("an old question to the Exchange worker"):
                    await self._table.delete_entity(self._partition, key)
            except NotFoundError:
                continue
        return len(keys)

    async def _rows(self, wanted: str, **parameters: object) -> list[Any]:
        query = f"PartitionKey eq @partition and {wanted}"
        with translated("questions to the Exchange worker"):
            rows = self._table.query_entities(
                query, parameters={"partition": self._partition} | parameters, select=["RowKey", "Asked", "Answered"]
            )
            return [row async for row in rows]

    def _row(self, key: str, **columns: object) -> dict[str, Any]:
        return {"PartitionKey": self._partition, "RowKey": key, **columns}


def _some(unpacked: gzip.GzipFile) -> list[bytes]:
    lines = (unpacked.readline().rstrip(b"\n") for _ in range(_LINES_AT_ONCE))
    return [line for line in lines if line]


def _parsed(row: Any) -> StoredRead:  # noqa: ANN401 - TableEntity holds any values
    try:
        return StoredRead(
            command=READ_COMMAND.validate_json(row["Body"]),
            asked_at=row["AskedAt"],
            result=ReadResult.model_validate_json(row["Result"]) if "Result" in row else None,
            answered_at=row.get("AnsweredAt"),
            sent_again=bool(row.get("SentAgain")),
        )
    except (ValidationError, KeyError) as problem:
        raise corrupt(row, TABLE, problem) from problem
