"""The table service of a bench answers the index as Azurite does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from azure.data.tables.aio import TableServiceClient
from pydantic import SecretStr

from bench.incident_pages import IndexRows
from bench.sorted_tables import SortedTable
from bypass_responder.adapters.index_table import TableIndex
from bypass_responder.adapters.storage_clients import StorageClients, connect, create_storage
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import IndexFilter
from bypass_responder.settings import Storage
from sandbox.populate import accounts, store_index

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
async def clients(azurite: str) -> AsyncIterator[StorageClients]:
    connected = connect(Storage(connection_string=SecretStr(azurite)))
    await create_storage(connected, queues=())
    yield connected
    await connected.close()


@pytest.fixture
def tenant_id() -> str:
    return str(uuid4())


@pytest.mark.parametrize(
    "wanted",
    [
        IndexFilter(kinds=("incident",)),
        IndexFilter(account="user00001@contoso.onmicrosoft.com"),
        IndexFilter(statuses=(IncidentStatus.CLOSED, IncidentStatus.RELEASED)),
        IndexFilter(statuses=(IncidentStatus.HELD, IncidentStatus.FAILED), oldest_first=True),
    ],
)
async def test_it_answers_as_azurite_does(clients: StorageClients, tenant_id: str, wanted: IndexFilter) -> None:
    azurite, writer = TableIndex(clients.tables, tenant_id), IndexRows(tenant_id)
    for incidents in accounts(70, now=NOW):
        await store_index(incidents, azurite)
        writer.add(incidents)
    async with SortedTable(writer.rows).served() as text, TableServiceClient.from_connection_string(text) as tables:
        page = await TableIndex(tables, tenant_id).page(wanted, limit=20)

    assert page == await azurite.page(wanted, limit=20)
