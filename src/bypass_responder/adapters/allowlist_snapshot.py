"""The allowlist rows' ETags at the last run: a gzipped JSON blob in the container ``evidence``."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from azure.core import MatchConditions

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.errors import NotFoundError
from bypass_responder.model.allowlist import Snapshot

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobServiceClient

DIGEST, COMPARISON = "digest", "comparison"
"""Beside the rows, whose keys are object ids or have a slash: when people were last sent the entries that expire, and
the number of the comparison."""
UNREADABLE = (ValueError, TypeError, EOFError, OSError, AttributeError, zlib.error)
"""Raised for a blob that was edited manually."""


class BlobAllowlistSnapshot:
    """``ports.AllowlistSnapshot``. Permission: Storage Blob Data Contributor."""

    def __init__(self, service: BlobServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._blob = service.get_blob_client("evidence", f"{tenant_id}/allowlist-etags.json.gz")

    async def read(self) -> Snapshot | None:
        """None when there is no such blob. One that cannot be read is empty, and is replaced."""
        try:
            with translated("the allowlist's snapshot"):
                download = await self._blob.download_blob()
                packed = bytes(await download.readall())
        except NotFoundError:
            return None
        etag = str(download.properties.etag)
        try:
            rows = json.loads(await asyncio.to_thread(gzip.decompress, packed))
            sent = rows.pop(DIGEST, None)
            digest_at = datetime.fromisoformat(sent).astimezone(UTC) if sent else None
            comparison = int(rows.pop(COMPARISON, 0))
            return Snapshot({str(row): str(tag) for row, tag in rows.items()}, etag, digest_at, comparison)
        except UNREADABLE:
            return Snapshot({}, etag)

    async def replace(self, snapshot: Snapshot) -> str:
        """Store it in place of the one with its etag. Returns the new etag."""
        digest = {DIGEST: snapshot.digest_at.isoformat()} if snapshot.digest_at else {}
        data = json.dumps({**snapshot.rows, **digest, COMPARISON: snapshot.comparison}, separators=(",", ":")).encode()
        packed = await asyncio.to_thread(gzip.compress, data, mtime=0)
        with translated("the allowlist's snapshot"):
            if snapshot.etag is None:
                stored = await self._blob.upload_blob(packed, overwrite=False)
            else:
                condition = MatchConditions.IfNotModified
                stored = await self._blob.upload_blob(
                    packed, overwrite=True, etag=snapshot.etag, match_condition=condition
                )
        return str(stored["etag"])
