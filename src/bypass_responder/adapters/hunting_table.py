"""The memory of the hunting sensor, and the arrivals of records, in the table ``Feed``."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import batches, corrupt, row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.model.base import Value
from bypass_responder.model.hunting import Arrival, HuntingState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from azure.data.tables.aio import TableServiceClient

    from bypass_responder.model.feed import Window

V = TypeVar("V", bound=Value)
TABLE = "Feed"
_STATE = "hunting"
_TRANSACTION_ROWS = 100


class HuntingTable:
    """``ports.HuntingStore`` on Azure Tables, in the partition of the tenant.

    Rows: ``hunting`` · ``arrival-<event>-<hash of the record>-<sensor>``. ``Body`` is the value as JSON. Role: Storage
    Table Data Contributor.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._tenant_id = tenant_id

    async def state(self) -> HuntingState:
        """Raises InputError when the row is malformed."""
        row = await row_or_none(self._table, self._tenant_id, _STATE, "Reading the state of the hunting sensor")
        if row is None:
            return HuntingState()
        return _parsed(HuntingState, row).model_copy(update={"etag": row.metadata["etag"]})

    async def save(self, state: HuntingState) -> None:
        """Insert it when it has no etag, else replace the row that has this etag. Raises ConflictError."""
        row = self._row(_STATE, Body=state.model_dump_json(exclude={"etag"}))
        await write_if_unchanged(self._table, row, state.etag, "Saving the state of the hunting sensor")

    async def note(self, arrivals: Sequence[Arrival]) -> None:
        """Insert up to 100 in a call; where one of them is known, read which, and insert the others."""
        rows = {row["RowKey"]: row for row in map(self._arrival, arrivals)}
        for batch in batches((rows[key] for key in sorted(rows)), _TRANSACTION_ROWS):
            try:
                await self._insert_all(batch)
            except ConflictError:
                await self._insert_unknown(batch)

    async def _insert_all(self, batch: Sequence[dict[str, Any]]) -> None:
        with translated("Noting arrivals"):
            await self._table.submit_transaction([("create", row) for row in batch])

    async def _insert_unknown(self, batch: Sequence[dict[str, Any]]) -> None:
        """Insert what is not there; one by one where another run inserts the same."""
        bounds = batch[0]["RowKey"], f"{batch[-1]['RowKey']}!"
        known = {row["RowKey"] async for row in self._range(*bounds, select=["PartitionKey", "RowKey"])}
        unknown = [row for row in batch if row["RowKey"] not in known]
        try:
            if unknown:
                await self._insert_all(unknown)
        except ConflictError:
            for row in unknown:
                await self._insert(row)

    async def _insert(self, row: dict[str, Any]) -> None:
        try:
            with translated("Noting an arrival"):
                await self._table.create_entity(row)
        except ConflictError:
            pass  # the first one stands

    async def arrivals(self, window: Window) -> list[Arrival]:
        """By the time of the event."""
        bounds = _key(window.start), _key(window.end)
        return [_parsed(Arrival, row) async for row in self._range(*bounds)]

    async def forget_before(self, moment: datetime) -> int:
        """Delete up to 100 in a call."""
        keys = [row["RowKey"] async for row in self._range("arrival-", _key(moment), select=["PartitionKey", "RowKey"])]
        for batch in batches(keys, _TRANSACTION_ROWS):
            try:
                with translated("Forgetting old arrivals"):
                    await self._table.submit_transaction([("delete", self._row(key)) for key in batch])
            except NotFoundError:
                break  # another run is at it
        return len(keys)

    def _arrival(self, arrival: Arrival) -> dict[str, Any]:
        mark = hashlib.sha256(arrival.record_id.encode()).hexdigest()[:40]
        key = f"{_key(arrival.occurred_at)}-{mark}-{arrival.sensor}"
        return self._row(key, Body=arrival.model_dump_json())

    async def _range(self, first: str, end: str, *, select: list[str] | None = None) -> AsyncIterator[Any]:
        rows = self._table.query_entities(
            "PartitionKey eq @tenant and RowKey ge @first and RowKey lt @end",
            parameters={"tenant": self._tenant_id, "first": first, "end": end},
            select=select,
        )
        with translated("Listing arrivals"):
            async for row in rows:
                yield row

    def _row(self, key: str, **columns: object) -> dict[str, Any]:
        return {"PartitionKey": self._tenant_id, "RowKey": key, **columns}


def _parsed(kind: type[V], row: Any) -> V:  # noqa: ANN401 - TableEntity holds any values
    try:
        return kind.model_validate_json(row["Body"])
    except (KeyError, ValidationError) as problem:
        raise corrupt(row, TABLE, problem) from problem


def _key(moment: datetime) -> str:
    return f"arrival-{moment:%Y%m%dT%H%M%S%f}"
