"""The work list in Table Storage: one row for each target.

The partition is the tenant id, the row key is the target; the columns are DueAt, Changed, LogSeq and LogHash.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.data.tables import UpdateMode
from azure.data.tables.aio import TableServiceClient

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import row_or_none, write_if_unchanged
from bypass_responder.bounded import limited
from bypass_responder.errors import ConflictError, NotFoundError, ResponderError
from bypass_responder.ports import Finished, WorkItem

E = TypeVar("E")
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

    async def touch_all(self, due: Mapping[str, datetime]) -> list[WorkItem]:
        """Write the items in transactions of a hundred."""
        items = list[WorkItem]()
        for part in _parts(sorted(due)):
            entities = [self._entity(target, due[target], changed=True) for target in part]
            with translated("the work list"):
                answers = await self._table.submit_transaction(
                    [("upsert", entity, {"mode": UpdateMode.REPLACE}) for entity in entities]
                )
            items += [
                WorkItem(target=target, due_at=due[target], changed=True, etag=str(answer["etag"]))
                for target, answer in zip(part, answers, strict=True)
            ]
        return items

    async def finish(self, item: WorkItem, due_at: datetime | None) -> None:
        """Set when the target is next due.

        When the item changed meanwhile, ``due_at`` may still bring it forward, and never puts it off.
        """
        try:
            await self._replace(self._entity(item.target, due_at, changed=True), item.etag)
        except (ConflictError, NotFoundError):
            await self._join(item.target, due_at)

    async def finish_all(self, finished: Sequence[Finished]) -> list[ResponderError]:
        """Replace up to a hundred items in one transaction; if one has changed, each separately."""
        problems: list[ResponderError] = []
        for part in _parts(finished):
            operations = [_conditional("update", self._finished(each), each.item.etag) for each in part]
            try:
                await self._submit(operations)
            except (ConflictError, NotFoundError):
                problems += await self._each(self._finish_one, part)
            except ResponderError as problem:
                problems.append(problem)
        return problems

    async def _finish_one(self, finished: Finished) -> None:
        try:
            await self._replace(self._finished(finished), finished.item.etag)
        except (ConflictError, NotFoundError):
            await self._join(finished.item.target, finished.due_at)

    def _finished(self, finished: Finished) -> dict[str, Any]:
        number, digest = finished.head
        entity = self._entity(finished.item.target, finished.due_at, changed=True)
        return entity | {"LogSeq": number, "LogHash": digest}

    async def _join(self, target: str, due_at: datetime | None) -> None:
        """Keep the earlier time of two runs, and leave it to the ledger how far the log goes.

        Writing it makes the other run, where it has not finished, do the same; a race that is lost has done so already.
        """
        for number in range(_TRIES):
            entity = await row_or_none(self._table, self._tenant, target, f"the work item of {target}")
            now = _item(entity) if entity else None
            if number and now is not None and _covers(now, due_at):
                return
            moments = [at for at in (due_at, now.due_at if now else None) if at is not None]
            joined = self._entity(target, min(moments, default=None), changed=True)
            try:
                await write_if_unchanged(self._table, joined, now.etag if now else None, f"the work item of {target}")
            except (ConflictError, NotFoundError):
                continue
            return
        raise ConflictError(f"The work item of {target} is contended.")

    async def checkpointed(self, items: Sequence[WorkItem]) -> None:
        """Clear ``changed``, or delete what is not due: 100 at a time, one by one where an item has changed."""
        for part in _parts(items):
            try:
                await self._submit([self._cleared(item) for item in part])
            except (ConflictError, NotFoundError):
                if problems := await self._each(self._clear_one, part):
                    raise problems[0] from None

    async def _clear_one(self, item: WorkItem) -> None:
        with suppress(ConflictError, NotFoundError):
            await self._submit([self._cleared(item)])

    def _cleared(self, item: WorkItem) -> tuple[Any, ...]:
        entity = self._entity(item.target, item.due_at, changed=False)
        return _conditional("update" if item.due_at else "delete", entity, item.etag)

    @staticmethod
    async def _each(work: Callable[[E], Awaitable[None]], part: Sequence[E]) -> list[ResponderError]:
        outcomes = await asyncio.gather(*map(limited(work), part), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None and not isinstance(outcome, ResponderError):
                raise outcome
        return [outcome for outcome in outcomes if isinstance(outcome, ResponderError)]

    async def _submit(self, operations: Sequence[tuple[Any, ...]]) -> None:
        with translated("the work list"):
            await self._table.submit_transaction(list(operations))

    async def items(self) -> list[WorkItem]:
        """Read every item, in pages of the service."""
        with translated("the work list"):
            found = self._table.query_entities("PartitionKey eq @tenant", parameters={"tenant": self._tenant})
            return [_item(entity) async for entity in found]

    async def _replace(self, entity: Mapping[str, Any], etag: str) -> None:
        await write_if_unchanged(self._table, entity, etag, f"the work item of {entity['RowKey']}")

    def _entity(self, target: str, due_at: datetime | None, *, changed: bool) -> dict[str, Any]:
        entity = {"PartitionKey": self._tenant, "RowKey": target, "Changed": changed}
        return entity if due_at is None else entity | {"DueAt": due_at}


def _covers(item: WorkItem, due_at: datetime | None) -> bool:
    """Return True when the item says as much as a run that ends has to say."""
    early = due_at is None or (item.due_at is not None and item.due_at <= due_at)
    return item.changed and item.head is None and early


def _parts(items: Sequence[E]) -> Iterator[Sequence[E]]:
    return (items[start : start + _TOGETHER] for start in range(0, len(items), _TOGETHER))


def _conditional(what: str, entity: Mapping[str, Any], etag: str) -> tuple[Any, ...]:
    """Return an operation of a transaction that fails when the row has changed."""
    replace = {} if what == "delete" else {"mode": UpdateMode.REPLACE}
    return what, entity, replace | {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _item(entity: Any) -> WorkItem:  # noqa: ANN401 - TableEntity is a dict of any values
    due_at = entity.get("DueAt")
    moment = due_at.astimezone(UTC) if isinstance(due_at, datetime) else None
    number, digest = entity.get("LogSeq"), entity.get("LogHash")
    return WorkItem(
        target=entity["RowKey"],
        due_at=moment,
        changed=bool(entity.get("Changed", True)),
        etag=entity.metadata["etag"],
        head=(number, digest) if isinstance(number, int) and isinstance(digest, str) else None,
    )
