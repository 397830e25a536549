"""A responder on Azurite and the stand-in tenant, whose calls to storage are counted on the wire, by service."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

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
    from collections.abc import Callable, Iterator, Mapping

    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline import PipelineRequest
    from azure.core.rest import HttpRequest

    from bypass_responder.bootstrap import Responder
    from bypass_responder.settings import Storage
    from sandbox.tenant.state import Tenant


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


def build_counted(env: Mapping[str, str], counts: Counter[str], writes: Counter[str] | None = None) -> Responder:
    """As ``bootstrap.build``; each HTTP request, tried again or not, adds one to ``table``, ``queue`` or ``blob``.

    What is no GET or HEAD adds one to the same in ``writes`` as well.
    """

    def hook(service: str) -> Callable[[PipelineRequest[HttpRequest]], None]:
        def count(request: PipelineRequest[HttpRequest]) -> None:
            counts[service] += 1
            if writes is not None and request.http_request.method not in {"GET", "HEAD"}:
                writes[service] += 1

        return count

    def connect(storage: Storage, credential: AsyncTokenCredential | None = None) -> StorageClients:  # noqa: ARG001 - as its original
        text = env["ResponderStorage"]
        return StorageClients(
            tables=TableServiceClient.from_connection_string(text, raw_request_hook=hook("table")),
            queues=QueueServiceClient.from_connection_string(text, raw_request_hook=hook("queue")),
            blobs=BlobServiceClient.from_connection_string(text, raw_request_hook=hook("blob")),
        )

    real, storage_clients.connect = storage_clients.connect, connect
    try:
        return bootstrap.build(env)
    finally:
        storage_clients.connect = real
