"""A responder on Azurite and the stand-in tenant, whose storage calls are counted and made slower.

The calls are counted on the wire.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.core.pipeline.transport import AioHttpTransport
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from bypass_responder import bootstrap
from bypass_responder.adapters import storage_clients
from bypass_responder.adapters.storage_clients import StorageClients
from sandbox.azurite import Azurite
from sandbox.tenant.server import environment, serving

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Mapping

    from azure.core.credentials_async import AsyncTokenCredential

    from bypass_responder.bootstrap import Responder
    from bypass_responder.settings import Storage
    from sandbox.tenant.state import Tenant


GRAPH_SECONDS, STORAGE_SECONDS = 0.1, 0.005
"""What a stand-in takes more for each call."""


@dataclass
class Latency:
    """How much longer each call takes, at present."""

    seconds: float = 0.0

    async def pass_by(self) -> None:
        """Wait as long as a call does."""
        if self.seconds:
            await asyncio.sleep(self.seconds)


@contextmanager
def enforcing(tenant: Tenant, **settings: str) -> Iterator[dict[str, str]]:
    """Azurite and ``tenant``, served at ``GRAPH_URL``; gives the settings of a responder that acts."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Azurite(log=Path(folder) / "azurite.log") as azurite,
        serving(tenant) as url,
    ):
        os.environ.update(environment(url))
        yield {
            "TENANT_ID": tenant.settings.tenant_id,
            "ResponderStorage": azurite.connection_string,
            "GRAPH_URL": url,
            "MANAGEMENT_API_URL": url,
            "MODE": "enforce",
            "PROTECTED_OBJECT_IDS": "none",
            **settings,
        }


def build_counted(
    env: Mapping[str, str],
    counts: Counter[str],
    writes: Counter[str] | None = None,
    *,
    latency: Latency | None = None,
) -> Responder:
    """Build as ``bootstrap.build`` does, and count each HTTP request to storage.

    A request, tried again or not, adds one to ``table``, ``queue`` or ``blob``. What is no GET or HEAD adds one to the
    same in ``writes`` as well. Each request takes ``latency`` more.
    """

    def wire(service: str) -> _Wire:
        return _Wire(service, counts, writes, latency or Latency())

    def connect(
        storage: Storage,  # noqa: ARG001 - as its original
        credential: AsyncTokenCredential | None = None,  # noqa: ARG001 - the same
        *,
        short_lived: bool = False,  # noqa: ARG001 - the same
    ) -> StorageClients:
        text = env["ResponderStorage"]
        return StorageClients(
            tables=TableServiceClient.from_connection_string(text, transport=wire("table")),
            queues=QueueServiceClient.from_connection_string(text, transport=wire("queue")),
            blobs=BlobServiceClient.from_connection_string(text, transport=wire("blob")),
        )

    real, storage_clients.connect = storage_clients.connect, connect
    try:
        return bootstrap.build(env)
    finally:
        storage_clients.connect = real


def counted_transport(counts: Counter[str]) -> AioHttpTransport:
    """The SDK's transport; each request adds one to ``table``."""
    return _Wire("table", counts, None, Latency())


class _Wire(AioHttpTransport):  # type: ignore[misc] # untyped in azure-core
    """The SDK's transport, counted and slower."""

    def __init__(self, service: str, counts: Counter[str], writes: Counter[str] | None, latency: Latency) -> None:
        super().__init__()
        self._service = service
        self._counts = counts
        self._writes = writes
        self._latency = latency

    async def send(self, request: Any, **config: Any) -> Any:  # noqa: ANN401 - as inherited
        """Count, wait, send."""
        self._counts[self._service] += 1
        if self._writes is not None and request.method not in {"GET", "HEAD"}:
            self._writes[self._service] += 1
        await self._latency.pass_by()
        return await super().send(request, **config)
