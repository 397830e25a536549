"""The case index in Table Storage: one partition with several lists, so that each page is one range.

Row keys: ``id~`` and the id hold the entry; ``LIST~ORDER-id`` holds it again for each list that it is in, and
``tail~`` and what follows the date in an incident's id hold its whole id. An entry is written in one transaction.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from pydantic import ValidationError

from bypass_responder.adapters.index_keys import Range, key_of, keys_by_status, lists_of, ranges_of, where_of
from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none
from bypass_responder.errors import ConflictError, InputError, NotFoundError
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.listing import IndexEntry, IndexFilter, IndexPage

TABLE = "CaseIndex"
_PAGE = 100
_TRANSACTION = 100
_SHOWN = 1_000
_CURSOR = re.compile(r"[A-Za-z0-9._!~-]{1,600}\Z")
Operation = tuple[Any, ...]


class TableIndex:
    """The index of one tenant. Permission: Storage Table Data Contributor."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def put(self, entries: Sequence[IndexEntry], *, was: Mapping[str, str] = MappingProxyType({})) -> None:
        """Write as many entries in one transaction as fit.

        An incident that the index has otherwise is read first.
        """
        operations: list[Operation] = []
        together: list[IndexEntry] = []
        for entry in {entry.id: entry for entry in entries}.values():
            if entry.kind == "incident" and entry.id not in was:
                await self._replace(entry)
                continue
            new = self._operations(entry, was.get(entry.id, "recorded"))
            if len(operations) + len(new) > _TRANSACTION:
                await self._write(operations, together)
                operations, together = [], []
            operations += new
            together.append(entry)
        await self._write(operations, together)

    async def _write(self, operations: Sequence[Operation], entries: Sequence[IndexEntry]) -> None:
        if not operations:
            return
        try:
            with translated("the index"):
                await self._table.submit_transaction(list(operations))
        except (ConflictError, NotFoundError):  # the index has something else than the ledger knows
            for entry in entries:
                await self._replace(entry)

    async def _replace(self, entry: IndexEntry) -> None:
        """Read what the index has, take the entry off the lists that it leaves, and write it anew."""
        found = await row_or_none(self._table, self._tenant, f"id~{key_of(entry.id)}", "the index")
        keys = {*lists_of(entry)}
        for row in [] if found is None else [row for row in lists_of(_entry(found)) if row not in keys]:
            with translated("the index"):
                await self._table.delete_entity(self._tenant, row)
        upserts: list[Operation] = [("upsert", row, {"mode": UpdateMode.REPLACE}) for row in self._rows(entry)]
        with translated("the index"):
            await self._table.submit_transaction(upserts)

    def _operations(self, entry: IndexEntry, was: str) -> list[Operation]:
        """Return the changes, given the status that the index has: they fail together if it has another one."""
        replace = {"mode": UpdateMode.REPLACE}
        if entry.kind != "incident":
            return [("upsert", row, replace) for row in self._rows(entry)]
        if not was:
            first, *others = self._rows(entry)
            return [("create", first), *(("upsert", row, replace) for row in others)]
        before, now = {*keys_by_status(entry, was)}, {*keys_by_status(entry, entry.status)}
        written = [
            ("update" if row["RowKey"] in before else "upsert", row, replace)
            for row in self._rows(entry)
            if not row["RowKey"].startswith("tail~")
        ]
        gone = sorted(before - now)
        return [*written, *(("delete", {"PartitionKey": self._tenant, "RowKey": row}) for row in gone)]

    def _rows(self, entry: IndexEntry) -> list[dict[str, Any]]:
        """Return every row of the entry; the first one decides whether the index has it."""
        account = "".join(char if char.isprintable() else " " for char in entry.account[:_SHOWN])
        shown = {"Kind": entry.kind, "Status": entry.status, "At": entry.at}
        body = {"PartitionKey": self._tenant, "Body": entry.model_dump_json()} | shown
        rows = [body | {"RowKey": f"id~{key_of(entry.id)}", "Account": account}]
        rows += [body | {"RowKey": row} for row in lists_of(entry)]
        if entry.kind == "incident" and (tail := entry.id.partition("-")[2]):
            rows.append(
                {"PartitionKey": self._tenant, "RowKey": f"tail~{key_of(tail)}~{key_of(entry.id)}", "Id": entry.id}
            )
        return rows

    async def get(self, entry_id: str) -> IndexEntry | None:
        """Find by the whole id first, then by a part that only one id has."""
        if not entry_id:
            return None
        entity = await self._by_id(entry_id)
        if entity is None and len(ids := await self.matching(entry_id, 2)) == 1:
            entity = await self._by_id(ids[0])
        return _entry(entity) if entity else None

    async def _by_id(self, entry_id: str) -> Any:  # noqa: ANN401 - TableEntity holds any values
        return await row_or_none(self._table, self._tenant, f"id~{key_of(entry_id)}", f"the index entry {entry_id}")

    async def matching(self, text: str, limit: int) -> list[str]:
        """Read the keys that begin with the text, in both orders."""
        if not text:
            return []
        begin = key_of(text)
        ids, tails = await asyncio.gather(
            *(self._first(Range(f"{name}~{begin}", f"{name}~{begin}~~"), limit) for name in ("id", "tail"))
        )
        found = [_entry(entity).id for entity in ids] + [str(entity["Id"]) for entity in tails]
        return list(dict.fromkeys(found))[:limit]

    async def page(self, wanted: IndexFilter, *, after: str = "", limit: int) -> IndexPage:
        """Read the beginning of each list that holds wanted entries, one request each, and merge them."""
        if after and not _CURSOR.match(after):
            raise InputError("wrong_cursor", "The page does not exist. Begin at the first page.")
        ranges = [each.behind(after) for each in ranges_of(wanted)]
        read = await asyncio.gather(*(self._first(each, limit + 1, wanted) for each in ranges))
        found: dict[str, tuple[str, IndexEntry]] = {}
        for each, entities in zip(ranges, read, strict=True):
            for entity in entities:
                entry = _entry(entity)
                found.setdefault(entry.id, (entity["RowKey"].removeprefix(each.list), entry))
        ordered = sorted(found.values(), key=lambda pair: pair[0])
        shown = ordered[:limit]
        entries = tuple(entry for _, entry in shown if _is_by(entry, wanted.actor if wanted.account else ""))
        return IndexPage(entries=entries, next=shown[-1][0] if len(ordered) > limit else None)

    async def count(self, wanted: IndexFilter, most: int) -> int | None:
        """Read keys only."""
        read = await asyncio.gather(
            *(self._first(each, most + 1, wanted, select=["RowKey"]) for each in ranges_of(wanted))
        )
        counted = sum(map(len, read))
        return counted if counted <= most else None

    async def newest(
        self, *, kinds: Sequence[str] | None = None, statuses: Sequence[IncidentStatus] = ()
    ) -> AsyncIterator[IndexEntry]:
        """Yield page by page."""
        if kinds is not None and not kinds:
            return
        wanted = IndexFilter(kinds=None if kinds is None else tuple(kinds), statuses=tuple(statuses))
        after: str | None = ""
        while after is not None:
            page = await self.page(wanted, after=after, limit=_PAGE)
            for entry in page.entries:
                yield entry
            after = page.next

    async def _first(
        self, each: Range, limit: int, wanted: IndexFilter | None = None, *, select: list[str] | None = None
    ) -> list[Any]:
        """Return the first entities of a range that match what its keys do not say."""
        where, names = where_of(each, wanted or IndexFilter())
        found: list[Any] = []
        with translated("the index"):
            pages = self._table.query_entities(
                where, parameters={"tenant": self._tenant} | names, results_per_page=min(limit, 1000), select=select
            ).by_page()
            async for page in pages:
                found += [entity async for entity in page]
                if len(found) >= limit:
                    break
        return found[:limit]


def _is_by(entry: IndexEntry, actor: str) -> bool:
    """Whether a name of an actor begins with the text."""
    text = actor.strip().casefold()
    return not text or any(name.startswith(text) for name in entry.actors)


def _entry(entity: Any) -> IndexEntry:  # noqa: ANN401 - TableEntity is a dict of any values
    try:
        return IndexEntry.model_validate_json(entity["Body"])
    except (KeyError, ValidationError) as problem:
        raise corrupt(entity, TABLE, problem) from problem
