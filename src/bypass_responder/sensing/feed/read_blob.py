"""Reads one blob of the feed in bounded memory: spooled, prefiltered, parsed only if it may matter."""

from __future__ import annotations

import asyncio
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from bypass_responder.errors import TransientError
from bypass_responder.model.record import AuditRecord, Unreadable
from bypass_responder.sensing.records.prefilter import Prefilter
from bypass_responder.sensing.records.reader import read_records

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from bypass_responder.model.feed import ContentBlob
    from bypass_responder.ports import AuditFeed

_IN_MEMORY = 1 << 20
_EDGE = 64
_BATCH_ITEMS = 200
_BATCH_CHARACTERS = 1 << 22
_DOWNLOAD_SECONDS = 120
_CONTAINER = frozenset({"not_json", "cut_off"})

Item = AuditRecord | Unreadable


async def read_blob(feed: AuditFeed, blob: ContentBlob) -> AsyncIterator[tuple[Item, ...]]:
    """Yield its relevant records and unreadable parts in batches, once the whole blob is downloaded.

    Raises TransientError when it takes longer than two minutes, and what the feed raises.
    """
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as spool:
        if await _download(feed, blob, cast("BinaryIO", spool)):
            spool.seek(0)
            batches = _batches(read_records(cast("BinaryIO", spool), source=f"blob {blob.content_id}"))
            while batch := await asyncio.to_thread(next, batches, ()):
                yield batch


def container_is_broken(items: tuple[Item, ...]) -> str | None:
    """The reason when the blob itself, not a record in it, is no JSON: its download may have been cut."""
    reasons = (item.reason for item in items if isinstance(item, Unreadable) and item.reason in _CONTAINER)
    return next(reasons, None)


async def _download(feed: AuditFeed, blob: ContentBlob, spool: BinaryIO) -> bool:
    """Return whether to parse the blob: it may matter, or is not a complete JSON array."""
    prefilter = Prefilter()
    head = tail = b""
    try:
        async with asyncio.timeout(_DOWNLOAD_SECONDS):
            async for chunk in feed.read(blob):
                prefilter.feed(chunk)
                head = head or chunk[:_EDGE]
                tail = (tail + chunk[-_EDGE:])[-_EDGE:]
                spool.write(chunk)
    except TimeoutError as error:
        raise TransientError(f"The blob did not arrive within {_DOWNLOAD_SECONDS} s.") from error
    return prefilter.matched or head.lstrip()[:1] + tail.rstrip()[-1:] != b"[]"


def _batches(items: Iterator[Item]) -> Iterator[tuple[Item, ...]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += len(item.raw if isinstance(item, AuditRecord) else item.excerpt)
        if len(batch) >= _BATCH_ITEMS or size >= _BATCH_CHARACTERS:
            yield tuple(batch)
            batch, size = [], 0
    if batch:
        yield tuple(batch)
