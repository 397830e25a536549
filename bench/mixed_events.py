"""(g) 1,000 mixed events about 100 accounts: storage calls for each, counted on the wire.

The events come by seed, with duplicates. Records of the feed, hints and the rows of two sweeps come in batches; the
worker answers after the first half and at the end. Until everything is read back, all that the responder asks of
tables, queues and blobs counts, its polls and its scheduler's runs included. Floor: what storing a finding alone takes,
announced before and after.

Raises AssertionError unless in the end everybody who was on was contained exactly once, and nobody else.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import httpx

from bench.event_order import by_seed
from bench.queue_worker import QueueWorker
from bench.storage_calls import build_counted, enforcing
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.session import announced
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.event_order import Delivery, Events
    from bypass_responder.bootstrap import Responder

SEED = 20261124
_BATCH = 50
_READ_BACK_SECONDS = 10
_PASSES = 3
_CONTAINED = ("account_enabled", "sign_in_sessions_valid_from", "audit_bypass_enabled")
_LATER_SECONDS = 86_400


@dataclass
class _Run:
    """One responder of one tenant, and the worker that answers it.

    The clock is ahead by what was waited for.
    """

    tenant: Tenant
    env: Mapping[str, str]
    counts: Counter[str] = field(default_factory=Counter)
    ahead: timedelta = timedelta(0)

    async def __aenter__(self) -> Self:
        """Build the responder; its first poll, sweep and run of the scheduler lie behind, and found nothing.

        With the last one the verification of the log, which comes once a day whatever happens.
        """
        built = build_counted(self.env, self.counts)
        services = dataclasses.replace(built.services, clock=lambda: datetime.now(UTC) + self.ahead)
        self.responder: Responder = dataclasses.replace(built, services=services)
        self._stack = AsyncExitStack()
        self._stack.push_async_callback(self.responder.aclose)
        self._worker = QueueWorker(
            await self._stack.enter_async_context(httpx.AsyncClient(trust_env=False)),
            self.env["GRAPH_URL"],
            self.tenant.settings.tenant_id,
            self.env["ResponderStorage"],
            self.responder.record_exchange_result,
        )
        await self.responder.create_storage()
        await self.responder.poll_audit_feed()
        await self.sweep()
        await self.responder.resume_responses()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._stack.aclose()

    async def take(self, batch: Sequence[Delivery]) -> None:
        """Hints and sweeps as they come; the records among them last, in one blob."""
        records = []
        for each in batch:
            match each:
                case bytes():
                    await self.responder.receive_alert(each)
                case str():
                    await self.sweep()
                case _:
                    records.append(each)
        self.tenant.deliver(records)
        self.ahead += timedelta(seconds=1)  # the feed is asked up to the last whole second
        await self.responder.poll_audit_feed()

    async def sweep(self) -> None:
        """The timer asks, and the worker answers."""
        await self.responder.sweep_bypass_state()
        await self._worker.sweeps()

    async def settle(self) -> None:
        """Let the worker answer everything, time pass and the scheduler run, several times.

        An answer may make another question.
        """
        for _ in range(_PASSES):
            await self._worker.commands()
            self.ahead += timedelta(seconds=_READ_BACK_SECONDS)
            await self.responder.resume_responses()


def measure(events: int = 1000, targets: int = 100) -> dict[str, Any]:
    """Calls for each event, beside the floor."""
    settings = Settings(exchange_delay_seconds=0, graph_delay_seconds=0, own_record_delay_seconds=_LATER_SECONDS)
    tenant = Tenant(settings=settings)
    with enforcing(tenant, CONTAINMENT_LIMIT_PER_HOUR="1000", HINT_CHECKS_PER_HOUR="1000") as env:
        return asyncio.run(_measured(_Run(tenant, env), by_seed(SEED, settings, events=events, targets=targets)))


async def _measured(run: _Run, given: Events) -> dict[str, Any]:
    run.tenant.add(given.on + given.off)
    async with run:
        run.tenant.add(each.model_copy(update={"audit_bypass_enabled": True}) for each in given.on)
        run.counts.clear()
        began = time.perf_counter()
        batches = [given.deliveries[start : start + _BATCH] for start in range(0, len(given.deliveries), _BATCH)]
        for number, batch in enumerate(batches):
            if number == (len(batches) + 1) // 2:
                await run.settle()
            await run.take(batch)
        await run.settle()
        seconds, counts = time.perf_counter() - began, dict(run.counts)
        await check(run.tenant, run.responder, given)
        floor = await _floor(run, given.on[0].object_id)
    calls = sum(counts.values())
    return {
        "storage_calls_per_event": round(calls / given.count, 2),
        "storage_calls_floor": floor,
        "times_floor": round(calls / given.count / floor, 2),
        **{f"{service}_calls": count for service, count in sorted(counts.items())},
        "events": given.count,
        "seconds": round(seconds, 1),
    }


async def check(tenant: Tenant, responder: Responder, given: Events) -> None:
    """Raise AssertionError unless everybody who was on was contained exactly once.

    It is also raised when anybody else was touched.
    """
    changed = Counter((change.object_id, change.field) for change in tenant.journal)
    wanted = Counter((each.object_id, name) for each in given.on for name in _CONTAINED)
    if changed != wanted:
        raise AssertionError({"missing": wanted - changed, "too much": changed - wanted})
    ledger = responder.services.ledger
    cases = [await ledger.load(target, history=True) for target in await ledger.targets()]
    incidents = [row for case in cases for row in case.by_key.values() if isinstance(row, Incident)]
    ended = Counter((row.target, row.status) for row in incidents)
    if ended != Counter((each.object_id, IncidentStatus.CONTAINED) for each in given.on):
        raise AssertionError(ended)


async def _floor(run: _Run, target: str) -> int:
    """Calls that store one finding more in this account's case."""
    services = run.responder.services
    rows = (await services.ledger.load(target, history=True)).by_key.values()
    finding = next(row for row in rows if isinstance(row, Finding))
    run.counts.clear()
    async with announced(target, services):
        if not await services.ledger.add_finding(finding.model_copy(update={"id": "floor"})):
            raise AssertionError(finding)
    return run.counts.total()


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
