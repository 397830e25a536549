"""The read of all mailboxes that is under way, or was the last: one row of the table Feed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bypass_responder.adapters.table_rows import packed_body, row_or_none, unpacked_body, write_if_unchanged
from bypass_responder.model.base import EARLIEST
from bypass_responder.posture.run import PostureRun

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient

TABLE = "Feed"
ROW = "current"
_WHAT = "the read of the mailboxes that is under way"


class PostureRunTable:
    """``ports.PostureRuns``.

    Permission: Storage Table Data Contributor, to read Storage Table Data Reader.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._partition = f"{tenant_id}_posture-run"

    async def current(self) -> PostureRun | None:
        """Read the row. A malformed one counts as a read that ended long ago, so that the next replaces it."""
        row = await row_or_none(self._table, self._partition, ROW, _WHAT)
        if row is None:
            return None
        try:
            run = PostureRun.model_validate_json(unpacked_body(row))
        except (ValidationError, KeyError, TypeError, OSError, EOFError, zlib.error):
            run = PostureRun(id="unreadable", started_at=EARLIEST, parts=(), ended_at=EARLIEST, compared_at=EARLIEST)
        return run.model_copy(update={"etag": row.metadata["etag"]})

    async def replace(self, run: PostureRun) -> PostureRun:
        """Write it over the version it was read as.

        Raises ConflictError, and InputError when it is too large.
        """
        body = packed_body(run.model_dump_json(exclude={"etag"}), "posture_run", f"the read {run.id}")
        row = {"PartitionKey": self._partition, "RowKey": ROW, **body}
        etag = await write_if_unchanged(self._table, row, run.etag, _WHAT)
        return run.model_copy(update={"etag": etag})
