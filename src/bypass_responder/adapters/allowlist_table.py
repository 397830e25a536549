"""The allowlist in Table Storage, as plain columns that a person can edit in any storage tool.

Partition: tenant id. Row: the account's object id in lower case. Columns: ReasonClass, Justification, Owner, Ticket,
ExpiresAt (required), ApprovedBy, DisplayName; others are not read. An invalid row becomes a MalformedEntry with
the correction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

from azure.data.tables import TableEntity, UpdateMode
from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.errors import NotFoundError
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.base import guid_or_none

TABLE = "Allowlist"
_TEXTS = {"reason_class": "ReasonClass", "justification": "Justification", "owner": "Owner", "ticket": "Ticket"}
_OPTIONAL = {"approved_by": "ApprovedBy", "display_name": "DisplayName"}
_ANY_SPELLING = (
    "( PartitionKey eq @tenant or PartitionKey eq @tenant_upper ) and "
    "( RowKey eq @key or RowKey eq @upper or RowKey eq @braced or RowKey eq @braced_upper )"
)
"""Spaces on purpose: the SDK finds a parameter only between single ones."""


class TableAllowlist:
    """The allowlist of one tenant. Permission: Storage Table Data Reader, to write Storage Table Data Contributor."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def get(self, object_id: str) -> AllowlistEntry | MalformedEntry | None:
        """Find the row with one query, which looks for the id in capitals or braces as well.

        Such a row is malformed, not absent: no exact read would ever find it. The exact one comes first.
        """
        key = object_id.lower()
        names = {"tenant": self._tenant, "tenant_upper": self._tenant.upper(), "key": key, "upper": key.upper()}
        names |= {"braced": f"{{{key}}}", "braced_upper": f"{{{key.upper()}}}"}
        misspelt: MalformedEntry | None = None
        with translated(f"the allowlist entry of {key}"):
            async for entity in self._table.query_entities(_ANY_SPELLING, parameters=names):
                if (entity["PartitionKey"], entity["RowKey"]) == (self._tenant, key):
                    return _read(entity)
                misspelt = misspelt or _misspelt(entity)
        return misspelt

    async def put(self, entry: AllowlistEntry) -> None:
        """Replace the row, columns of other people's tools included."""
        columns = {column: getattr(entry, name) for name, column in (_TEXTS | _OPTIONAL).items()}
        keys = {"PartitionKey": self._tenant, "RowKey": entry.object_id.lower()}
        with translated(f"the allowlist entry of {entry.object_id}"):
            await self._table.upsert_entity(keys | columns | {"ExpiresAt": entry.expires_at}, mode=UpdateMode.REPLACE)

    async def remove(self, object_id: str) -> bool:
        """Delete the row. In another spelling it stays: a person deletes it where it was typed."""
        key = object_id.lower()
        with translated(f"the allowlist entry of {key}"):
            try:
                with translated(f"the allowlist entry of {key}"):
                    await self._table.get_entity(self._tenant, key, select=["RowKey"])
            except NotFoundError:
                return False
            await self._table.delete_entity(self._tenant, key)
            return True

    async def entries(self) -> AsyncIterator[AllowlistEntry | MalformedEntry]:
        """Yield every row, those under the tenant id in capitals too."""
        where = "PartitionKey eq @tenant or PartitionKey eq @tenant_upper"
        names = {"tenant": self._tenant, "tenant_upper": self._tenant.upper()}
        with translated("the allowlist"):
            async for entity in self._table.query_entities(where, parameters=names):
                key = entity["RowKey"]
                as_written = guid_or_none(key) == key and entity["PartitionKey"] == self._tenant
                yield _read(entity) if as_written else _misspelt(entity)


def _read(entity: TableEntity) -> AllowlistEntry | MalformedEntry:
    problems = [problem for column in _TEXTS.values() if (problem := _problem_with_text(entity, column))]
    problems += [
        f"{column} is not text" for column in _OPTIONAL.values() if not isinstance(entity.get(column) or "", str)
    ]
    expires_at = _moment(entity.get("ExpiresAt"))
    if expires_at is None:
        problems.append("ExpiresAt is missing, or no date like 2027-01-31")
    if problems or expires_at is None:
        return _malformed(entity, "; ".join(problems))
    return AllowlistEntry(
        object_id=entity["RowKey"],
        expires_at=expires_at,
        edited_at=_edited_at(entity),
        **{name: entity[column].strip() for name, column in _TEXTS.items()},
        **{name: entity.get(column) or "" for name, column in _OPTIONAL.items()},
    )


def _problem_with_text(entity: Mapping[str, Any], column: str) -> str | None:
    value = entity.get(column)
    if value is None or value == "":
        return f"{column} is missing"
    if not isinstance(value, str):
        return f"{column} is not text"
    return None if value.strip() else f"{column} is empty"


def _moment(value: object) -> datetime | None:
    """A DateTime column or an ISO text, UTC where no zone is given; a bare date is its first moment."""
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


def _misspelt(entity: TableEntity) -> MalformedEntry:
    where = f"{entity['PartitionKey']} / {entity['RowKey']}"
    advice = "write tenant id and object id in lower case, without braces, as a new row, and delete this one"
    return _malformed(entity, f"the keys are {where}: {advice}")


def _malformed(entity: TableEntity, problem: str) -> MalformedEntry:
    key = entity["RowKey"]
    return MalformedEntry(object_id=guid_or_none(key) or key, problem=problem, edited_at=_edited_at(entity))
