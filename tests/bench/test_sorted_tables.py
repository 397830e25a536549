"""The table service of a bench answers the index as Azurite does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from azure.data.tables.aio import TableServiceClient

from bench.incident_pages import IndexRows
from bench.sorted_tables import SortedTable
from bypass_responder.adapters.index_table import TableIndex
from bypass_responder.adapters.storage_clients import StorageClients
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import IndexFilter
from sandbox.populate import accounts, store_index

NOW = datetime(2026, 3, 2, tzinfo=UTC)


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
