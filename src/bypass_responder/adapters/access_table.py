"""What others did in watched mailboxes: rows of the table Evidence under ``{tenant}_access``."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from azure.data.tables import UpdateMode
from pydantic import ValidationError

from bypass_responder.adapters.storage_errors import translated
from bypass_responder.adapters.table_rows import batches, corrupt, row_or_none, write_if_unchanged
from bypass_responder.bounded import limited
from bypass_responder.errors import NotFoundError
from bypass_responder.model.base import Stored
from bypass_responder.model.mailbox_access import AccessDay, AccessState, MailboxAccess

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
    from datetime import date

    from azure.data.tables.aio import TableServiceClient

    from bypass_responder.model.mailbox_access import AccessFilter

V = TypeVar("V", bound=Stored)
TABLE = "Evidence"
_STATE = "state"
_TRANSACTION = 100
_LAST_DAY = 9_999_999
_KEYS = ["PartitionKey", "RowKey"]
_RANGE = "PartitionKey eq @partition and RowKey ge @first and RowKey lt @end"
_WANTED = (
    ("mailbox", "( Mailbox eq @mailbox or MailboxId eq @mailbox or ObjectId eq @mailbox )"),
    ("actor", "( Actor eq @actor or ActorId eq @actor or AppId eq @actor )"),
    ("logon", "Logon eq @logon"),
)
"""The SDK takes a parameter for a word between spaces."""


class AccessTable:
    """``ports.MailboxAccesses``.

    Permission: Storage Table Data Contributor, to read Storage Table Data Reader.
    Rows: ``state`` · ``day-{day}`` · ``time-{newest day first}-{pair}-{digest}`` · ``pair-{pair}-{day}``, which has no
    body. A day is the number of days since the year 1. The columns of a ``time-`` row are what the service filters by.
    """

    def __init__(self, service: TableServiceClient, tenant_id: str) -> None:
        """Use the tables of ``service``; nothing is called yet."""
        self._table = service.get_table_client(TABLE)
        self._partition = f"{tenant_id}_access"

    async def state(self) -> AccessState:
        """Raises InputError when the row is malformed."""
        row = await row_or_none(self._table, self._partition, _STATE, "Reading the state of the watch of mailboxes")
        return _parsed(AccessState, row).model_copy(update={"etag": row.metadata["etag"]}) if row else AccessState()

    async def save(self, state: AccessState) -> AccessState:
        """Insert it when it has no etag, else replace the row that has this etag. Raises ConflictError."""
        row = self._row(_STATE, Body=state.model_dump_json(exclude={"etag"}))
        etag = await write_if_unchanged(self._table, row, state.etag, "Saving the state of the watch of mailboxes")
        return state.model_copy(update={"etag": etag})

    async def days(self, since: date) -> list[AccessDay]:
        """Read one range."""
        return [_parsed(AccessDay, row) async for row in self._range(f"day-{_number(since)}", "day.")]

    async def keep(self, day: AccessDay, rows: Sequence[MailboxAccess]) -> None:
        """Write the rows, then the day: a crash between them reads the day again."""
        found = {key: row for each in rows for key, row in self._rows_of(each)}
        for batch in batches(found.values(), _TRANSACTION):
            with translated("Keeping what was done in watched mailboxes"):
                await self._table.submit_transaction([("upsert", row, {"mode": UpdateMode.REPLACE}) for row in batch])
        with translated("Keeping a day of watched mailboxes"):
            await self._table.upsert_entity(
                self._row(f"day-{_number(day.day)}", Body=day.model_dump_json()), mode=UpdateMode.REPLACE
            )

    async def known(self, pairs: Collection[str], before: date) -> set[str]:
        """Look for one row of each pair, a few pairs at a time."""

        async def known(pair: str) -> bool:
            rows = self._range(f"pair-{pair}-", f"pair-{pair}-{_number(before)}", select=_KEYS, page=1)
            return await anext(rows, None) is not None

        asked = sorted(pairs)
        answers = await asyncio.gather(*map(limited(known), asked))
        return {pair for pair, is_known in zip(asked, answers, strict=True) if is_known}

    async def newest(self, wanted: AccessFilter, limit: int) -> list[MailboxAccess]:
        """Let the service filter by name and logon type; read no more than ``limit``."""
        asked = {"mailbox": wanted.mailbox, "actor": wanted.actor, "logon": wanted.logon or ""}
        names = {name: text.strip().casefold() for name, text in asked.items() if text.strip()}
        query = " and ".join((_RANGE, *(condition for name, condition in _WANTED if name in names)))
        last = (wanted.until - timedelta(microseconds=1)).date()
        bounds = f"time-{_newest(last)}-", f"time-{_newest(wanted.since.date())}."
        found: list[MailboxAccess] = []
        async for row in self._range(*bounds, query=query, names=names):
            found.append(_parsed(MailboxAccess, row))
            if len(found) >= limit:
                break
        return found

    async def forget_before(self, day: date) -> int:
        """Delete what is older under all its keys, up to 100 in a transaction."""
        times = [row["RowKey"] async for row in self._range(f"time-{_newest(day)}.", "time.", select=_KEYS)]
        days = [row["RowKey"] async for row in self._range("day-", f"day-{_number(day)}", select=_KEYS)]
        for batch in batches(sorted({*times, *map(_pair_key, times), *days}), _TRANSACTION):
            try:
                with translated("Forgetting old access to mailboxes"):
                    await self._table.submit_transaction([("delete", self._row(key)) for key in batch])
            except NotFoundError:
                break  # another run is at it
        return len(times)

    def _rows_of(self, access: MailboxAccess) -> Iterator[tuple[str, dict[str, Any]]]:
        key = f"time-{_newest(access.day)}-{access.pair}-{access.digest}"
        columns = {
            "Mailbox": access.mailbox,
            "MailboxId": access.mailbox_id,
            "ObjectId": access.object_id,
            "Actor": access.actor,
            "ActorId": access.actor_id,
            "AppId": access.app_id,
            "Logon": access.logon.value,
        }
        yield key, self._row(key, Body=access.model_dump_json(), **columns)
        yield _pair_key(key), self._row(_pair_key(key))

    async def _range(
        self,
        first: str,
        end: str,
        *,
        query: str = _RANGE,
        names: Mapping[str, str] | None = None,
        select: list[str] | None = None,
        page: int | None = None,
    ) -> AsyncIterator[Any]:
        bounds = {"partition": self._partition, "first": first, "end": end}
        found = self._table.query_entities(
            query, parameters=bounds | dict(names or {}), select=select, results_per_page=page
        )
        with translated("Reading what was done in watched mailboxes"):
            async for row in found:
                yield row

    def _row(self, key: str, **columns: str) -> dict[str, Any]:
        return {"PartitionKey": self._partition, "RowKey": key, **columns}


def _number(day: date) -> str:
    return f"{day.toordinal():07d}"


def _newest(day: date) -> str:
    return f"{_LAST_DAY - day.toordinal():07d}"


def _pair_key(time_key: str) -> str:
    _, newest, pair, _ = time_key.split("-")
    return f"pair-{pair}-{_LAST_DAY - int(newest):07d}"


def _parsed(kind: type[V], row: Any) -> V:  # noqa: ANN401 - TableEntity holds any values
    try:
        return kind.model_validate_json(row["Body"])
    except (KeyError, ValidationError) as problem:
        raise corrupt(row, TABLE, problem) from problem
