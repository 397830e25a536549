"""The allowlist in Table Storage, as plain columns that a person can edit in any storage tool.

Partition: tenant id. Row: the account's object id in lower case. Columns: ReasonClass, Justification, Owner, Ticket,
ExpiresAt (required), ApprovedBy, DisplayName, Documentation, ReviewedAt, ReviewedBy, and the stamps of the tool that
wrote the row, EditId, EditedBy, Via; others are not read. An invalid row becomes a MalformedEntry with the correction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.model.account import (
    MOST_MISSPELLED,
    MOST_READ,
    UNREAD,
    AllowlistEntry,
    MalformedEntry,
    account_of,
)
from bypass_responder.model.base import expiry_of, guid_or_none, whole_text

TABLE = "Allowlist"
_TEXTS = {"reason_class": "ReasonClass", "justification": "Justification", "owner": "Owner", "ticket": "Ticket"}
_OPTIONAL = {"approved_by": "ApprovedBy", "display_name": "DisplayName", "documentation": "Documentation"}
_STAMPS = {"edit_id": "EditId", "edited_by": "EditedBy", "via": "Via", "reviewed_by": "ReviewedBy"}
"""Written by the tools; a value that is no text counts as empty."""


class TableAllowlist:
    """The allowlist of one tenant.

    Permission: Storage Table Data Reader, to write Storage Table Data Contributor.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def get(self, object_id: str) -> AllowlistEntry | MalformedEntry | None:
        """The row under exactly this key."""
        key = object_id.lower()
        entity = await row_or_none(self._table, self._tenant, key, f"the allowlist entry of {key}")
        return None if entity is None else _read(entity)

    async def misspelled(self) -> list[MalformedEntry]:
        """Read the keys of the whole table: no exact read would ever find such a row."""
        found: list[MalformedEntry] = []
        read = ours = 0
        with translated("the allowlist"):
            async for entity in self._table.list_entities(select=["PartitionKey", "RowKey"]):
                read += 1
                if not self._exact(entity):
                    found.append(_misspelled(entity))
                    ours += not self._foreign(entity)
                if read > MOST_READ or ours > MOST_MISSPELLED:
                    return [*found, UNREAD]
        return found

    async def put(self, entry: AllowlistEntry, *, replaces: str | None = None) -> None:
        """Add the row, or replace one, with the columns of other people's tools."""
        try:
            await write_if_unchanged(
                self._table, self._row(entry), replaces, f"the allowlist entry of {entry.object_id}"
            )
        except NotFoundError as error:  # it was removed meanwhile
            raise ConflictError(str(error)) from error

    async def put_all(self, entries: Sequence[tuple[AllowlistEntry, str | None]]) -> None:
        """Add or replace up to 100 rows in one transaction."""
        operations: list[tuple[str, dict[str, Any]] | tuple[str, dict[str, Any], dict[str, Any]]] = []
        for entry, replaces in entries:
            if replaces is None:
                operations.append(("create", self._row(entry)))
            else:
                unchanged = {"etag": replaces, "match_condition": MatchConditions.IfNotModified}
                operations.append(("update", self._row(entry), {"mode": UpdateMode.REPLACE} | unchanged))
        try:
            with translated("the allowlist"):
                await self._table.submit_transaction(operations)
        except NotFoundError as error:
            raise ConflictError(str(error)) from error

    async def remove(self, object_id: str, *, replaces: str) -> None:
        """Delete the row. In another spelling it stays: a person deletes it where it was typed."""
        key = object_id.lower()
        condition = MatchConditions.IfNotModified
        with translated(f"the allowlist entry of {key}"):
            await self._table.delete_entity(self._tenant, key, etag=replaces, match_condition=condition)

    def _row(self, entry: AllowlistEntry) -> dict[str, Any]:
        columns = {column: getattr(entry, name) for name, column in (_TEXTS | _OPTIONAL | _STAMPS).items()}
        keys = {"PartitionKey": self._tenant, "RowKey": entry.object_id.lower()}
        return {**keys, **columns, "ExpiresAt": entry.expires_at, "ReviewedAt": entry.reviewed_at}

    async def entries(self) -> AsyncIterator[AllowlistEntry | MalformedEntry]:
        """Yield every row of the tenant, and every misspelled one."""
        with translated("the allowlist"):
            async for entity in self._table.list_entities():
                if self._exact(entity):
                    yield _read(entity)
                elif not self._foreign(entity):
                    yield _misspelled(entity)

    def _exact(self, entity: TableEntity) -> bool:
        key = entity["RowKey"]
        return bool(entity["PartitionKey"] == self._tenant and guid_or_none(key) == key)

    def _foreign(self, entity: TableEntity) -> bool:
        """True for a row under another GUID than the tenant's: of another tenant, unless its row key is one of ours."""
        tenant = account_of(entity["PartitionKey"])
        return tenant not in {None, self._tenant} and account_of(entity["RowKey"]) != self._tenant


def _read(entity: TableEntity) -> AllowlistEntry | MalformedEntry:
    problems = [problem for column in _TEXTS.values() if (problem := _problem_with_text(entity, column))]
    problems += [
        f"{column} is not text" for column in _OPTIONAL.values() if not isinstance(entity.get(column) or "", str)
    ]
    given = entity.get("ExpiresAt")
    expires_at = expiry_of(given) if isinstance(given, str) else _moment(given)
    if expires_at is None:
        problems.append("ExpiresAt is missing, or not a date such as 2027-01-31")
    if problems or expires_at is None:
        return _malformed(entity, "; ".join(problems))
    return AllowlistEntry(
        object_id=entity["RowKey"],
        expires_at=expires_at,
        edited_at=_edited_at(entity),
        etag=str(entity.metadata["etag"]),
        **{name: whole_text(entity[column]).strip() for name, column in _TEXTS.items()},
        reviewed_at=_moment(entity.get("ReviewedAt")),
        **{name: whole_text(entity.get(column) or "") for name, column in _OPTIONAL.items()},
        **{name: _stamp(entity.get(column)) for name, column in _STAMPS.items()},
    )


def _stamp(value: object) -> str:
    return whole_text(value) if isinstance(value, str) else ""


def _problem_with_text(entity: Mapping[str, Any], column: str) -> str | None:
    value = entity.get(column)
    if value is None or value == "":
        return f"{column} is missing"
    if not isinstance(value, str):
        return f"{column} is not text"
    return None if value.strip() else f"{column} is empty"


def _moment(value: object) -> datetime | None:
    """A DateTime column or an ISO text, UTC where no zone is given; a bare date of a review is its first moment."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None


def _edited_at(entity: TableEntity) -> datetime | None:
    return _moment(entity.metadata["timestamp"])


def _misspelled(entity: TableEntity) -> MalformedEntry:
    keys = whole_text(entity["PartitionKey"]), whole_text(entity["RowKey"])
    advice = "write tenant id and object id in lower case, without braces, as a new row, and delete this one"
    entry = _malformed(entity, f"the keys are {' / '.join(keys)}: {advice}")
    return entry.model_copy(update={"keys": keys, "edited_at": None})


def _malformed(entity: TableEntity, problem: str) -> MalformedEntry:
    key = whole_text(entity["RowKey"])
    edited_at, etag = _edited_at(entity), str(entity.metadata["etag"])
    return MalformedEntry(object_id=guid_or_none(key) or key, problem=problem, edited_at=edited_at, etag=etag)
