"""Rows of the table Feed: the last self-check, the last log verification, the timers' last runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from azure.data.tables import UpdateMode
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none
from bypass_responder.model.self_check import LogVerification, SelfCheck

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

TABLE, ROW, VERIFICATION = "Feed", "self-check", "verification"
RUN = "timer-"
V = TypeVar("V", SelfCheck, LogVerification)


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
        await self._save(ROW, check)

    async def last(self) -> SelfCheck | None:
        """The last one, None before the first. Raises InputError when it cannot be read."""
        return await self._last(ROW, SelfCheck)

    async def save_verification(self, verification: LogVerification) -> None:
        """Replace the previous verification of the log."""
        await self._save(VERIFICATION, verification)

    async def last_verification(self) -> LogVerification | None:
        """The last one, None before the first. Raises InputError when it cannot be read."""
        return await self._last(VERIFICATION, LogVerification)

    async def save_run(self, timer: str, at: datetime) -> None:
        """Replace the time of a timer's last run, from any instance of the app."""
        with translated(f"the last run of {timer}"):
            row = {"PartitionKey": self._tenant, "RowKey": f"{RUN}{timer}", "At": at}
            await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    async def runs(self) -> dict[str, datetime]:
        """The rows of all timers."""
        query = "PartitionKey eq @tenant and RowKey ge @first and RowKey lt @end"
        names = {"tenant": self._tenant, "first": RUN, "end": f"{RUN}~"}
        with translated("the last runs of the timers"):
            rows = self._table.query_entities(query, parameters=names, select=["RowKey", "At"])
            return {str(row["RowKey"]).removeprefix(RUN): _utc(row["At"]) async for row in rows if "At" in row}

    async def _save(self, key: str, value: SelfCheck | LogVerification) -> None:
        row = {"PartitionKey": self._tenant, "RowKey": key, "At": value.at, "Body": value.model_dump_json()}
        with translated(f"the app's {key}"):
            await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)

    async def _last(self, key: str, kind: type[V]) -> V | None:
        row = await row_or_none(self._table, self._tenant, key, f"the app's {key}")
        if row is None:
            return None
        try:
            return kind.model_validate_json(str(row.get("Body", "")))
        except ValidationError as problem:
            raise corrupt(row, TABLE, f"{problem.error_count()} fields are wrong") from problem


def _utc(at: datetime) -> datetime:
    """Return a time of the service without the class of its SDK."""
    return datetime.fromisoformat(at.isoformat()).astimezone(UTC)
