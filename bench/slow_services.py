"""A responder on slow storage, with a clock that a bench moves.

Entra ID and the Exchange worker are in memory.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import statistics
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING

from bench.storage_calls import GRAPH_SECONDS, STORAGE_SECONDS, Latency, build_counted
from bypass_responder.handling.identify import Lookups
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.account import Account as Known
from bypass_responder.model.message import CommandKind, ExchangeCommand, ExchangeObject, ExchangeOutcome, ExchangeResult
from bypass_responder.model.record import AuditRecord
from bypass_responder.ports import PoisonMessage
from bypass_responder.sensing.records.reader import read_records
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from bypass_responder.triggers.store_records import store_records
from sandbox.tenant.account import made_up_guid
from sandbox.tenant.records import bypass_record
from sandbox.tenant.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from bypass_responder.model.sweep import SweepCommand
    from bypass_responder.services import Services
    from sandbox.tenant.account import Account

MALLORY = "mallory@contoso.onmicrosoft.com"
_RECORDS_OF = Settings()


@dataclass
class MemoryDirectory:
    """Entra ID: accounts by object id, and when each was first asked to be blocked."""

    latency: Latency
    accounts: dict[str, Known] = field(default_factory=dict)
    blocked: dict[str, asyncio.Future[float]] = field(default_factory=dict)

    def add(self, account: Account) -> None:
        """Add the account, or enable it again; its next block is awaited with ``blocked``."""
        self.accounts[account.object_id] = Known(
            object_id=account.object_id, user_principal_name=account.user_principal_name, account_enabled=True
        )
        self.blocked[account.object_id] = asyncio.get_running_loop().create_future()

    async def find(self, name: str) -> Known | None:
        """As Graph reads an account."""
        await self.latency.pass_by()
        wanted = name.strip().casefold()
        named = (each for each in self.accounts.values() if each.user_principal_name == wanted)
        return self.accounts.get(wanted) or next(named, None)

    async def is_administrator(self, name: str) -> bool:  # noqa: ARG002 - of the port
        """Nobody holds a role."""
        await self.latency.pass_by()
        return False

    async def set_sign_in(self, object_id: str, *, enabled: bool) -> None:
        """The moment counts at which the call goes out."""
        if not enabled and not self.blocked[object_id].done():
            self.blocked[object_id].set_result(time.perf_counter())
        await self.latency.pass_by()
        self.accounts[object_id] = self.accounts[object_id].model_copy(update={"account_enabled": enabled})

    async def revoke_sessions(self, object_id: str) -> None:
        """Revoked at once."""
        await self.latency.pass_by()
        now = datetime.now(UTC)
        self.accounts[object_id] = self.accounts[object_id].model_copy(update={"sessions_valid_from": now})


@dataclass
class MemoryWorker:
    """The queue of the Exchange worker, and the worker: every account is on until it is switched off."""

    commands: list[ExchangeCommand] = field(default_factory=list)
    off: set[str] = field(default_factory=set)

    async def send(self, command: ExchangeCommand | SweepCommand) -> None:
        """Keep a command; sweeps are left out."""
        if isinstance(command, ExchangeCommand):
            self.commands.append(command)

    async def drain_poison(self, limit: int) -> AsyncIterator[PoisonMessage]:
        """Nothing fails."""
        for _ in range(0 * limit):
            yield PoisonMessage("", "")

    async def answer(self, services: Services) -> None:
        """Answer everything that was asked, and what the answers asked."""
        while self.commands:
            answered = self._result(self.commands.pop(0), read_at=services.clock())
            await record_exchange_result(answered.model_dump_json().encode(), services)

    def _result(self, command: ExchangeCommand, *, read_at: datetime) -> ExchangeResult:
        object_id = command.object_id or ""
        guid = made_up_guid("exchange", object_id)
        disable, before = command.kind is CommandKind.DISABLE_BYPASS, object_id not in self.off
        self.off |= {object_id} if disable else set()
        return ExchangeResult(
            command_id=command.command_id,
            kind=command.kind,
            tenant_id=command.tenant_id,
            target=command.target,
            outcome=ExchangeOutcome.VERIFIED if disable else ExchangeOutcome.CHECKED,
            resolved=ExchangeObject(object_id=object_id, exchange_guid=guid, name=object_id),
            before=before,
            after=False if disable else None,
            read_at=read_at,
            worker="bench",
        )


@dataclass
class SlowServices:
    """Services whose calls are counted and slow only within ``slow``. ``ahead``: of the machine's clock."""

    services: Services
    directory: MemoryDirectory
    worker: MemoryWorker
    storage: Latency
    counts: Counter[str]
    ahead: list[timedelta]

    @asynccontextmanager
    async def slow(self) -> AsyncIterator[None]:
        """Each call takes ``GRAPH_SECONDS`` or ``STORAGE_SECONDS``."""
        self.directory.latency.seconds, self.storage.seconds = GRAPH_SECONDS, STORAGE_SECONDS
        yield
        self.directory.latency.seconds = self.storage.seconds = 0.0

    async def store(self, *records: AuditRecord) -> set[str]:
        """Store them as a poll of the feed does; returns the targets."""
        return set(await self._stored(records))

    async def _stored(self, records: Iterable[AuditRecord]) -> frozenset[str]:
        services = self.services
        lookups = Lookups(services)
        stored = await store_records(
            records, services, source="bench", available_at=services.clock(), first_run=False, lookups=lookups
        )
        await lookups.aclose()
        return stored.targets

    async def seconds_to_settle(self, target: str) -> float:
        """How long it takes to settle the target."""
        async with self.slow():
            began = time.perf_counter()
            await settle_all([target], self.services)
            return time.perf_counter() - began

    def record(self, account: Account, *, switch: str = "True", age: timedelta = timedelta(minutes=1)) -> AuditRecord:
        """A record about the account, parsed."""
        at = self.services.clock() - age
        return parsed(bypass_record(_RECORDS_OF, account, MALLORY, switch=switch, at=at))


@asynccontextmanager
async def on_slow_services(env: Mapping[str, str]) -> AsyncIterator[SlowServices]:
    """Build them on an empty Azurite."""
    counts: Counter[str] = Counter()
    storage, directory, worker = Latency(), MemoryDirectory(Latency()), MemoryWorker()
    ahead = [timedelta()]
    responder = build_counted(env, counts, latency=storage)
    await responder.create_storage()
    services = dataclasses.replace(
        responder.services, directory=directory, exchange=worker, clock=lambda: datetime.now(UTC) + ahead[0]
    )
    try:
        yield SlowServices(services, directory, worker, storage, counts, ahead)
    finally:
        await responder.aclose()


def medians_ms(taken: Sequence[tuple[float, ...]]) -> list[float]:
    """The median of each of the figures that every run took, in milliseconds; ``taken``: in seconds."""
    return [1000 * statistics.median(each) for each in zip(*taken, strict=True)]


def parsed(record: Mapping[str, object]) -> AuditRecord:
    """The record as the feed's reader gives it."""
    (read,) = read_records(BytesIO(json.dumps([record]).encode()), source="bench")
    if not isinstance(read, AuditRecord):
        raise TypeError(read)
    return read
