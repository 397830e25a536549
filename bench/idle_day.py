"""(h) What a quiet tenant takes: storage calls, log lines and seconds of each function.

The calls are counted on the wire. Nobody but five allowlisted service accounts is bypassed, and the feed has blobs
without anything of ours. Each function is warm and runs against Azurite and a stand-in tenant on this machine, so its
seconds are a floor. ``bench/cost.py`` makes money of the calls.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx

from bench.queue_worker import QueueWorker
from bench.slow_services import parsed
from bench.storage_calls import build_counted, enforcing
from bypass_responder.adapters.telemetry import OURS
from bypass_responder.handling.identify import Lookups
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.triggers.ask_organization import ask_organization
from bypass_responder.triggers.store_records import store_records
from sandbox.tenant.account import Account
from sandbox.tenant.graph_logs import PERMISSIONS
from sandbox.tenant.hunting import PERMISSION
from sandbox.tenant.identity import GRAPH, RESPONDER_SECRET
from sandbox.tenant.records import bypass_record
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bypass_responder.bootstrap import Responder

SERVICES = ("table", "queue", "blob")
ALLOWED = 5
"""Service accounts that are bypassed, each with its allowlist entry."""
_ROUNDS = 5
_NEW_BLOBS = 10
_GATHERS = 6
"""Runs in half an hour, in which every source of the stand-in has answered."""
_OWN_FIELDS = frozenset(vars(logging.makeLogRecord({})))


class _Lines(logging.Handler):
    """The responder's own lines, and their size with their fields.

    The lines of its libraries are not sent.
    """

    def __init__(self, counts: Counter[str]) -> None:
        super().__init__(logging.INFO)
        self._counts = counts

    def emit(self, record: logging.LogRecord) -> None:
        """Count the line."""
        fields = {name: value for name, value in vars(record).items() if name not in _OWN_FIELDS}
        self._counts["lines"] += 1
        self._counts["line_bytes"] += len(json.dumps({"message": record.getMessage()} | fields, default=str))


@dataclass
class _Clock:
    """The real time, and what was waited for."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        """As the responder's clock."""
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class _Day:
    """One responder of a quiet tenant."""

    tenant: Tenant
    responder: Responder
    worker: QueueWorker
    counts: Counter[str]
    writes: Counter[str]
    clock: _Clock

    def forget(self) -> None:
        """Count from here."""
        self.counts.clear()
        self.writes.clear()

    async def counted(self, run: Callable[[], Awaitable[None]], *, rounds: int = _ROUNDS) -> dict[str, float]:
        """What one call takes: the fewest calls of several, since once an hour one forgets what is old too."""
        counted = []
        for _ in range(rounds):
            self.clock.ahead += timedelta(minutes=1)
            self.forget()
            began = time.perf_counter()
            await run()
            seconds = time.perf_counter() - began
            logged = self.writes["table"] + self.writes["blob"]
            counted.append(dict(self.counts) | {"logged_writes": logged, "seconds": seconds})
        least = min(counted, key=lambda each: sum(each.get(name, 0) for name in SERVICES))
        return least | {"seconds": round(statistics.median(each["seconds"] for each in counted), 3)}

    async def poll_with_new_blobs(self) -> None:
        """A poll that reads blobs; what they take less what a poll takes anyway is theirs."""
        for _ in range(_NEW_BLOBS):
            self.tenant.deliver([{"Operation": "MailItemsAccessed"}])
        await self.responder.poll_audit_feed()

    async def look_at_organization(self) -> None:
        """The daily question about roles and switches, and its answer."""
        self.clock.ahead += timedelta(days=1)
        await ask_organization(self.responder.services)
        await self.worker.reads()

    async def read_mailboxes(self) -> None:
        """A day's read of all mailboxes, from its first question until it is compared: one part of each type."""
        self.clock.ahead += timedelta(days=1)
        await self.responder.read_posture()
        while await self.worker.reads():
            self.clock.ahead += timedelta(minutes=10)
            await self.responder.read_posture()
        run = await self.responder.services.posture_runs.current()
        if run is None or run.compared_at is None:
            raise AssertionError(run)

    async def gather_round(self) -> None:
        """The first round of evidence of one incident: every source, about target and actor."""
        for _ in range(_GATHERS):
            self.clock.ahead += timedelta(minutes=5)
            await self.responder.gather_evidence()
            await self.worker.reads()

    async def watch_accounts(self) -> None:
        """The check of the bypassed service accounts, until the worker has answered too."""
        await self.responder.gather_evidence()
        while await self.worker.reads():
            self.clock.ahead += timedelta(minutes=5)
            await self.responder.gather_evidence()

    async def watch_accounts_again(self) -> None:
        """The same a day later."""
        self.clock.ahead += timedelta(days=1)
        await self.watch_accounts()

    async def begin_incident(self) -> None:
        """One account is hidden and contained, and every source of evidence may be read."""
        self.tenant.identities[RESPONDER_SECRET].roles[GRAPH] += PERMISSIONS
        hidden, mallory = Account.named("hidden"), Account.named("mallory")
        self.tenant.add([hidden, mallory])
        services, now = self.responder.services, self.clock.now()
        record = parsed(bypass_record(self.tenant.settings, hidden, mallory.user_principal_name, at=now))
        lookups = Lookups(services)
        found = await store_records(
            [record], services, source="bench", available_at=now, first_run=False, lookups=lookups
        )
        await lookups.aclose()
        await settle_all(found.targets, services)
        await self.worker.commands()

    async def unanswered(self) -> list[str]:
        """Return the sources that have not answered about the incident, all of them without one."""
        gathered = self.responder.services.gathered
        plans = await gathered.due(self.clock.now() + timedelta(days=2), 9)
        asked = [each for plan in plans for each in await gathered.inquiries(plan.incident_id)]
        return [each.source for each in asked if each.answer is None] if asked else ["every source"]

    async def answer_sweep(self) -> None:
        """The worker's answer is taken; what asking for it took is not counted."""
        await self.responder.sweep_bypass_state()
        self.forget()
        await self.worker.sweeps()


def measure() -> dict[str, Any]:
    """Figures by function: its calls to ``table``, ``queue`` and ``blob``, its lines, its seconds."""
    tenant = Tenant(settings=Settings(exchange_delay_seconds=0, graph_delay_seconds=0))
    tenant.identities[RESPONDER_SECRET].roles[GRAPH].append(PERMISSION)
    with enforcing(tenant) as env:
        return asyncio.run(_measured(tenant, env))


async def _measured(tenant: Tenant, env: dict[str, str]) -> dict[str, Any]:
    counts, writes, clock = Counter[str](), Counter[str](), _Clock()
    built = build_counted(env, counts, writes)
    responder = dataclasses.replace(built, services=dataclasses.replace(built.services, clock=clock.now))
    lines, own = _Lines(counts), logging.getLogger(OURS)
    level = own.level
    own.addHandler(lines)
    own.setLevel(logging.INFO)
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            record, storage = responder.record_exchange_result, env["ResponderStorage"]
            worker = QueueWorker(
                http, env["GRAPH_URL"], tenant.settings.tenant_id, storage, record, responder.record_exchange_read
            )
            return await _figures(_Day(tenant, responder, worker, counts, writes, clock))
    finally:
        await responder.aclose()
        own.removeHandler(lines)
        own.setLevel(level)


async def _figures(day: _Day) -> dict[str, Any]:
    await _begin(day)
    await day.watch_accounts()
    responder = day.responder
    parts = {
        "poll": await day.counted(responder.poll_audit_feed),
        "hunt": await day.counted(responder.hunt_audit_events),
        "resume": await day.counted(responder.resume_responses),
        "evidence": await day.counted(responder.gather_evidence),
        "sweep_answer": await day.counted(day.answer_sweep),
    }
    await responder.resume_responses()  # its checkpoint is the first of a blob
    await day.answer_sweep()
    parts |= {
        "resume_after_sweep": await day.counted(responder.resume_responses, rounds=1),
        "sweep_plan": await day.counted(responder.sweep_bypass_state, rounds=1),
    }
    await day.worker.sweeps()
    day.tenant.settings.hunting_table = False
    await responder.hunt_audit_events()
    parts["hunt_off"] = await day.counted(responder.hunt_audit_events)
    new = await day.counted(day.poll_with_new_blobs)
    parts["new_blob"] = {
        name: (new.get(name, 0) - parts["poll"].get(name, 0)) / _NEW_BLOBS for name in (*SERVICES, "logged_writes")
    }
    parts |= {
        "service_accounts_day": await day.counted(day.watch_accounts_again, rounds=1),
        "organization_day": await day.counted(day.look_at_organization, rounds=1),
        "posture_day": await day.counted(day.read_mailboxes, rounds=1),
        "posture": await day.counted(responder.read_posture),
    }
    await day.watch_accounts_again()  # not due again in the round
    await day.begin_incident()
    parts["evidence_round"] = await day.counted(day.gather_round, rounds=1)
    if late := await day.unanswered():
        raise AssertionError(late)
    last = await responder.services.checkpoints.last()
    sizes = {"checkpoint_bytes": len(last.model_dump_json()) + 1 if last else 0}
    return sizes | {
        f"{part}_{name}_calls" if name in SERVICES else f"{part}_{name}": value
        for part, counted in parts.items()
        for name, value in sorted(counted.items())
    }


async def _begin(day: _Day) -> None:
    """The first days lie behind: polls, two sweeps, and a checkpoint of what they logged."""
    services = day.responder.services
    await day.responder.create_storage()
    people = [Account.named(f"svc{number}", audit_bypass_enabled=True) for number in range(ALLOWED)]
    day.tenant.add(people)
    for person in people:
        entry = AllowlistEntry(
            object_id=person.object_id,
            reason_class="archiving",
            justification="journal",
            owner="ops@contoso.com",
            ticket="CHG-1042",
            expires_at=datetime.now(UTC) + timedelta(days=365),
        )
        await services.allowlist.put(entry)
    for _ in range(2):
        day.clock.ahead += timedelta(minutes=1)
        await day.responder.poll_audit_feed()
        await day.responder.sweep_bypass_state()
        await day.worker.sweeps()
        await day.responder.resume_responses()
        await day.worker.commands()
        await day.responder.resume_responses()
