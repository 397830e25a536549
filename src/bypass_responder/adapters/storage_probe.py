"""Checks once, as the signed-in identity, which tables, queues and containers can be reached.

Reading only, one request each: one row, the peeked messages of a poison queue, one name of a blob, a page of dead
letters. It is within the roles that the app has; a role that lets it only send to a queue refuses the look.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from bypass_responder.adapters.storage_errors import code_of
from bypass_responder.model.dead_letters import DEAD_LETTER_DAYS, DEAD_LETTERS
from bypass_responder.model.self_check import (
    POISON,
    Access,
    Place,
    Reach,
    StorageCheck,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from azure.data.tables.aio import TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

    from bypass_responder.ports import Clock

_LONGEST = 200
_MOST_PEEKED = 32
_MOST_LISTED = 5000
"""The service's own bounds of one request."""
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_GONE = {HTTPStatus.NOT_FOUND}


class StorageProbe:
    """``operating.self_check.StorageProbe``.

    Permissions: Storage Table Data Reader, Storage Queue Data Message Processor, Storage Blob Data Reader.
    """

    def __init__(
        self,
        tables: TableServiceClient,
        queues: QueueServiceClient,
        blobs: BlobServiceClient,
        *,
        expected_tables: Sequence[str],
        expected_containers: Sequence[str],
        clock: Clock,
    ) -> None:
        """Take the clients and the names of what must be there; nothing connects before the first call."""
        self._tables = tables
        self._queues = queues
        self._blobs = blobs
        self._expected_tables = expected_tables
        self._expected_containers = expected_containers
        self._clock = clock

    async def probe(self, queues: Sequence[str]) -> StorageCheck:
        """Check every table and container, and these queues, concurrently. Raises nothing."""
        skews: list[float] = []

        def hear(answer: Any) -> None:  # noqa: ANN401 - the pipeline's response is untyped
            if (skew := self._skew(answer.http_response.headers.get("Date", ""))) is not None:
                skews.append(skew)

        probes = [_reach(Place.TABLE, name, self._table, hear) for name in self._expected_tables]
        probes += [_reach(Place.QUEUE, name, self._queue, hear) for name in queues]
        probes += [_reach(Place.CONTAINER, name, self._container, hear) for name in self._expected_containers]
        reaches = await asyncio.gather(*probes)
        # a slow answer probes like a clock that is ahead: the smallest difference has the least of that in it
        return StorageCheck(reaches=tuple(reaches), skew_seconds=min(skews, key=abs, default=None))

    async def _table(self, name: str, hear: Callable[[Any], None]) -> int:
        rows = self._tables.get_table_client(name).list_entities(
            results_per_page=1, select=["PartitionKey"], raw_response_hook=hear
        )
        async for _ in rows:
            break
        return 0

    async def _queue(self, name: str, hear: Callable[[Any], None]) -> int:
        most = _MOST_PEEKED if name.endswith(POISON) else 1
        return len(await self._queues.get_queue_client(name).peek_messages(max_messages=most, raw_response_hook=hear))

    async def _container(self, name: str, hear: Callable[[Any], None]) -> int:
        most = _MOST_LISTED if name == DEAD_LETTERS else 1
        blobs = self._blobs.get_container_client(name).list_blobs(results_per_page=most, raw_response_hook=hear)
        modified = [blob.last_modified async for blob in await anext(blobs.by_page())]
        if name != DEAD_LETTERS:
            return 0
        since = self._clock() - timedelta(days=DEAD_LETTER_DAYS)
        return most if len(modified) == most else sum(moment > since for moment in modified)

    def _skew(self, date: str) -> float | None:
        """Our clock less the service's, whose header has whole seconds."""
        try:
            reported = parsedate_to_datetime(date)
        except ValueError:
            return None
        ahead = (self._clock() - reported.replace(tzinfo=reported.tzinfo or UTC)).total_seconds()
        return max(0.0, ahead - 1) if ahead > 0 else ahead


async def _reach(
    place: Place,
    name: str,
    look: Callable[[str, Callable[[Any], None]], Awaitable[int]],
    hear: Callable[[Any], None],
) -> Reach:
    try:
        return Reach(place=place, name=name, access=Access.OK, held=await look(name, hear))
    except AzureError as error:
        access, code = _judged(error)
        return Reach(place=place, name=name, access=access, code=code)


def _judged(error: AzureError) -> tuple[Access, str]:
    status = error.status_code if isinstance(error, HttpResponseError) else None
    code = code_of(error) or (f"HTTP {int(status)}" if status else "")
    if status in _REFUSED:
        return Access.FORBIDDEN, code
    if status in _GONE:
        return Access.MISSING, code
    lines = str(error.message or "").splitlines() or [""]
    if isinstance(error, ClientAuthenticationError):
        return Access.NO_TOKEN, lines[0][:_LONGEST]
    return Access.UNREACHABLE, code or f"{type(error).__name__}: {lines[0]}"[:_LONGEST]
