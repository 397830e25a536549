"""Clients of the data account, keyless or by connection string, and the resources that they need.

The SDKs' own retry is the only layer: two short ones, so that a call ends within about ten seconds. Each adapter
says what it needs, and infra/modules/roles.bicep gives it on the one table, queue or container. Permission of the
function host, for its own queue triggers: Storage Queue Data Contributor.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.errors import SettingError
from bypass_responder.late import closing, late
from bypass_responder.model.dead_letters import DEAD_LETTERS
from bypass_responder.settings import Storage

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

TABLES = ("Allowlist", "Ledger", "Work", "CaseIndex", "Feed", "Checkpoints", "Evidence")
CONTAINERS = ("evidence", "log-checkpoints", "sweeps", "reads", "plans", DEAD_LETTERS)
OF_THE_WORKER = ("changes",)
"""Containers that the app itself never reaches."""

_TIMES: dict[str, Any] = {"connection_timeout": 3, "read_timeout": 5}
_FOR_TABLES: dict[str, Any] = _TIMES | {"retry_total": 2, "retry_backoff_factor": 0.2, "timeout": 10}
MOST_THREADS = 32
"""Threads that asyncio starts at most."""
_BACKOFF = {"initial_backoff": 1, "increment_base": 1, "random_jitter_range": 1}
_FOR_OTHERS: dict[str, Any] = _TIMES | _BACKOFF | {"retry_total": 2}


@dataclass(frozen=True)
class StorageClients:
    """The three service clients of one data account. They belong to the event loop of their first call."""

    tables: TableServiceClient
    queues: QueueServiceClient
    blobs: BlobServiceClient

    async def close(self) -> None:
        """Close the connections."""
        await self.tables.close()
        await closing(self.queues)()
        await closing(self.blobs)()


def connect(
    storage: Storage, credential: AsyncTokenCredential | None = None, *, short_lived: bool = False
) -> StorageClients:
    """Build the clients; the first call connects. Raises SettingError when a part is missing.

    ``short_lived``: for a process that ends after some calls, see ``_requests_transport``.
    """
    transport = _requests_transport if short_lived else dict
    of_rows = _requests_transport(of_rows=True) if short_lived else {}
    if storage.connection_string is not None:
        text = storage.connection_string.get_secret_value()
        try:
            tables = TableServiceClient.from_connection_string(text, **_FOR_TABLES, **of_rows)
        except ValueError as problem:
            raise SettingError("ResponderStorage is not a valid storage connection string.") from problem
        return StorageClients(
            tables, late(lambda: _queues_by_key(text, transport())), late(lambda: _blobs_by_key(text, transport()))
        )
    addresses = (storage.table_service_uri, storage.queue_service_uri, storage.blob_service_uri)
    if credential is None or not all(addresses):
        raise SettingError(
            "Set ResponderStorage to a connection string, or to three service addresses and an identity."
        )
    table_uri, queue_uri, blob_uri = (str(address) for address in addresses)
    return StorageClients(
        TableServiceClient(table_uri, credential=credential, **_FOR_TABLES, **of_rows),
        late(lambda: _queues(queue_uri, credential, transport())),
        late(lambda: _blobs(blob_uri, credential, transport())),
    )


def _requests_transport(*, of_rows: bool = False) -> dict[str, Any]:
    """Return the transport on requests, which azure-identity imports in any case.

    Importing aiohttp, which serves many calls at once, takes a third of the CPU time of a command.
    """
    from azure.core.pipeline.transport import AsyncioRequestsTransport
    from yarl import URL

    class Transport(AsyncioRequestsTransport):  # type: ignore[misc] # untyped in azure-core
        """Sends the path of a row as the SDK of tables signs it: ``@``, where aiohttp sends ``%40``.

        Source: azure-data-tables 12.7, ``_authentication.py``.
        """

        async def send(self, request: Any, **given: Any) -> Any:  # noqa: ANN401 - as inherited
            """Write the address as aiohttp does, and send."""
            if of_rows:
                request.url = str(URL(request.url))
            return await super().send(request, **given)

    transport = Transport(connection_timeout=(_TIMES["connection_timeout"], _TIMES["read_timeout"]))
    transport.open()
    for scheme in ("http://", "https://"):  # a connection for each thread, or urllib3 warns that it drops some
        transport.session.get_adapter(scheme).init_poolmanager(1, MOST_THREADS)
    return {"transport": transport}


def _queues_by_key(text: str, transport: Mapping[str, Any]) -> QueueServiceClient:
    from azure.storage.queue.aio import QueueServiceClient

    return QueueServiceClient.from_connection_string(text, **_FOR_OTHERS, **transport)


def _blobs_by_key(text: str, transport: Mapping[str, Any]) -> BlobServiceClient:
    from azure.storage.blob.aio import BlobServiceClient

    return BlobServiceClient.from_connection_string(text, **_FOR_OTHERS, **transport)


def _queues(address: str, credential: AsyncTokenCredential, transport: Mapping[str, Any]) -> QueueServiceClient:
    from azure.storage.queue.aio import QueueServiceClient

    return QueueServiceClient(address, credential=credential, **_FOR_OTHERS, **transport)


def _blobs(address: str, credential: AsyncTokenCredential, transport: Mapping[str, Any]) -> BlobServiceClient:
    from azure.storage.blob.aio import BlobServiceClient

    return BlobServiceClient(address, credential=credential, **_FOR_OTHERS, **transport)


async def create_storage(clients: StorageClients, *, queues: Iterable[str]) -> None:
    """Create what is missing: tables, containers, and the named queues with their ``-poison`` twins.

    For the sandbox; in Azure the infrastructure creates them.
    """
    with translated("the tables, queues and containers of the data account"):
        for table in TABLES:
            await _unless_there(clients.tables.create_table(table))
        for container in (*CONTAINERS, *OF_THE_WORKER):
            await _unless_there(clients.blobs.create_container(container))
        for queue in queues:
            await _unless_there(clients.queues.create_queue(queue))
            await _unless_there(clients.queues.create_queue(f"{queue}-poison"))


async def _unless_there(creation: Awaitable[object]) -> None:
    with suppress(ResourceExistsError):
        await creation
