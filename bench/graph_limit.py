"""(j) 1,000 violations, with Graph limited to 20 requests a second ÷ the time their calls need.

The responder's own limit is lifted. The stand-in Graph keeps a bucket of 20 tokens, filled at 20 a second; a request
without a token gets 429 with Retry-After 1 and takes none. Every Graph call takes 100 ms more, every storage call 5 ms.
Ideal: three calls for each violation (read, block, revoke), 20 a second. Measured from the stored records to the last
revocation. Where the rest of the time goes: ``graph_calls_per_violation`` beyond three, and ``unused_seconds``, in
which the bucket was full and nobody called. ``busy_seconds``: of the processor, by the responder and the stand-in; on a
slow or busy machine they are the reason why nobody called. Another reason is Azurite, whose transactions become slower
with every row that is there: with 600 violations, 33 ms in the first third of the run and 147 ms in the last.

Raises AssertionError when a violation is lost, or a block was called again after it was accepted.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.slow_services import MALLORY, parsed
from bench.storage_calls import GRAPH_SECONDS, STORAGE_SECONDS, Latency, build_counted, enforcing
from bypass_responder.handling.identify import Lookups
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.triggers.resume_responses import resume_responses
from bypass_responder.triggers.store_records import store_records
from sandbox.tenant.account import Account
from sandbox.tenant.faults import Fault, Faults
from sandbox.tenant.records import bypass_record
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PER_SECOND = 20
_CALLS_EACH = 3
_LONGEST = 4
"""So many ideal times: by then every violation must be contained."""


@dataclass
class _Limited(Faults):
    """Throttles what comes faster."""

    filled_at: float = 0.0
    unused: float = 0.0
    """Tokens for which the bucket had no room."""

    def __post_init__(self) -> None:
        self.passed: Counter[str] = Counter()
        self.tokens = float(PER_SECOND)

    def delay_seconds(self, endpoint: str) -> float:
        """As long for an answer of 429."""
        return GRAPH_SECONDS if endpoint.startswith("graph.") else 0.0

    def next_fault(self, endpoint: str) -> Fault | None:
        """429 where no token is left."""
        if not endpoint.startswith("graph."):
            return None
        now = time.monotonic()
        tokens = self.tokens + (now - (self.filled_at or now)) * PER_SECOND
        self.unused += max(tokens - PER_SECOND, 0.0)
        self.tokens, self.filled_at = min(PER_SECOND, tokens), now
        if self.tokens < 1:
            return Fault(kind="throttle")
        self.tokens -= 1
        self.passed[endpoint] += 1
        return None


def measure(violations: int = 1000) -> dict[str, Any]:
    """How many times the ideal it takes, and what was sent."""
    faults = _Limited()
    tenant = Tenant(settings=Settings(exchange_delay_seconds=0, graph_delay_seconds=0), faults=faults)
    with enforcing(tenant, CONTAINMENT_LIMIT_PER_HOUR=str(violations)) as env:
        return asyncio.run(_measured(env, tenant, faults, violations))


async def _measured(env: Mapping[str, str], tenant: Tenant, faults: _Limited, violations: int) -> dict[str, Any]:
    people = [Account.named(f"person{number}") for number in range(violations)]
    tenant.add(people)
    ideal = _CALLS_EACH * violations / PER_SECOND
    counts: Counter[str] = Counter()
    responder = build_counted(env, counts, latency=Latency(STORAGE_SECONDS))
    services = responder.services
    try:
        await responder.create_storage()
        records = [parsed(bypass_record(tenant.settings, person, MALLORY)) for person in people]
        lookups = Lookups(services)
        began, busy = time.perf_counter(), time.process_time()
        stored = await store_records(
            records, services, source="bench", available_at=None, first_run=False, lookups=lookups
        )
        storing = time.perf_counter() - began
        problems = await _settle(stored.targets, services, lookups)
        while (left := _left(tenant, people)) and time.perf_counter() - began < _LONGEST * ideal + 60:
            problems += await _resume(services)
            await asyncio.sleep(0.5)
        seconds = time.perf_counter() - began
        await lookups.aclose()
    finally:
        await responder.aclose()
    blocks = Counter(change.object_id for change in tenant.journal if change.field == "account_enabled")
    if left or faults.passed["graph.patch_user"] != violations or set(blocks.values()) != {1}:
        raise AssertionError({"lost": left, "calls": dict(faults.passed)})
    return {
        "times_ideal": round(seconds / ideal, 2),
        "seconds": round(seconds, 1),
        "ideal_seconds": round(ideal, 1),
        "busy_seconds": round(time.process_time() - busy, 1),
        "storing_seconds": round(storing, 1),
        "lost": len(left),
        "blocks_called_again": faults.passed["graph.patch_user"] - violations,
        "graph_calls_per_violation": round(faults.passed.total() / violations, 2),
        "unused_seconds": round(faults.unused / PER_SECOND, 1),
        "read_calls": faults.passed["graph.get_user"],
        "throttled_calls": tenant.counters["fault.throttle"],
        "storage_calls_per_violation": round(counts.total() / violations, 1),
        "problems": problems,
        "violations": violations,
    }


async def _settle(targets: frozenset[str], services: Any, lookups: Lookups) -> int:  # noqa: ANN401
    try:
        await settle_all(targets, services, lookups=lookups)
    except ExceptionGroup as group:
        return len(group.exceptions)
    return 0


async def _resume(services: Any) -> int:  # noqa: ANN401
    try:
        await resume_responses(services)
    except ExceptionGroup as group:
        return len(group.exceptions)
    return 0


def _left(tenant: Tenant, people: Sequence[Account]) -> list[str]:
    """Who is not blocked, or whose sessions are not revoked."""
    revoked = {change.object_id for change in tenant.journal if change.field == "sign_in_sessions_valid_from"}
    return [each.object_id for each in people if each.account_enabled or each.object_id not in revoked]


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
