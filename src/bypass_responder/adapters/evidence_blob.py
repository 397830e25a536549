"""Raw input: inline up to 32 KiB, else gzipped in the container ``evidence`` under its SHA-256."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.errors import ConflictError
from bypass_responder.model.finding import Evidence

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobServiceClient

CONTAINER = "evidence"
INLINE_BYTES = 32 * 1024


class BlobEvidenceStore:
    """The evidence of one tenant. Permission: Storage Blob Data Contributor."""

    def __init__(self, service: BlobServiceClient, tenant_id: str) -> None:
        """Take the client.

        Short evidence does not use it, so the first alert does not wait for the SDK of blobs.
        """
        self._service = service
        self._tenant = tenant_id

    async def keep(self, raw: str) -> Evidence:
        """Keep the text. Length and hash are of its UTF-8; lone surrogates are escaped first."""
        data = raw.encode(errors="backslashreplace")
        sha256 = hashlib.sha256(data).hexdigest()
        if len(data) <= INLINE_BYTES:
            return Evidence(text=data.decode(), length_bytes=len(data), sha256=sha256)
        from azure.storage.blob import ContentSettings

        name = f"{self._tenant}/{sha256}"
        packed = await asyncio.to_thread(gzip.compress, data, mtime=0)
        kind = ContentSettings(content_type="text/plain; charset=utf-8", content_encoding="gzip")
        with suppress(ConflictError), translated(f"the evidence {sha256}"):
            container = self._service.get_container_client(CONTAINER)
            await container.upload_blob(name, packed, overwrite=False, content_settings=kind)
        return Evidence(blob=name, length_bytes=len(data), sha256=sha256)
