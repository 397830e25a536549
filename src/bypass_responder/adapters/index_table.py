"""The listing of cases in Table Storage: partition tenant id, newest first; ``{tenant}_id`` finds a row by its id."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none
from bypass_responder.model.case import IndexEntry

TABLE = "CaseIndex"
_PAGE = 100
_SHOWN = 1_000
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


class TableIndex:
    """The index of one tenant. Permission: Storage Table Data Contributor."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id
        self._ids = f"{tenant_id}_id"

    async def put(self, entries: Sequence[IndexEntry]) -> None:
        """Write the lines, then the way to them: two transactions for every hundred entries."""
        for start in range(0, len(entries), _PAGE):
            batch = {entry.id: entry for entry in entries[start : start + _PAGE]}.values()
            lines = [self._line(_row_key(entry), entry) for entry in batch]
            pointers = [
                {"PartitionKey": self._ids, "RowKey": _key(entry.id), "Row": _row_key(entry)} for entry in batch
            ]
            with translated("the index"):
                for rows in (lines, pointers):
                    written: list[Any] = [("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows]
                    await self._table.submit_transaction(written)

    async def get(self, entry_id: str) -> IndexEntry | None:
        """Find by the whole id first, then by a beginning that only one id has."""
        if not entry_id:
            return None
        row = await self._row_of(_key(entry_id)) or await self._only_row_from(_key(entry_id))
        if row is None:
            return None
        entity = await row_or_none(self._table, self._tenant, row, f"the index entry {entry_id}")
        return _entry(entity) if entity else None

    async def newest(self, *, kinds: Sequence[str] | None = None) -> AsyncIterator[IndexEntry]:
        """Yield page by page; the service leaves out the kinds that were not asked for."""
        names = {"tenant": self._tenant} | {f"kind{number}": kind for number, kind in enumerate(kinds or ())}
        where = "PartitionKey eq @tenant"
        if kinds is not None:
            # the SDK finds a parameter only between spaces
            where += " and ( " + " or ".join(f"Kind eq @kind{number}" for number in range(len(kinds))) + " )"
        if kinds is not None and not kinds:
            return
        with translated("the index"):
            async for entity in self._table.query_entities(where, parameters=names, results_per_page=_PAGE):
                yield _entry(entity)

    def _line(self, row: str, entry: IndexEntry) -> dict[str, Any]:
        account = "".join(char if char.isprintable() else " " for char in entry.account[:_SHOWN])
        shown = {"Kind": entry.kind, "Status": entry.status, "At": entry.at, "Account": account}
        return {"PartitionKey": self._tenant, "RowKey": row, "Body": entry.model_dump_json()} | shown

    async def _row_of(self, key: str) -> str | None:
        entity = await row_or_none(self._table, self._ids, key, "the index")
        return str(entity["Row"]) if entity else None

    async def _only_row_from(self, key: str) -> str | None:
        after = key[:-1] + chr(ord(key[-1]) + 1)
        where = "PartitionKey eq @ids and RowKey ge @key and RowKey lt @after"
        names = {"ids": self._ids, "key": key, "after": after}
        rows: list[str] = []
        with translated("the index"):
            async for entity in self._table.query_entities(where, parameters=names, results_per_page=2):
                rows.append(entity["Row"])
                if len(rows) > 1:
                    return None
        return rows[0] if rows else None


def _key(entry_id: str) -> str:
    return _UNSAFE.sub(lambda found: f"!{ord(found[0]):x}!", entry_id)


def _row_key(entry: IndexEntry) -> str:
    remaining = (_END_OF_TIME - entry.at) // timedelta(microseconds=1)
    return f"{remaining:018d}-{_key(entry.id)}"


def _entry(entity: Any) -> IndexEntry:  # noqa: ANN401 - TableEntity is a dict of any values
    try:
        return IndexEntry.model_validate_json(entity["Body"])
    except (KeyError, ValidationError) as problem:
        raise corrupt(entity, TABLE, problem) from problem
