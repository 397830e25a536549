"""One Azurite for the run, a tenant id for each test, and clients of the test's own event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from azure.core.pipeline import PipelineRequest
from azure.data.tables.aio import TableServiceClient
from pydantic import SecretStr

from bypass_responder.adapters.storage_clients import StorageClients, connect, create_storage
from bypass_responder.settings import Storage
from sandbox.tenant.server import serving
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

QUEUES = ("contract-commands", "contract-results")


@pytest.fixture(scope="session")
def storage(azurite: str) -> Storage:
    """The data account, with everything created."""
    account = Storage(connection_string=SecretStr(azurite))

    async def create() -> None:
        clients = connect(account)
        await create_storage(clients, queues=QUEUES)
        await clients.close()

    asyncio.run(create())
    return account


@pytest.fixture
async def clients(storage: Storage) -> AsyncIterator[StorageClients]:
    connected = connect(storage)
    yield connected
    await connected.close()


@dataclass
class Counted:
    """Tables whose requests are listed by their methods."""

    tables: TableServiceClient
    requests: list[str] = field(default_factory=list)


@pytest.fixture
async def counted(storage: Storage) -> AsyncIterator[Counted]:
    assert storage.connection_string is not None
    text = storage.connection_string.get_secret_value()
    requests: list[str] = []

    def count(request: PipelineRequest[Any]) -> None:
        requests.append(request.http_request.method)

    async with TableServiceClient.from_connection_string(text, raw_request_hook=count) as tables:
        yield Counted(tables, requests)


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Tenant, str]]:
    shared = Tenant()
    with serving(shared) as url:
        yield shared, url


@pytest.fixture
def stand_in(served: tuple[Tenant, str]) -> Tenant:
    """A stand-in tenant in its first state, that replicates at once."""
    shared, _ = served
    vars(shared).update(vars(Tenant(settings=Settings(exchange_delay_seconds=0, graph_delay_seconds=0))))
    return shared


@pytest.fixture
def stand_in_url(stand_in: Tenant, served: tuple[Tenant, str]) -> str:
    return served[1]
