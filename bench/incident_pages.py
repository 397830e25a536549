"""(i) Pages of the list of incidents: 100,000 ÷ 100 incidents, and each page's storage requests.

The rows are those that the index writes; a table service that reads ranges in order answers (``sorted_tables``).
Measured in turns, with 40 entries each: the first page, page 1,000 (of 100 incidents the second one), the incidents of
an account by its user principal name, those of one status, and those of five. Of those that need a decision, the
requests count.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.data.tables.aio import TableServiceClient

from bench.sorted_tables import SortedTable
from bench.storage_calls import counted_transport
from bypass_responder.adapters.index_table import TableIndex
from bypass_responder.case.listing import entry_of
from bypass_responder.model.incident_status import NEEDS_DECISION, IncidentStatus
from bypass_responder.model.listing import IndexFilter
from sandbox.populate import accounts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bypass_responder.model.incident import Incident
    from bypass_responder.model.listing import IndexPage

_TENANT = "11111111-1111-4111-8111-111111111111"
_PAGE, _FAR, _FEW = 40, 1_000, 100
FIVE = (
    *(IncidentStatus.HELD, IncidentStatus.FAILED, IncidentStatus.DISMISSED),
    *(IncidentStatus.RELEASED, IncidentStatus.CLOSED),
)
_NOW = datetime(2026, 3, 2, tzinfo=UTC)


def measure(incidents: int = 100_000, runs: int = 60) -> dict[str, Any]:
    """Ratios of medians, and the most requests of any page."""
    return asyncio.run(_measured(incidents, runs))


async def _measured(incidents: int, runs: int) -> dict[str, Any]:
    requests: Counter[str] = Counter()
    figures: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        many, few = [await _index(stack, count, requests) for count in (incidents, _FEW)]
        await (await _page(many, "waiting", incidents))()
        most = requests.total()
        for name in ("first_page", "far_page", "account", "status", "statuses"):
            reads = [await _page(index, name, count) for index, count in ((many, incidents), (few, _FEW))]
            taken: list[list[float]] = [[], []]
            for _ in range(runs):
                for read, times in zip(reads, taken, strict=True):
                    before, began = requests.total(), time.perf_counter()
                    await read()
                    times.append(1000 * (time.perf_counter() - began))
                    most = max(most, requests.total() - before)
            large, small = map(statistics.median, taken)
            figures |= {f"times_{name}": round(large / small, 2), f"{name}_ms": round(large, 2)}
    return figures | {"most_requests": most, "incidents": incidents, "runs": runs}


async def _index(stack: AsyncExitStack, count: int, requests: Counter[str]) -> TableIndex:
    """An index with so many incidents."""
    writer = IndexRows(_TENANT)
    for incidents in accounts(count, now=_NOW):
        writer.add(incidents)
    text = await stack.enter_async_context(SortedTable(writer.rows).served())
    service = TableServiceClient.from_connection_string(text, transport=counted_transport(requests))
    await stack.enter_async_context(service)
    return TableIndex(service, _TENANT)


async def _page(index: TableIndex, name: str, count: int) -> Callable[[], Awaitable[IndexPage]]:
    """How a page is read; a far one from where the one before it ended."""
    incidents = IndexFilter(kinds=("incident",))
    wanted = {
        "account": IndexFilter(kinds=("incident",), account="user00000@contoso.onmicrosoft.com"),
        "status": IndexFilter(statuses=(IncidentStatus.CLOSED,)),
        "statuses": IndexFilter(statuses=FIVE),
        "waiting": IndexFilter(statuses=tuple(NEEDS_DECISION), oldest_first=True),
    }.get(name, incidents)
    after: str = ""
    for _ in range(min(_FAR, count // _PAGE) - 1 if name == "far_page" else 0):
        after = (await index.page(wanted, after=after, limit=_PAGE)).next or after
    return lambda: index.page(wanted, after=after, limit=_PAGE)


class IndexRows(TableIndex):
    """The rows that the index writes, kept instead of sent."""

    def __init__(self, tenant_id: str) -> None:
        """Connect to nothing."""
        self._tenant = tenant_id
        self.rows: list[dict[str, Any]] = []

    def add(self, incidents: list[Incident]) -> None:
        """Keep the rows of these incidents."""
        for incident in incidents:
            self.rows += self._rows(entry_of(incident))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
