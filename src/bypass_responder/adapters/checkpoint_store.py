"""The chain of checkpoints: one append blob a day, whose content Azure lets nobody change.

Blob: ``{tenant}/{number of its first checkpoint}-{day}.jsonl``, one checkpoint a line. The first checkpoint of a new
day still goes into the old blob; the ones after it go into the next, whose name follows from it. So the chain, and no
host's clock, says where a checkpoint goes, and two hosts never start two blobs. Table: partition ``{tenant}_last``
remembers where the newest checkpoint is.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import row_or_none
from bypass_responder.errors import ConflictError, InputError, NotFoundError, TransientError
from bypass_responder.model.log import Checkpoint, TornLine

TABLE = "Checkpoints"
CONTAINER = "log-checkpoints"
MOST_LINES = 40_000
"""Checkpoints in one blob; an append blob takes 50,000 appends."""
_LAST = "last"
_BLOB = re.compile(r"[^/]+/(?P<first>\d{12})-(?P<day>\d{4}-\d\d-\d\d)\.jsonl")


@dataclass(frozen=True)
class _Blob:
    """A blob of the chain. ``day`` is that of the checkpoint before its first one."""

    name: str
    first: int
    day: date

    def next_after(self, last: Checkpoint) -> tuple[int, date] | None:
        """Return the first number and the day of the next blob, or None when this one goes on."""
        day = last.at.date()
        ends = day > self.day or last.seq - self.first + 1 >= MOST_LINES
        return (last.seq + 1, day) if ends else None


@dataclass(frozen=True)
class _Place:
    """Where a checkpoint is: its number, its blob, and the position of its line."""

    seq: int
    blob: _Blob
    start: int


@dataclass(frozen=True)
class _End:
    """The newest checkpoint, and the blob and position that the next one is appended at."""

    last: Checkpoint | None
    blob: _Blob
    size: int
    torn: bool
    """The blob ends within a line."""


class CheckpointStore:
    """Checkpoints of a tenant.

    Permissions: Storage Table Data Contributor, Storage Blob Data Contributor.
    """

    def __init__(self, tables: TableServiceClient, blobs: BlobServiceClient, tenant_id: str) -> None:
        """Take the clients; nothing connects before the first call."""
        self._table = tables.get_table_client(TABLE)
        self._container = blobs.get_container_client(CONTAINER)
        self._tenant = tenant_id
        self._first = self._blob(1, date.min)

    async def last(self) -> Checkpoint | None:
        """Read from where the newest was last seen; search the blobs when it is not there."""
        return (await self._end()).last

    async def append(self, checkpoint: Checkpoint) -> None:
        """Append a line at the end that was read. An append without an answer is ours when its line is there.

        Raises ConflictError when the number does not follow the newest one.
        """
        end = await self._end()
        if end.last != checkpoint:
            if checkpoint.seq != (end.last.seq if end.last else 0) + 1:
                raise ConflictError(f"checkpoint {checkpoint.seq} does not follow the newest one")
            await self._write(checkpoint, end)
            await self._remember(checkpoint.seq, end.blob.name, end.size)

    async def all(self, since: date | None = None) -> AsyncIterator[Checkpoint | TornLine]:
        """Yield the checkpoints in order, a blob with one request.

        Raises InputError: a blob that the responder did not write, or the newest checkpoint is missing.
        """
        place = await self._place()
        blobs = [self._named(name) for name in await self._names()]
        earlier = [number for number, blob in enumerate(blobs) if since and blob.day < since]
        seq = 0
        for blob in blobs[max(earlier, default=0) :]:
            async for line in self._lines(blob.name):
                if (checkpoint := _parsed(line)) is None:
                    yield TornLine(blob=blob.name)
                else:
                    seq = checkpoint.seq
                    yield checkpoint
        if place and place.seq > seq:
            raise InputError("checkpoint_missing", f"cut after checkpoint {seq}; table {TABLE} names {place.seq}")

    async def _end(self) -> _End:
        place = await self._place()
        if place and (found := await self._end_from(place.blob, place.start)):
            return found
        for name in reversed(await self._names()):
            if found := await self._end_from(self._named(name), 0):
                return found
        return _End(None, self._first, 0, torn=False)

    async def _end_from(self, blob: _Blob, start: int) -> _End | None:
        """Follow the chain from a place in a blob. None: no checkpoint is there, and it is not the beginning."""
        last: Checkpoint | None = None
        while True:
            data = await self._read(blob.name, start)
            found = next(filter(None, map(_parsed, reversed(data.splitlines()))), None)
            end = _End(found or last, blob, start + len(data), torn=bool(data) and not data.endswith(b"\n"))
            if found is None:
                return end if last or (blob == self._first and start == 0) else None
            following = blob.next_after(found)
            if following is None:
                return end
            last, blob, start = found, self._blob(*following), 0

    async def _write(self, checkpoint: Checkpoint, end: _End) -> None:
        blob = self._container.get_blob_client(end.blob.name)
        line = (b"\n" if end.torn else b"") + checkpoint.model_dump_json().encode() + b"\n"
        try:
            with translated(f"checkpoint {checkpoint.seq}"):
                if not end.size:
                    with suppress(ConflictError), translated(f"the blob {end.blob.name}"):
                        await blob.create_append_blob(match_condition=MatchConditions.IfMissing)
                await blob.append_block(line, appendpos_condition=end.size)
        except (ConflictError, TransientError):
            if checkpoint not in map(_parsed, (await self._read(end.blob.name, end.size)).splitlines()):
                raise

    async def _remember(self, seq: int, blob: str, start: int) -> None:
        row = {"PartitionKey": f"{self._tenant}_last", "RowKey": _LAST, "Seq": seq, "Blob": blob, "Start": start}
        with translated(f"the place of checkpoint {seq}"):
            await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    async def _place(self) -> _Place | None:
        """Return where the newest checkpoint was seen. None: nowhere, or somebody changed the row."""
        row = await row_or_none(self._table, f"{self._tenant}_last", _LAST, "the place of the last checkpoint")
        match row:
            case {"Seq": int(seq), "Blob": str(name), "Start": int(start)} if start >= 0:
                with suppress(InputError):
                    return _Place(seq, self._named(name), start)
        return None

    async def _names(self) -> list[str]:
        with translated("the checkpoint blobs"):
            found = self._container.list_blob_names(name_starts_with=f"{self._tenant}/")
            return sorted([name async for name in found])

    async def _read(self, blob: str, start: int) -> bytes:
        """Return the blob from ``start`` on; nothing when it does not reach so far, or does not exist."""
        try:
            with translated(f"the blob {blob}"):
                try:
                    return await (await self._container.download_blob(blob, offset=start)).readall()
                except HttpResponseError as error:
                    if error.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                        return b""
                    raise
        except NotFoundError:
            return b""

    async def _lines(self, blob: str) -> AsyncIterator[bytes]:
        rest = b""
        with translated(f"the blob {blob}"):
            async for chunk in (await self._container.download_blob(blob)).chunks():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in filter(None, lines):
                    yield line
        if rest:
            yield rest

    def _blob(self, first: int, day: date) -> _Blob:
        return _Blob(f"{self._tenant}/{first:012d}-{day.isoformat()}.jsonl", first, day)

    def _named(self, name: str) -> _Blob:
        if found := _BLOB.fullmatch(name):
            with suppress(ValueError):
                return _Blob(name, int(found["first"]), date.fromisoformat(found["day"]))
        raise InputError("unknown_blob", f"container {CONTAINER} has {name}, which the responder did not write")


def _parsed(line: bytes) -> Checkpoint | None:
    try:
        return Checkpoint.model_validate_json(line)
    except ValidationError:
        return None
