"""One Azurite and one server for the folder; a tenant, and a responder of it, for each test."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from uuid import uuid4

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableClient

from bypass_responder.adapters.allowlist_table import TABLE as ALLOWLIST
from sandbox.tenant.client import SandboxClient
from sandbox.tenant.server import environment, serving
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant
from tests.e2e.live import Live

Start = Callable[..., Awaitable[Live]]


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Tenant, str]]:
    shared = Tenant()
    with serving(shared) as url:
        yield shared, url


@pytest.fixture
def stand_in(served: tuple[Tenant, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Tenant, str]:
    """A tenant with its own id, which replicates at once.

    This process has the responder's identity in it.
    """
    shared, url = served
    settings = Settings(tenant_id=str(uuid4()), exchange_delay_seconds=0, graph_delay_seconds=0)
    vars(shared).update(vars(Tenant(settings=settings)))
    for name in [name for name in os.environ if name.startswith(("AZURE_", "MSI_", "IDENTITY_"))]:
        monkeypatch.delenv(name)
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)
    return shared, url


@pytest.fixture
async def start(stand_in: tuple[Tenant, str], azurite: str) -> AsyncIterator[Start]:
    """Start the tenant's responder, with the test's own settings.

    At the end, the response log must verify.
    """
    tenant, url = stand_in
    started: list[Live] = []
    with SandboxClient(url) as client:

        async def begin(**settings: str) -> Live:
            started.append(await Live.start(tenant, client, azurite, **settings))
            return started[-1]

        yield begin
        problems = [await live.problems() for live in started if not live.tampered]
        for live in started:
            await live.aclose()
        await _empty_allowlist(azurite)
        assert [found for found in problems if found] == []


async def _empty_allowlist(azurite: str) -> None:
    """Delete every row: the tests' tenants share the table and, unlike real ones, the accounts' object ids."""
    with suppress(ResourceNotFoundError):
        async with TableClient.from_connection_string(azurite, ALLOWLIST) as table:
            async for row in table.list_entities(select=["PartitionKey", "RowKey"]):
                await table.delete_entity(row["PartitionKey"], row["RowKey"])


@pytest.fixture
async def live(start: Start) -> Live:
    """A responder in enforce mode whose first poll lies behind."""
    begun = await start()
    await begun.first_start()
    return begun


@pytest.fixture
async def held(start: Start) -> Live:
    """Over the limit: alex is revoked and restored, and the block waits for a person."""
    live = await start(CONTAINMENT_LIMIT_PER_HOUR="0")
    await live.first_start()
    live.attack("bypass", target="alex")
    await live.runs()
    return live
