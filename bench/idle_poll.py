"""(e) A poll of the feed with nothing new: its calls to storage and to the API.

They are counted on the wire. The floor is one listing.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from azure.data.tables.aio import TableServiceClient
from azure.identity.aio import ManagedIdentityCredential

from bypass_responder.adapters.feed_table import TABLE, FeedTable
from bypass_responder.adapters.management_activity import ManagementActivityFeed
from bypass_responder.sensing.feed.poll import poll
from sandbox.azurite import Azurite
from sandbox.tenant.server import environment, serving
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from bypass_responder.model.feed import FeedGap
    from bypass_responder.sensing.feed.poll import BlobRecords

_ROUNDS = 5
_BLOBS = 60
"""Read before, and listed again because they are younger than the overlap: half a blob a minute."""
_PAGE = 200
_WARM_UP = 10
"""The first polls start the subscription, read the blobs and list 7 days."""


def _start() -> datetime:
    """So early that the last poll's minute is over."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=_WARM_UP + _ROUNDS)


async def _keep(_part: BlobRecords | FeedGap) -> None:
    return None


async def _polls(tenant: Tenant, url: str, connection: str) -> tuple[dict[str, int], float]:
    """Calls of a poll that has nothing new, and its seconds."""
    counts: Counter[str] = Counter()

    async def count_http(_request: httpx.Request) -> None:
        counts["http"] += 1

    def count_storage(_request: object) -> None:
        counts["storage"] += 1

    storage = TableServiceClient.from_connection_string(connection, raw_request_hook=count_storage)
    http = httpx.AsyncClient(trust_env=False, event_hooks={"request": [count_http]})
    async with storage as tables, http, ManagedIdentityCredential() as credential:
        await tables.create_table_if_not_exists(TABLE)
        tenant_id = tenant.settings.tenant_id
        feed = ManagementActivityFeed(http, credential, base_url=url, tenant_id=tenant_id)
        store = FeedTable(tables, tenant_id=tenant_id)
        minutes = (_start() + timedelta(minutes=number) for number in count())
        for now in islice(minutes, _WARM_UP):
            await poll(feed=feed, store=store, keep=_keep, report_gap=_keep, now=now)
        calls, seconds = [], []
        for now in islice(minutes, _ROUNDS):
            counts.clear()
            began = time.perf_counter()
            report = await poll(feed=feed, store=store, keep=_keep, report_gap=_keep, now=now)
            seconds.append(time.perf_counter() - began)
            calls.append(dict(counts))
            if report.error or report.read:
                raise AssertionError(report)
    # once an hour a poll also forgets what is old
    return min(calls, key=lambda call: call["storage"]), statistics.median(seconds)


def _measured(connection: str, *, blobs: int, tenant_id: str) -> tuple[dict[str, int], float]:
    tenant = Tenant(settings=Settings(tenant_id=tenant_id, page_size=_PAGE))
    for number in range(blobs):
        created = _start() - timedelta(minutes=1 + 1.5 * number)
        tenant.feed.publish(b"[]", created=created, visible_at=created)
    with serving(tenant) as url:
        os.environ.update(environment(url))
        return asyncio.run(_polls(tenant, url, connection))


def measure() -> dict[str, Any]:
    """Return the calls of one poll, on a feed without blobs and on one with known blobs.

    The known blobs are of the last two hours, and were all read before.
    """
    with tempfile.TemporaryDirectory() as folder, Azurite(log=Path(folder) / "azurite.log") as azurite:
        empty, _ = _measured(azurite.connection_string, blobs=0, tenant_id="00000000-0000-0000-0000-000000000001")
        known, seconds = _measured(
            azurite.connection_string, blobs=_BLOBS, tenant_id="00000000-0000-0000-0000-000000000002"
        )
    return {
        "http_calls": known["http"],
        "storage_calls": known["storage"],
        "http_calls_on_an_empty_feed": empty["http"],
        "storage_calls_on_an_empty_feed": empty["storage"],
        "http_calls_floor": 1,
        "seconds": seconds,
    }
