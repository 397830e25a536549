"""The app's last self-check: one row of the table Feed, read by `bypassctl doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from azure.data.tables import UpdateMode
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none
from bypass_responder.model.self_check import SelfCheck

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

TABLE, ROW = "Feed", "self-check"


class SelfCheckTable:
    """``operating.self_check.SelfCheckStore``.

    Permission: Storage Table Data Contributor, to read Storage Table Data Reader.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def save(self, check: SelfCheck) -> None:
        """Replace the previous self-check, from any instance of the app."""
        row = {"PartitionKey": self._tenant, "RowKey": ROW, "At": check.at, "Body": check.model_dump_json()}
        with translated("the app's self-check"):
            await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    async def last(self) -> SelfCheck | None:
        """The last one, None before the first. Raises InputError when it cannot be read."""
        row = await row_or_none(self._table, self._tenant, ROW, "the app's self-check")
        if row is None:
            return None
        try:
            return SelfCheck.model_validate_json(str(row.get("Body", "")))
        except ValidationError as problem:
            raise corrupt(row, TABLE, f"{problem.error_count()} fields are wrong") from problem
