"""The work list in Table Storage: partition tenant id, row the target, columns DueAt and Changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import row_or_none, write_if_unchanged
from bypass_responder.errors import ConflictError, NotFoundError
from bypass_responder.ports import WorkItem

TABLE = "Work"
_TOGETHER = 100
"""What Table Storage takes in one transaction."""
_TRIES = 20
"""Each lost race was won by another instance, so this needs as many concurrent ones."""


class TableWorkList:
    """The work list of one tenant. Permission: Storage Table Data Contributor."""

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Take the client; nothing connects before the first call."""
        self._table = service.get_table_client(TABLE)
        self._tenant = tenant_id

    async def touch(self, target: str, due_at: datetime) -> WorkItem:
        """Write the item, whatever it was; another holder's ETag no longer matches."""
        with translated(f"the work item of {target}"):
            entity = self._entity(target, due_at, changed=True)
            answer = await self._table.upsert_entity(entity, mode=UpdateMode.REPLACE)
        return WorkItem(target=target, due_at=due_at, changed=True, etag=str(answer["etag"]))

    async def touch_all(self, targets: Collection[str], due_at: datetime) -> list[WorkItem]:
        """Write the items in transactions of a hundred."""
        names, items = sorted(targets), list[WorkItem]()
        for start in range(0, len(names), _TOGETHER):
            part = names[start : start + _TOGETHER]
            entities = [self._entity(target, due_at, changed=True) for target in part]
            with translated("the work list"):
                answers = await self._table.submit_transaction(
                    [("upsert", entity, {"mode": UpdateMode.REPLACE}) for entity in entities]
                )
            items += [
                WorkItem(target=target, due_at=due_at, changed=True, etag=str(answer["etag"]))
                for target, answer in zip(part, answers, strict=True)
            ]
        return items

    async def finish(self, item: WorkItem, due_at: datetime | None) -> None:
        """Set when the target is next due.

        When the item changed meanwhile, ``due_at`` may still bring it forward, and never puts it off.
        """
        try:
            await self._replace(item, due_at, changed=True)
        except (ConflictError, NotFoundError):
            if due_at is not None:
                await self._bring_forward(item.target, due_at)

    async def _bring_forward(self, target: str, due_at: datetime) -> None:
        """Set an earlier time, on the item as it is: what was announced meanwhile is never put off."""
        for _ in range(_TRIES):
            entity = await row_or_none(self._table, self._tenant, target, f"the work item of {target}")
            now = _item(entity) if entity else None
            if now is not None and now.due_at is not None and now.due_at <= due_at:
                return
            changed = self._entity(target, due_at, changed=True)
            try:
                await write_if_unchanged(self._table, changed, now.etag if now else None, f"the work item of {target}")
            except (ConflictError, NotFoundError):
                continue
            return
        raise ConflictError(f"The work item of {target} is contended.")

    async def checkpointed(self, item: WorkItem) -> None:
        """Clear ``changed``, or delete an item that is not due."""
        try:
            if item.due_at is not None:
                await self._replace(item, item.due_at, changed=False)
                return
            with translated(f"the work item of {item.target}"):
                await self._table.delete_entity(
                    self._tenant, item.target, etag=item.etag, match_condition=MatchConditions.IfNotModified
                )
        except (ConflictError, NotFoundError):
            return

    async def items(self) -> list[WorkItem]:
        """Read every item, in pages of the service."""
        with translated("the work list"):
            found = self._table.query_entities("PartitionKey eq @tenant", parameters={"tenant": self._tenant})
            return [_item(entity) async for entity in found]

    async def _replace(self, item: WorkItem, due_at: datetime | None, *, changed: bool) -> None:
        entity = self._entity(item.target, due_at, changed=changed)
        await write_if_unchanged(self._table, entity, item.etag, f"the work item of {item.target}")

    def _entity(self, target: str, due_at: datetime | None, *, changed: bool) -> dict[str, Any]:
        entity = {"PartitionKey": self._tenant, "RowKey": target, "Changed": changed}
        return entity if due_at is None else entity | {"DueAt": due_at}


def _item(entity: Any) -> WorkItem:  # noqa: ANN401 - TableEntity is a dict of any values
    due_at = entity.get("DueAt")
    moment = due_at.astimezone(UTC) if isinstance(due_at, datetime) else None
    changed = bool(entity.get("Changed", True))
    return WorkItem(target=entity["RowKey"], due_at=moment, changed=changed, etag=entity.metadata["etag"])
