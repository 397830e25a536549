"""Permissions that were granted and removed: rows of the table Feed under ``{tenant}_permissions``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from azure.data.tables import UpdateMode
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import batches, corrupt
from bypass_responder.errors import NotFoundError
from bypass_responder.model.health import newest_first
from bypass_responder.model.permission_change import PermissionChange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from azure.data.tables.aio import TableServiceClient

TABLE = "Feed"
_AT_ONCE = 50
"""Each change has two rows, and a transaction holds 100."""
_KEYS = ["PartitionKey", "RowKey"]


class PermissionTable:
    """``ports.Permissions``. Permission: Storage Table Data Contributor, to read Storage Table Data Reader.

    A change has the row ``time-{newest first}-{pair}-{record}``, by which all are listed and forgotten, and
    ``pair-{pair}-{newest first}-{record}``, by which its opposite is found.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._partition = f"{tenant_id}_permissions"

    async def note(self, changes: Sequence[PermissionChange]) -> None:
        """Write both rows of up to 50 changes in a transaction. A change that is known is written again."""
        by_key = {_time_key(each): each for each in changes}
        for batch in batches(by_key.items(), _AT_ONCE):
            rows = [self._row(name, each) for key, each in batch for name in (key, _pair_key(key))]
            with translated("Noting permissions"):
                await self._table.submit_transaction([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows])

    async def of(self, pair: str) -> list[PermissionChange]:
        """Read one range. Raises InputError on a corrupt row."""
        return [_parsed(row) async for row in self._range(f"pair-{pair}-", f"pair-{pair}.")]

    async def newest(self, since: datetime, limit: int) -> list[PermissionChange]:
        """Read the beginning of one range. Raises InputError on a corrupt row."""
        found: list[PermissionChange] = []
        async for row in self._range("time-", f"time-{newest_first(since)}."):
            found.append(_parsed(row))
            if len(found) >= limit:
                break
        return found

    async def forget_before(self, moment: datetime) -> int:
        """Delete both rows of up to 50 changes in a transaction."""
        rows = self._range(f"time-{newest_first(moment)}.", "time.", select=_KEYS)
        keys = [row["RowKey"] async for row in rows]
        for batch in batches(keys, _AT_ONCE):
            gone = [
                {"PartitionKey": self._partition, "RowKey": name} for key in batch for name in (key, _pair_key(key))
            ]
            try:
                with translated("Forgetting old permissions"):
                    await self._table.submit_transaction([("delete", row) for row in gone])
            except NotFoundError:
                break  # another run is at it
        return len(keys)

    async def _range(self, first: str, end: str, *, select: list[str] | None = None) -> AsyncIterator[Any]:
        found = self._table.query_entities(
            "PartitionKey eq @partition and RowKey ge @first and RowKey lt @end",
            parameters={"partition": self._partition, "first": first, "end": end},
            select=select,
        )
        with translated("Reading permissions"):
            async for row in found:
                yield row

    def _row(self, key: str, change: PermissionChange) -> dict[str, Any]:
        return {"PartitionKey": self._partition, "RowKey": key, "Body": change.model_dump_json()}


def _time_key(change: PermissionChange) -> str:
    return f"time-{newest_first(change.occurred_at)}-{change.pair}-{change.record_id}"


def _pair_key(time_key: str) -> str:
    _, at, pair, record = time_key.split("-", 3)
    return f"pair-{pair}-{at}-{record}"


def _parsed(row: Any) -> PermissionChange:  # noqa: ANN401 - TableEntity holds any values
    try:
        return PermissionChange.model_validate_json(row["Body"])
    except (KeyError, ValidationError) as problem:
        raise corrupt(row, TABLE, problem) from problem
