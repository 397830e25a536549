"""What the evidence run keeps: plans, questions and raw records.

Plans and questions are in the table Evidence, raw records in the container ``evidence``. Partition ``{tenant}``: a plan
per incident, row key ``plan-`` and its opening, newest first. Partition ``{tenant}_{incident}``: a row per question.
``Body`` (Body1, Body2 …) is the JSON. Raw records: a gzipped blob ``{tenant}/gathered/{incident}/{SHA-256}``.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from azure.data.tables.aio import TableServiceClient
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import body_of, corrupt, text_of, write_if_unchanged
from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.model.base import Stored
from bypass_responder.model.finding import Evidence
from bypass_responder.model.gathered import EvidencePlan, Inquiry

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobServiceClient

TABLE = "Evidence"
CONTAINER = "evidence"
_TRANSACTION = 100
_MOST_DUE = 1_000
_END_OF_TIME = 10**11
_RANGE = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @after"
Model = TypeVar("Model", bound=Stored)


class TableGatheredEvidence:
    """Of one tenant. Permissions: Storage Table Data Contributor, Storage Blob Data Contributor."""

    def __init__(self, tables: TableServiceClient, blobs: BlobServiceClient, tenant_id: str) -> None:
        """Take the clients; nothing connects before the first call."""
        self._table = tables.get_table_client(TABLE)
        self._blobs = blobs
        self._tenant = tenant_id

    async def plans(self, since: datetime) -> set[str]:
        """Read the keys from the newest to that time."""
        found = await self._read(self._tenant, "plan-", f"{_plan_key(since)}~", select=["RowKey"])
        return {str(entity["RowKey"]).split("-", 2)[2] for entity in found}

    async def add(self, plan: EvidencePlan) -> bool:
        """Insert it."""
        try:
            await write_if_unchanged(self._table, self._plan(plan), None, f"the plan of {plan.incident_id}")
        except ConflictError:
            return False
        return True

    async def due(self, now: datetime, limit: int) -> list[EvidencePlan]:
        """Filter by ``DueAt``; the service reads the keys of all plans."""
        query = f"{_RANGE} and DueAt le @now"
        found = await self._read(self._tenant, "plan-", "plan.", query=query, most=_MOST_DUE, now=now)
        found.sort(key=lambda entity: entity["DueAt"])
        return [_plan(entity) for entity in found[:limit]]

    async def save(self, plan: EvidencePlan) -> EvidencePlan:
        """Replace the row."""
        etag = await write_if_unchanged(self._table, self._plan(plan), plan.etag, f"the plan of {plan.incident_id}")
        return plan.model_copy(update={"etag": etag})

    async def inquiries(self, incident_id: str) -> list[Inquiry]:
        """Read the partition of the incident."""
        return [_inquiry(entity) for entity in await self._read(self._of(incident_id), "", "~")]

    async def start(self, incident_id: str, inquiries: Sequence[Inquiry]) -> list[Inquiry]:
        """Insert what is not there, in transactions; where another run did the same, one by one."""
        for first in range(0, len(inquiries), _TRANSACTION):
            entities = [self._inquiry(each) for each in inquiries[first : first + _TRANSACTION]]
            try:
                with translated(f"the questions about {incident_id}"):
                    await self._table.submit_transaction([("create", entity) for entity in entities])
            except ConflictError:
                for entity in entities:
                    with suppress(ConflictError):
                        await write_if_unchanged(self._table, entity, None, f"a question about {incident_id}")
        return await self.inquiries(incident_id)

    async def put(self, inquiry: Inquiry) -> Inquiry:
        """Replace the row."""
        what = f"a question about {inquiry.incident_id}"
        etag = await write_if_unchanged(self._table, self._inquiry(inquiry), inquiry.etag, what)
        return inquiry.model_copy(update={"etag": etag})

    async def keep(self, incident_id: str, raw: bytes) -> Evidence:
        """Upload it gzipped, unless it is there."""
        from azure.storage.blob import ContentSettings

        sha256 = hashlib.sha256(raw).hexdigest()
        name = f"{self._folder(incident_id)}{sha256}"
        packed = await asyncio.to_thread(gzip.compress, raw, mtime=0)
        kind = ContentSettings(content_type="application/x-ndjson; charset=utf-8", content_encoding="gzip")
        with suppress(ConflictError), translated(f"the evidence {sha256}"):
            await self._container().upload_blob(name, packed, overwrite=False, content_settings=kind)
        return Evidence(blob=name, length_bytes=len(raw), sha256=sha256)

    async def forget(self, opened_before: datetime, limit: int) -> int:
        """Delete blobs and questions, then the plan: an interrupted run goes on with the next one."""
        first = f"{_plan_key(opened_before)}~"
        found = await self._read(self._tenant, first, "plan.", select=["RowKey"], most=limit)
        for entity in found:
            incident_id = str(entity["RowKey"]).split("-", 2)[2]
            await self._delete_blobs(incident_id)
            partition = self._of(incident_id)
            for row in await self._read(partition, "", "~", select=["RowKey"]):
                await self._delete(partition, row["RowKey"])
            await self._delete(self._tenant, entity["RowKey"])
        return len(found)

    async def _delete_blobs(self, incident_id: str) -> None:
        container, folder = self._container(), self._folder(incident_id)
        with translated(f"the raw evidence of {incident_id}"):
            async for blob in container.list_blobs(name_starts_with=folder):
                with suppress(NotFoundError), translated(blob.name):
                    await container.delete_blob(blob.name)

    async def _delete(self, partition: str, row: str) -> None:
        with suppress(NotFoundError), translated(f"the evidence {row}"):
            await self._table.delete_entity(partition, row)

    async def _read(
        self,
        partition: str,
        first: str,
        after: str,
        *,
        query: str = _RANGE,
        select: list[str] | None = None,
        most: int | None = None,
        **names: Any,  # noqa: ANN401 - parameters of the query
    ) -> list[Any]:
        parameters = {"partition": partition, "first": first, "after": after} | names
        found: list[Any] = []
        with translated("the gathered evidence"):
            async for entity in self._table.query_entities(
                query, parameters=parameters, select=select, results_per_page=most
            ):
                found.append(entity)
                if most is not None and len(found) >= most:
                    break
        return found

    def _container(self) -> Any:  # noqa: ANN401 - the client is loaded at its first use
        return self._blobs.get_container_client(CONTAINER)

    def _of(self, incident_id: str) -> str:
        return f"{self._tenant}_{incident_id}"

    def _folder(self, incident_id: str) -> str:
        return f"{self._tenant}/gathered/{incident_id}/"

    def _plan(self, plan: EvidencePlan) -> dict[str, Any]:
        key = f"{_plan_key(plan.opened_at)}-{plan.incident_id}"
        due = {} if plan.next_at is None else {"DueAt": plan.next_at}
        return {"PartitionKey": self._tenant, "RowKey": key} | due | body_of(plan.model_dump_json(exclude={"etag"}))

    def _inquiry(self, inquiry: Inquiry) -> dict[str, Any]:
        status = inquiry.answer.kind if inquiry.answer else "open"
        keys = {"PartitionKey": self._of(inquiry.incident_id), "RowKey": inquiry.key, "Status": status}
        return keys | body_of(inquiry.model_dump_json(exclude={"etag"}))


def _plan_key(opened_at: datetime) -> str:
    """Return a key that sorts the newest first; ``~`` after it comes behind all plans of that second."""
    return f"plan-{_END_OF_TIME - int(opened_at.astimezone(UTC).timestamp()):011d}"


def _plan(entity: Any) -> EvidencePlan:  # noqa: ANN401 - TableEntity holds any values
    return _parsed(EvidencePlan, entity)


def _inquiry(entity: Any) -> Inquiry:  # noqa: ANN401 - TableEntity holds any values
    return _parsed(Inquiry, entity)


def _parsed(model: type[Model], entity: Any) -> Model:  # noqa: ANN401 - TableEntity holds any values
    try:
        return model.model_validate_json(text_of(entity)).model_copy(update={"etag": entity.metadata["etag"]})
    except (ValidationError, TypeError) as problem:
        raise corrupt(entity, TABLE, problem) from problem
