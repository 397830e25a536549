"""Permissions that were granted and removed: rows of the table Feed under ``{tenant}_permissions``."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from azure.data.tables import UpdateMode
from pydantic import TypeAdapter, ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import batches, body_of, corrupt, text_of
from bypass_responder.errors import NotFoundError
from bypass_responder.model.health import newest_first
from bypass_responder.model.permission_change import Deferred, PermissionChange

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
    from datetime import datetime

    from azure.data.tables.aio import TableServiceClient

TABLE = "Feed"
_AT_ONCE = 50
"""Each change has two rows, and a transaction holds 100."""
_KEYS = ["PartitionKey", "RowKey"]
_DEFERRED_CHARACTERS = 200_000
"""Of changes as JSON in one row, which holds 480,000: the last change may be long."""
_CHANGES = TypeAdapter(tuple[PermissionChange, ...])


class PermissionTable:
    """``ports.Permissions``.

    Permission: Storage Table Data Contributor, to read Storage Table Data Reader.
    A change has the row ``at-{newest first}-{object}-{pair}-{record}``, by which all are listed and forgotten, and
    ``of-{object}-{newest first}-{pair}-{record}``, by which its opposite is found. What is deferred has
    ``deferred-{at}-{digest}``.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._partition = f"{tenant_id}_permissions"

    async def note(self, changes: Sequence[PermissionChange]) -> None:
        """Write both rows of up to 50 changes in a transaction. A change that is known is written again."""
        by_key = {_at_key(each): each for each in changes}
        for batch in batches(by_key.items(), _AT_ONCE):
            rows = [self._row(name, each) for key, each in batch for name in (key, _of_key(key))]
            with translated("Noting permissions"):
                await self._table.submit_transaction([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in rows])

    async def of(self, key: str, limit: int) -> list[PermissionChange]:
        """Read the beginning of one range. Raises InputError on a corrupt row."""
        return [_parsed(row) async for row in self._first(f"of-{key}-", f"of-{key}.", limit)]

    async def newest(self, since: datetime, limit: int) -> list[PermissionChange]:
        """Read the beginning of one range. Raises InputError on a corrupt row."""
        return [_parsed(row) async for row in self._first("at-", f"at-{newest_first(since)}.", limit)]

    async def defer(self, changes: Sequence[PermissionChange], at: datetime) -> None:
        """Write a row for as many changes as fit into it."""
        for text in _packed(changes):
            key = f"deferred-{at:%Y%m%dT%H%M%S%f}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"
            with translated("Deferring permissions"):
                await self._table.upsert_entity(
                    {"PartitionKey": self._partition, "RowKey": key} | body_of(text), mode=UpdateMode.REPLACE
                )

    async def deferred(self, limit: int) -> list[Deferred]:
        """Read the beginning of one range. Raises InputError on a corrupt row."""
        return [_parsed_deferred(row) async for row in self._first("deferred-", "deferred.", limit)]

    async def drop_deferred(self, key: str) -> None:
        """Delete one row; another run may have deleted it."""
        with suppress(NotFoundError), translated("Dropping deferred permissions"):
            await self._table.delete_entity(self._partition, key)

    async def forget_before(self, moment: datetime) -> int:
        """Delete both rows of up to 50 changes in a transaction."""
        rows = self._range(f"at-{newest_first(moment)}.", "at.", select=_KEYS)
        keys = [row["RowKey"] async for row in rows]
        for batch in batches(keys, _AT_ONCE):
            gone = [{"PartitionKey": self._partition, "RowKey": name} for key in batch for name in (key, _of_key(key))]
            try:
                with translated("Forgetting old permissions"):
                    await self._table.submit_transaction([("delete", row) for row in gone])
            except NotFoundError:
                break  # another run is at it
        return len(keys)

    async def _first(self, first: str, end: str, limit: int) -> AsyncIterator[Any]:
        left = limit
        async for row in self._range(first, end):
            yield row
            left -= 1
            if left <= 0:
                break

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
        return {"PartitionKey": self._partition, "RowKey": key} | body_of(change.model_dump_json())


def _packed(changes: Iterable[PermissionChange]) -> Iterator[str]:
    """Yield the changes as JSON lists, each about as long as a row should be."""
    texts: list[str] = []
    length = 0
    for change in changes:
        texts.append(change.model_dump_json())
        length += len(texts[-1])
        if length > _DEFERRED_CHARACTERS:
            yield f"[{','.join(texts)}]"
            texts, length = [], 0
    if texts:
        yield f"[{','.join(texts)}]"


def _at_key(change: PermissionChange) -> str:
    return f"at-{newest_first(change.occurred_at)}-{change.object}-{change.pair}-{change.record_id}"


def _of_key(at_key: str) -> str:
    _, at, of, rest = at_key.split("-", 3)
    return f"of-{of}-{at}-{rest}"


def _parsed(row: Any) -> PermissionChange:  # noqa: ANN401 - TableEntity holds any values
    try:
        return PermissionChange.model_validate_json(text_of(row))
    except (KeyError, TypeError, ValidationError) as problem:
        raise corrupt(row, TABLE, problem) from problem


def _parsed_deferred(row: Any) -> Deferred:  # noqa: ANN401 - TableEntity holds any values
    try:
        return Deferred(row["RowKey"], _CHANGES.validate_json(text_of(row)))
    except (KeyError, TypeError, ValidationError) as problem:
        raise corrupt(row, TABLE, problem) from problem
