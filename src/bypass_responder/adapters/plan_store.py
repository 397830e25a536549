"""Plans of mailbox changes: a blob for the file, and a row for the outcome of each mailbox.

The blobs are in the container ``plans``. The rows are in the table Feed: partition ``{tenant}_plan_{run}``, row key the
number of the mailbox in the plan, in six digits.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from azure.data.tables import UpdateMode
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import body_of, corrupt, text_of, write_if_unchanged
from bypass_responder.errors import ConflictError, InputError
from bypass_responder.model.plan_run import MailboxChange

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient

TABLE = "Feed"
CONTAINER = "plans"
LARGEST_BYTES = 64 * 1024 * 1024


class StoragePlans:
    """``ports.PlanStore``.

    Permissions: Storage Table Data Contributor, Storage Blob Data Reader. To save: Storage Blob Data Contributor.
    """

    def __init__(self, tables: TableServiceClient, blobs: BlobServiceClient, tenant_id: str) -> None:
        """Take the clients; nothing connects before the first call."""
        self._table = tables.get_table_client(TABLE)
        self._blobs = blobs
        self._tenant = tenant_id
        self._last: tuple[str, bytes] | None = None
        """The plan that was read last: it is asked for at each answer, and named by its content."""

    async def save(self, sha256: str, plan: bytes) -> None:
        """Upload the blob, unless it is there."""
        with suppress(ConflictError), translated(f"the plan {sha256}"):
            await self._container().upload_blob(self._name(sha256), plan, overwrite=False)

    async def read(self, sha256: str) -> bytes:
        """Download the blob, unless it is the one that was read last."""
        if self._last is None or self._last[0] != sha256:
            self._last = (sha256, await self._download(sha256))
        return self._last[1]

    async def _download(self, sha256: str) -> bytes:
        with translated(f"the plan {sha256}"):
            download = await self._container().download_blob(self._name(sha256))
            if download.size > LARGEST_BYTES:
                raise InputError("posture_plan", f"the plan {sha256} has {download.size} bytes")
            return bytes(await download.readall())

    async def put(self, run_id: str, change: MailboxChange) -> None:
        """Replace the row when the change has an outcome, else insert it where there is none."""
        keys = {"PartitionKey": self._partition(run_id), "RowKey": _key(change.number)}
        row = keys | {"Status": str(change.outcome or change.stage)} | body_of(change.model_dump_json())
        if change.outcome:
            with translated(f"the change of {change.object_id}"):
                await self._table.upsert_entity(row, mode=UpdateMode.REPLACE)
            return
        with suppress(ConflictError):
            await write_if_unchanged(self._table, row, None, f"the change of {change.object_id}")

    async def changes(self, run_id: str, *, since: int = 0, limit: int) -> list[MailboxChange]:
        """Read the rows from a key on."""
        query = "PartitionKey eq @partition and RowKey ge @first"
        parameters = {"partition": self._partition(run_id), "first": _key(since)}
        found: list[MailboxChange] = []
        with translated(f"the mailboxes of the run {run_id}"):
            async for row in self._table.query_entities(
                query, parameters=parameters, results_per_page=min(limit, 1000)
            ):
                found.append(_parsed(row))
                if len(found) >= limit:
                    break
        return found

    def _container(self) -> Any:  # noqa: ANN401 - the client is loaded at its first use
        return self._blobs.get_container_client(CONTAINER)

    def _name(self, sha256: str) -> str:
        return f"{self._tenant}/{sha256}.json"

    def _partition(self, run_id: str) -> str:
        return f"{self._tenant}_plan_{run_id}"


def _key(number: int) -> str:
    return f"{number:06}"


def _parsed(row: Any) -> MailboxChange:  # noqa: ANN401 - TableEntity holds any values
    try:
        return MailboxChange.model_validate_json(text_of(row))
    except (ValidationError, TypeError) as problem:
        raise corrupt(row, TABLE, problem) from problem
