"""The reads of all mailboxes: rows of the table Feed under ``{tenant}_posture``, the newest first."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.data.tables import UpdateMode
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import corrupt, packed_body, unpacked_body
from bypass_responder.posture.stored import PostureRead

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

TABLE = "Feed"
_END = datetime(3000, 1, 1, tzinfo=UTC)


class PostureTable:
    """``ports.PostureReads``.

    Permission: Storage Table Data Contributor, to read Storage Table Data Reader.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._partition = f"{tenant_id}_posture"

    async def newest(self, limit: int) -> list[PostureRead]:
        """Read the first rows: their keys count down."""
        query, parameters = "PartitionKey eq @partition", {"partition": self._partition}
        found: list[PostureRead] = []
        with translated("the reads of mailboxes"):
            async for row in self._table.query_entities(
                query, parameters=parameters, results_per_page=min(limit, 1000)
            ):
                found.append(_parsed(row))
                if len(found) >= limit:
                    break
        return found

    async def keep(self, read: PostureRead) -> None:
        """Store it, or replace the one with its id. Raises InputError when it is too large."""
        body = packed_body(read.model_dump_json(), "posture_read", f"the read {read.id}")
        seconds = int((_END - read.read_at).total_seconds())
        row = {"PartitionKey": self._partition, "RowKey": f"{seconds:011}-{read.id}", **body}
        with translated("a read of mailboxes"):
            await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)


def _parsed(row: Any) -> PostureRead:  # noqa: ANN401 - TableEntity holds any values
    try:
        return PostureRead.model_validate_json(unpacked_body(row))
    except (ValidationError, KeyError, TypeError, OSError, EOFError, zlib.error) as problem:
        raise corrupt(row, TABLE, problem) from problem
