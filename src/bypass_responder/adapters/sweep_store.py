"""Where a sweep's list comes from, and who was on at the last complete one.

The worker writes its lists into the container ``sweeps``. The baseline is our own: gzipped JSON lines in the container
``evidence``, which the worker cannot write, and a row ``baseline`` of the table Feed that names it by hash and lists
the accounts for the console, as many as fit.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.sweep_list import ROW, TABLE, columns_of
from bypass_responder.adapters.sweep_list import moment_of as _moment
from bypass_responder.adapters.table_rows import corrupt, row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, InputError, NotFoundError
from bypass_responder.model.sweep import Baseline, BaselineEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.data.tables.aio import TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient

UNREADABLE = (KeyError, ValueError, TypeError, EOFError, OSError, StopIteration, zlib.error, NotFoundError)
"""Raised for a row or blob that was edited by hand."""
COLUMNS = ["PartitionKey", "RowKey", "Body"]
"""Without the list for the console."""
LARGEST_BYTES = 256 * 1024 * 1024


class SweepStore:
    """``ports.SweepStore``.

    Permissions: Storage Table Data Contributor, Storage Blob Data Contributor, for the lists Storage Blob Data Reader.
    """

    def __init__(self, tables: TableServiceClient, blobs: BlobServiceClient, tenant_id: str) -> None:
        """Take the clients; nothing connects before the first call."""
        self._table = tables.get_table_client(TABLE)
        self._lists = blobs.get_container_client("sweeps")
        self._evidence = blobs.get_container_client("evidence")
        self._tenant = tenant_id

    async def content(self, blob: str) -> bytes:
        """The bytes of a list. Raises NotFoundError, or InputError when it is larger than any list can be."""
        with translated(f"the list of a sweep, {blob}"):
            download = await self._lists.download_blob(blob)
            if download.size > LARGEST_BYTES:
                raise InputError("corrupt_sweep", f"the list {blob} has {download.size} bytes")
            return bytes(await download.readall())

    async def baseline(self) -> Baseline | None:
        """The last complete sweep, None before the first. Raises InputError when it is malformed."""
        row = await row_or_none(self._table, self._tenant, ROW, "the baseline", select=COLUMNS)
        if row is None:
            return None
        try:
            stored: dict[str, Any] = json.loads(row["Body"])
            with translated("the baseline"):
                packed = await (await self._evidence.download_blob(stored["blob"])).readall()
            return Baseline(
                command_id=str(stored["command_id"]),
                started_at=_moment(stored["started_at"]),
                scanned=int(stored["scanned"]),
                entries=await asyncio.to_thread(_unpacked, packed, stored["sha256"]),
                first_at=_moment(stored["first_at"]),
                moved_at=_moment(stored["moved_at"]),
                blob=str(stored["blob"]),
                etag=str(row.metadata["etag"]),
            )
        except UNREADABLE as problem:
            raise corrupt(row, TABLE, problem) from problem

    async def replace_baseline(self, baseline: Baseline) -> None:
        """Replace the one with its etag. Raises ConflictError when another one was stored meanwhile."""
        data = _packed(baseline.entries)
        sha256 = hashlib.sha256(data).hexdigest()
        name = f"{self._tenant}/baseline-{sha256}"
        packed = await asyncio.to_thread(gzip.compress, data, mtime=0)
        with suppress(ConflictError), translated("the baseline"):
            await self._evidence.upload_blob(name, packed, overwrite=False)
        moments = {"started_at": baseline.started_at, "first_at": baseline.first_at, "moved_at": baseline.moved_at}
        stored = {"blob": name, "sha256": sha256, "scanned": baseline.scanned, "command_id": baseline.command_id}
        body = json.dumps(stored | {name: moment.isoformat() for name, moment in moments.items()})
        entity = {"PartitionKey": self._tenant, "RowKey": ROW, "Body": body, "On": len(baseline.entries)}
        entity |= await asyncio.to_thread(columns_of, baseline.entries.values())
        await write_if_unchanged(self._table, entity, baseline.etag, "the baseline")
        if baseline.blob not in {"", name}:
            with suppress(NotFoundError), translated("the last baseline"):
                await self._evidence.delete_blob(baseline.blob)


def _packed(entries: Mapping[str, BaselineEntry]) -> bytes:
    """JSON lines, so that no more than one of them is in memory twice: the moments, then an object each.

    ``[Exchange GUID, object id, name, number of its moment, covered]``
    """
    moments = {moment: number for number, moment in enumerate(sorted({entry.on_since for entry in entries.values()}))}
    lines: list[list[object]] = [[moment.isoformat() for moment in moments]]
    lines += [
        [entry.exchange_guid, entry.object_id, entry.name, moments[entry.on_since], entry.covered]
        for entry in entries.values()
    ]
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()


def _unpacked(packed: bytes, sha256: str) -> dict[str, BaselineEntry]:
    """Raises ValueError when it does not match its row."""
    digest = hashlib.sha256()
    entries: dict[str, BaselineEntry] = {}
    with gzip.open(io.BytesIO(packed)) as lines:
        first = next(lines)
        digest.update(first)
        moments = [_moment(text) for text in json.loads(first)]
        for line in lines:
            digest.update(line)
            guid, object_id, name, number, covered = json.loads(line)
            entries[object_id or guid] = BaselineEntry(object_id, name, moments[number], covered, guid)
    if digest.hexdigest() != sha256:
        msg = "the hash of its list does not match the row"
        raise ValueError(msg)
    return entries
