"""The ledger in Table Storage: partition ``{tenant}_{target}``, an entity per case row and log line.

Row keys from ``now-`` on are what ``load`` reads, in one range; every other range is history, or is read in batches.
Log lines: row key ``log-`` and the number in ten digits; they are only ever inserted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from types import MappingProxyType
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.ledger_entities import (
    ACTOR,
    OBJECT,
    TABLE,
    entity_of,
    key_of,
    log_entity,
    log_key,
    parsed,
    row_of,
)
from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, row_or_none
from bypass_responder.errors import ConflictError, RefusedError
from bypass_responder.model.base import Row
from bypass_responder.model.case import Case, Head, is_of_newer_version
from bypass_responder.model.finding import Finding, Unrecorded
from bypass_responder.model.health import newest_first
from bypass_responder.model.log import LogEntry
from bypass_responder.model.technique import Technique

TRANSACTION_ROWS = 100
"""What Table Storage takes in one transaction."""
_HEAD = "head"
_REPLACE = {"mode": UpdateMode.REPLACE}
_HISTORY = "PartitionKey eq @partition and (RowKey lt 'log-' or RowKey ge 'log.')"
_RANGE = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @after"
_NOW, _LATER, _ADDED = "now-", "later-", "finding-"
_MOST_COMPARISONS = 15
"""In one query of Table Storage."""
_EPISODE_ROWS = 200
"""Of one read of the history: some 20 incidents with their rows."""


class TableLedger:
    """The ledger of one tenant. Permission: Storage Table Data Contributor."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def load(self, target: str, *, history: bool = False) -> Case:
        """Read the loaded rows with one query of one range; with ``history`` the whole partition but the log."""
        query = _HISTORY if history else _RANGE
        case, pages = await self._read(target, query, first=_NOW, after=_end(_NOW))
        if pages > 1:
            await self._unchanged(self._partition(target), case.etag)
        return case

    async def _read(
        self, target: str, query: str, *, limit: int | None = None, **names: str | datetime
    ) -> tuple[Case, int]:
        """Return the rows that a query finds, and the number of pages."""
        partition, etag, pages = self._partition(target), None, 0
        rows: dict[str, Row] = {}
        kept: dict[str, str] = {}
        with translated(f"the case of {target}"):
            names = {name: text for name, text in names.items() if f"@{name}" in query}
            found = self._table.query_entities(
                query, parameters={"partition": partition} | names, results_per_page=limit
            )
            async for page in found.by_page():
                pages += 1
                async for entity in page:
                    if is_of_newer_version(entity.get("Kind"), entity["RowKey"]):
                        continue
                    row = row_of(entity)
                    if entity["RowKey"] == key_of(row.place):
                        kept.pop(row.row_key, None)
                    else:
                        kept[row.row_key] = entity["RowKey"]
                    rows[row.row_key] = row
                    if row.row_key == _HEAD:
                        etag = entity.metadata["etag"]
                    elif isinstance(row, Unrecorded):
                        rows[row.row_key] = row.model_copy(update={"etag": entity.metadata["etag"]})
                if limit is not None and len(rows) >= limit:
                    break
        return Case(target=target, by_key=rows, etag=etag, kept=kept), pages

    async def _unchanged(self, partition: str, etag: str | None) -> None:
        """Several pages are no snapshot: the head says whether a transaction went in between."""
        found = await row_or_none(self._table, partition, f"{_NOW}{_HEAD}", "the head")
        if (found.metadata["etag"] if found else None) != etag:
            raise ConflictError(f"The case {partition} changed while it was read.")

    async def head(self, target: str) -> Head:
        """Read one row."""
        entity = await row_or_none(self._table, self._partition(target), f"{_NOW}{_HEAD}", f"the head of {target}")
        row = row_of(entity) if entity else Head()
        return row if isinstance(row, Head) else Head()

    async def episodes(self, target: str, since: datetime) -> Case:
        """Read the first page from ``closed-`` and the moment on.

        The last incident of a full page may be cut.
        """
        first = f"closed-{since:%Y%m%dT%H%M%S%f}"
        case = await self._page(target, first, _end("closed-"), limit=_EPISODE_ROWS)
        if len(case.by_key) < _EPISODE_ROWS:
            return case
        last = max(place.split("-")[1] for place in case.kept.values())
        whole = {key: row for key, row in case.by_key.items() if case.kept[key].split("-")[1] != last}
        return replace(case, by_key=whole, kept={key: case.kept[key] for key in whole}) if whole else case

    async def records(self, target: str, limit: int) -> Case:
        """Read one page from ``later-`` on."""
        return await self._page(target, _LATER, _end(_LATER), limit=limit)

    async def alone(self, target: str, since: datetime, *, after: str = "", limit: int) -> Case:
        """Read one page from ``alone-`` and the time on."""
        first = f"{key_of(after)}." if after else f"alone-{since:%Y%m%dT%H%M%S}"
        return await self._page(target, first, _end("alone-"), limit=limit)

    async def findings(self, target: str, incident_id: str, since: datetime, *, after: str = "", limit: int) -> Case:
        """Filter the findings of the history; the service reads all of them."""
        first = f"{key_of(after)}." if after else _ADDED
        query = f"{_RANGE} and Incident eq @incident and Effective gt @since"
        names: dict[str, str | datetime] = {"incident": incident_id, "since": since}
        return await self._page(target, first, _end(_ADDED), limit=limit, query=query, **names)

    async def tampering(
        self,
        target: str,
        *,
        since: datetime,
        until: datetime,
        limit: int,
        techniques: Collection[Technique] = (),
        by: Collection[str] = (),
        to: Collection[str] = (),
    ) -> Case:
        """Read one page of ``tampering-``, whose keys begin with the newest; the service filters by the columns.

        One query has room for three names of both kinds; more names take more queries.
        """
        first, last = f"tampering-{newest_first(until)}", f"tampering-{newest_first(since)}."
        pairs = [*product(ACTOR, sorted(by)), *product(OBJECT, sorted(to))]
        kinds = [("Technique", each.value) for each in techniques]
        room = max(1, _MOST_COMPARISONS - _RANGE.count("@") - len(kinds))
        rows: dict[str, Row] = {}
        for begin in range(0, len(pairs) or 1, room):
            query, names = _only(kinds, pairs[begin : begin + room])
            page = await self._page(target, first, last, limit=limit, query=query, **names)
            rows |= page.by_key
        newest = sorted(rows.values(), key=lambda row: key_of(row.place))[:limit]
        return Case(target=target, by_key={row.row_key: row for row in newest})

    async def sent(self, target: str, before: datetime, limit: int) -> Case:
        """Read one page of ``sent-`` up to the moment."""
        return await self._page(target, "sent-", f"sent-{before:%Y%m%dT%H%M%S}", limit=limit)

    async def plan_runs(self, target: str, limit: int) -> Case:
        """Read one page of ``plan-``, whose keys begin with the newest."""
        return await self._page(target, "plan-", _end("plan-"), limit=limit)

    async def unsent(self, target: str, limit: int) -> Case:
        """Read one page of ``unsent-``."""
        return await self._page(target, "unsent-", _end("unsent-"), limit=limit)

    async def _page(
        self, target: str, first: str, after: str, *, limit: int, query: str = _RANGE, **names: str | datetime
    ) -> Case:
        case, _ = await self._read(target, query, limit=limit, first=first, after=after, **names)
        return case

    async def commit(
        self,
        case: Case,
        rows: Sequence[Row],
        entries: Sequence[LogEntry],
        places: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Case:
        """Write head, rows and log in one transaction, conditional on the head's ETag.

        RefusedError: no head among the rows, log entries that do not follow the head, or more than 100 operations.
        """
        written = {row.row_key: row for row in rows}
        safe = {key: place and key_of(place) for key, place in places.items()}
        partition = self._partition(case.target)
        head = entity_of(partition, written.get(_HEAD, case.head))
        operations: list[Any] = [
            ("create", head)
            if case.etag is None
            else (
                "update",
                head,
                {"mode": UpdateMode.REPLACE, "etag": case.etag, "match_condition": MatchConditions.IfNotModified},
            )
        ]
        for key, row in written.items():
            if key != _HEAD:
                place = _place(case, row, safe)
                operations.append(("upsert", entity_of(partition, row, place), _REPLACE))
                old = _stored_at(case, key)
                if old and old not in {place, key_of(row.row_key)}:  # a finding stays under its id for good
                    operations.append(("delete", {"PartitionKey": partition, "RowKey": old}))
        gone = [(_stored_at(case, key), case.by_key.get(key)) for key, place in safe.items() if place is None]
        operations += [_deletion(partition, old, row) for old, row in gone if old]
        operations += [("create", log_entity(partition, entry)) for entry in entries]
        _must_be_one_transaction(case, written, entries, len(operations))
        with translated(f"the case of {case.target}"):
            answers = await self._table.submit_transaction(operations)
        return case.written(written, safe, str(answers[0]["etag"]))

    async def add_finding(self, finding: Finding) -> bool:
        """Insert the finding twice: under its id for good, and where it is read until it is decided."""
        partition = self._partition(finding.target)
        for_good, to_do = entity_of(partition, finding, key_of(finding.row_key)), entity_of(partition, finding)
        operations: list[Any] = [("create", for_good), ("create", to_do)]
        if finding.decides_nothing:
            operations.append(("upsert", entity_of(partition, Unrecorded(newest=finding.id)), _REPLACE))
        try:
            with translated(f"the finding {finding.id}"):
                await self._table.submit_transaction(operations)
        except ConflictError:
            return False
        return True

    async def finding(self, target: str, finding_id: str) -> Finding | None:
        """Read one row."""
        key = key_of(f"finding-{finding_id}")
        entity = await row_or_none(self._table, self._partition(target), key, f"the finding {finding_id}")
        return parsed(Finding, entity) if entity else None

    async def log(self, target: str) -> AsyncIterator[LogEntry]:
        """Yield the lines in the order of their keys; a line whose number is not its key's is a corrupt row."""
        names = {"partition": self._partition(target), "first": "log-", "after": "log."}
        with translated(f"the log of {target}"):
            async for entity in self._table.query_entities(_RANGE, parameters=names):
                entry = parsed(LogEntry, entity)
                if log_key(entry) != entity["RowKey"]:
                    raise corrupt(entity, TABLE, f"it holds number {entry.seq}")
                yield entry

    async def targets(self) -> set[str]:
        """Scan the keys of the whole tenant."""
        with translated("the targets in the ledger"):
            found = self._table.query_entities(
                "PartitionKey ge @first and PartitionKey lt @after",
                parameters={"first": f"{self._tenant}_", "after": f"{self._tenant}`"},
                select=["PartitionKey"],
            )
            return {entity["PartitionKey"].removeprefix(f"{self._tenant}_") async for entity in found}

    def _partition(self, target: str) -> str:
        return f"{self._tenant}_{target}"


def _deletion(partition: str, row_key: str, row: Row | None) -> tuple[Any, ...]:
    """Return the operation that deletes a row.

    A row that findings replace beside the head's transactions is deleted only as it was read.
    """
    keys = {"PartitionKey": partition, "RowKey": row_key}
    if not isinstance(row, Unrecorded):
        return "delete", keys
    return "delete", keys, {"etag": row.etag, "match_condition": MatchConditions.IfNotModified}


def _only(*columns: Sequence[tuple[str, str]]) -> tuple[str, dict[str, str]]:
    """Return the query of a range for rows with one of the values of each group, and the values by name."""
    query = _RANGE
    names: dict[str, str] = {}
    for pairs in filter(None, columns):
        numbered = {f"value{len(names) + number}": pair for number, pair in enumerate(pairs)}
        query += f" and ( {' or '.join(f'{column} eq @{name}' for name, (column, _) in numbered.items())} )"
        names |= {name: value for name, (_, value) in numbered.items()}
    return query, names


def _end(prefix: str) -> str:
    return f"{prefix[:-1]}."


def _stored_at(case: Case, row_key: str) -> str | None:
    row = case.by_key.get(row_key)
    return None if row is None else case.kept.get(row_key) or key_of(row.place)


def _place(case: Case, row: Row, places: Mapping[str, str | None]) -> str:
    """Return the row key to write: the new place, else the present one, else the loaded one."""
    new = places.get(row.row_key)
    if new == "" or (new is None and row.row_key not in case.kept):
        return key_of(row.place)
    return new or case.kept[row.row_key]


def _must_be_one_transaction(
    case: Case, written: Mapping[str, Row], entries: Sequence[LogEntry], operations: int
) -> None:
    if _HEAD not in written:
        raise RefusedError("A transaction of the ledger must include the head, which orders the changes of a target.")
    if operations > TRANSACTION_ROWS:
        raise RefusedError(f"{operations} rows and log entries: a transaction holds {TRANSACTION_ROWS}.")
    expected = range(case.head.log_seq + 1, case.head.log_seq + 1 + len(entries))
    if [entry.seq for entry in entries] != list(expected):
        raise RefusedError(f"The log of {case.target} goes on at {case.head.log_seq + 1}, one by one.")
