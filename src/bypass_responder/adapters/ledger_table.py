"""The ledger in Table Storage: partition ``{tenant}_{target}``, one entity per row of the case and per line of its log.

Rows: ``Kind``, ``Body`` (the JSON of the model; a long one goes on in Body1, Body2 …), and ``Status`` and ``At`` for a
person with a storage tool. Log lines: row key ``log-`` and the number in ten digits; they are only ever inserted.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt
from bypass_responder.errors import ConflictError, RefusedError
from bypass_responder.model.base import Row, Value
from bypass_responder.model.case import ROWS, Case
from bypass_responder.model.finding import Finding
from bypass_responder.model.log import LogEntry

TABLE = "Ledger"
TRANSACTION_ROWS = 100
"""What Table Storage takes in one transaction."""
_PART = 16_000
"""Characters per property: a property holds 64 KiB of UTF-16, and a character takes two units at most."""
_PARTS = 30
"""An entity holds 1 MiB."""
_HEAD = "head"
_NOT_LOG = "PartitionKey eq @partition and (RowKey lt 'log-' or RowKey ge 'log.')"
_LOG = "PartitionKey eq @partition and RowKey ge 'log-' and RowKey lt 'log.'"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_LONGEST_KEY = 400

_STATES = ("status", "state", "verdict")
_TIMES = ("opened_at", "received_at", "created_at", "occurred_at", "due_at", "at", "since")

Entity = Mapping[str, Any]
Model = TypeVar("Model", bound=Value)


class TableLedger:
    """The ledger of one tenant. Permission: Storage Table Data Contributor."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def load(self, target: str) -> Case:
        """Read the case with one query, its log left out."""
        partition, etag, pages = self._partition(target), None, 0
        rows: dict[str, Row] = {}
        with translated(f"the case of {target}"):
            found = self._table.query_entities(_NOT_LOG, parameters={"partition": partition})
            async for page in found.by_page():
                pages += 1
                async for entity in page:
                    row = _row(entity)
                    rows[row.row_key] = row
                    if row.row_key == _HEAD:
                        etag = entity.metadata["etag"]
            if pages > 1:
                await self._unchanged(partition, etag)
        return Case(target=target, by_key=rows, etag=etag)

    async def _unchanged(self, partition: str, etag: str | None) -> None:
        """Several pages are no snapshot: the head says whether a transaction went in between."""
        found = self._table.query_entities(
            "PartitionKey eq @partition and RowKey eq @head", parameters={"partition": partition, "head": _HEAD}
        )
        if [entity.metadata["etag"] async for entity in found] != ([etag] if etag else []):
            raise ConflictError(f"The case {partition} changed while it was read.")

    async def commit(self, case: Case, rows: Sequence[Row], entries: Sequence[LogEntry]) -> Case:
        """Write head, rows and log in one transaction, conditional on the head's ETag.

        RefusedError: no head among the rows, log entries that do not follow the head, or more than 100 operations.
        """
        written = {row.row_key: row for row in rows}
        _must_be_one_transaction(case, written, entries)
        partition = self._partition(case.target)
        head = _entity(partition, written[_HEAD])
        operations: list[Any] = [
            ("create", head)
            if case.etag is None
            else (
                "update",
                head,
                {"mode": UpdateMode.REPLACE, "etag": case.etag, "match_condition": MatchConditions.IfNotModified},
            )
        ]
        others = [_entity(partition, row) for key, row in written.items() if key != _HEAD]
        operations += [("upsert", entity, {"mode": UpdateMode.REPLACE}) for entity in others]
        operations += [("create", _log_entity(partition, entry)) for entry in entries]
        with translated(f"the case of {case.target}"):
            answers = await self._table.submit_transaction(operations)
        return Case(target=case.target, by_key=case.by_key | written, etag=str(answers[0]["etag"]))

    async def add_finding(self, finding: Finding) -> bool:
        """Insert the finding; the insert itself decides whether it is new."""
        try:
            with translated(f"the finding {finding.id}"):
                await self._table.create_entity(_entity(self._partition(finding.target), finding))
        except ConflictError:
            return False
        return True

    async def log(self, target: str) -> AsyncIterator[LogEntry]:
        """Yield the lines in the order of their keys; a line whose number is not its key's is a corrupt row."""
        with translated(f"the log of {target}"):
            async for entity in self._table.query_entities(_LOG, parameters={"partition": self._partition(target)}):
                entry = _parsed(LogEntry, entity)
                if _log_key(entry) != entity["RowKey"]:
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


def _must_be_one_transaction(case: Case, written: Mapping[str, Row], entries: Sequence[LogEntry]) -> None:
    if _HEAD not in written:
        raise RefusedError("A transaction of the ledger must include the head, which orders the changes of a target.")
    if len(written) + len(entries) > TRANSACTION_ROWS:
        raise RefusedError(f"{len(written)} rows and {len(entries)} entries: a transaction holds {TRANSACTION_ROWS}.")
    expected = range(case.head.log_seq + 1, case.head.log_seq + 1 + len(entries))
    if [entry.seq for entry in entries] != list(expected):
        raise RefusedError(f"The log of {case.target} goes on at {case.head.log_seq + 1}, one by one.")


def _key(text: str) -> str:
    """A row key without the characters that tables refuse; two different texts never give the same key."""
    safe = _UNSAFE.sub(lambda found: f"!{ord(found[0]):x}!", text)
    return safe if len(safe) <= _LONGEST_KEY else f"{safe[:_LONGEST_KEY]}!{hashlib.sha256(text.encode()).hexdigest()}"


def _log_key(entry: LogEntry) -> str:
    return f"log-{entry.seq:010d}"


def _body(value: Value) -> dict[str, Any]:
    text = value.model_dump_json()
    if len(text) > _PART * _PARTS:
        raise RefusedError(f"{len(text)} characters are too many for one row of the ledger ({_PART * _PARTS}).")
    return {f"Body{start // _PART or ''}": text[start : start + _PART] for start in range(0, len(text), _PART)}


def _entity(partition: str, row: Row) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    if status := next((getattr(row, name) for name in _STATES if hasattr(row, name)), None):
        shown["Status"] = str(status)
    if isinstance(at := next((getattr(row, name) for name in _TIMES if hasattr(row, name)), None), datetime):
        shown["At"] = at
    return {"PartitionKey": partition, "RowKey": _key(row.row_key), "Kind": row.kind} | shown | _body(row)


def _log_entity(partition: str, entry: LogEntry) -> dict[str, Any]:
    shown = {"Kind": "log", "Status": entry.event, "At": entry.at}
    return {"PartitionKey": partition, "RowKey": _log_key(entry)} | shown | _body(entry)


def _row(entity: Entity) -> Row:
    model = ROWS.get(entity.get("Kind", ""))
    if model is None:
        raise corrupt(entity, TABLE, f"Kind is {entity.get('Kind')!r}")
    row = _parsed(model, entity)
    if _key(row.row_key) != entity["RowKey"]:
        raise corrupt(entity, TABLE, f"its body belongs under {row.row_key}")
    return row


def _parsed(model: type[Model], entity: Entity) -> Model:
    parts = [entity[name] for name in ("Body", *(f"Body{number}" for number in range(1, _PARTS))) if name in entity]
    try:
        return model.model_validate_json("".join(parts))
    except (ValidationError, TypeError) as problem:
        raise corrupt(entity, TABLE, problem) from problem
