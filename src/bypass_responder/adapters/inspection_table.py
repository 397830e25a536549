"""Answers to questions about accounts: rows of the table Feed, under the hash of each name asked for."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from azure.data.tables import UpdateMode
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none
from bypass_responder.errors import NotFoundError
from bypass_responder.model.inspection import Inspection, folded

if TYPE_CHECKING:
    from datetime import datetime

    from azure.data.tables.aio import TableServiceClient

TABLE = "Feed"
WHAT = "the answer about an account"
_DELETED_AT_ONCE = 100


class TableInspections:
    """``ports.Inspections``.

    Permission: Storage Table Data Contributor, to read Storage Table Data Reader.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def save(self, inspection: Inspection) -> None:
        """Replace what is stored under each of its names, in one transaction."""
        body = {"At": inspection.at, "Body": inspection.model_dump_json()}
        rows = [{"PartitionKey": self._tenant, "RowKey": _key(name)} | body for name in inspection.names]
        with translated(WHAT):
            await self._table.submit_transaction([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows])

    async def of(self, name: str) -> Inspection | None:
        """The last answer about this name. Raises InputError when it cannot be read."""
        row = await row_or_none(self._table, self._tenant, _key(folded(name)), WHAT)
        if row is None:
            return None
        try:
            return Inspection.model_validate_json(str(row.get("Body", "")))
        except ValidationError as problem:
            raise corrupt(row, TABLE, f"{problem.error_count()} fields are wrong") from problem

    async def forget_before(self, moment: datetime) -> None:
        """Delete answers from before a moment, at most 100."""
        query = "PartitionKey eq @tenant and RowKey ge 'account-' and RowKey lt 'account.' and At lt @moment"
        names = {"tenant": self._tenant, "moment": moment}
        with translated(WHAT):
            found = self._table.query_entities(query, parameters=names, select=["PartitionKey", "RowKey"])
            old = [row async for row in found][:_DELETED_AT_ONCE]
        for row in old:
            with suppress(NotFoundError), translated(WHAT):  # another host was first
                await self._table.delete_entity(row["PartitionKey"], row["RowKey"])


def _key(name: str) -> str:
    return f"account-{hashlib.sha256(name.encode()).hexdigest()}"
