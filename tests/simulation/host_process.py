"""A function host as a process: the responder on its real adapters, stopping at every gate.

It goes on when the gate is opened. The parent sends an ``Order``; the host answers with ``Reached`` at a gate,
``Ended`` after a function, ``Decision`` when a person decides, and ``Quiet`` when nothing goes on without another
order.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import logging
import os
import selectors
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any, Literal

import azure.identity.aio
import httpx
import pytest

from bypass_responder import bootstrap
from bypass_responder.adapters import (
    allowlist_snapshot,
    allowlist_table,
    checkpoint_store,
    decision_queue,
    evidence_blob,
    exchange_queue,
    feed_table,
    graph,
    index_table,
    ledger_table,
    limit_table,
    management_activity,
    outbox_table,
    storage_clients,
    sweep_store,
    webhook,
    work_table,
)
from bypass_responder.errors import TransientError
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.decision_message import Channel
from bypass_responder.model.feed import ContentBlob
from bypass_responder.ports import Allowlist, AuditFeed, Slots
from bypass_responder.services import Services
from bypass_responder.settings import Settings
from tests.simulation.gate import gate
from tests.simulation.loop import SimulatedLoop
from tests.simulation.people import SHOWN
from tests.simulation.run import Function, outcome_of
from tests.simulation.without import remove
from tests.world import START

LOADED = (
    *(
        azure.identity.aio,
        httpx,
        allowlist_snapshot,
        allowlist_table,
        checkpoint_store,
        decision_queue,
        evidence_blob,
        exchange_queue,
        feed_table,
        graph,
    ),
    *(index_table, ledger_table, limit_table, management_activity, outbox_table, storage_clients, sweep_store),
    *(webhook, work_table),
)
"""What ``bootstrap`` imports when it builds: loaded here, once for all hosts that are forked."""
_NUMBER: ContextVar[int] = ContextVar("number")


@dataclass(frozen=True)
class World:
    """What a function finds: the settings deployed last, and what storage and the feed cannot simulate."""

    settings: Settings
    edited_at: Mapping[str, datetime]
    """When each allowlist entry was written; storage stamps the real time."""
    unreadable: frozenset[str]
    """The blobs of the feed whose content does not come."""


@dataclass(frozen=True)
class Order:
    """``number`` is the function's, or the gate's. ``gated``: later calls stop at their gates."""

    kind: Literal["run", "cancel", "open", "fail"]
    number: int
    now: datetime
    gated: bool
    run: Function | None = None
    world: World | None = None


@dataclass(frozen=True)
class Reached:
    """A call of the function ``invocation`` waits at the gate ``number``."""

    number: int
    invocation: int
    call: str
    when: str


@dataclass(frozen=True)
class Left:
    """The call no longer waits at the gate: its function was canceled."""

    number: int


@dataclass(frozen=True)
class Ended:
    """The function ended, in one of the ways of ``outcome_of``."""

    invocation: int
    outcome: str


@dataclass(frozen=True)
class Slot:
    """A target has a slot under the hourly limit."""

    key: str


@dataclass(frozen=True)
class Quiet:
    """Nothing goes on. ``orders`` were taken so far; ``calls`` were made since the last report."""

    orders: int
    calls: tuple[str, ...]


def main(
    connection: Connection, environment: Mapping[str, str], first_id: int, without: str | None, tool: Channel
) -> None:
    """Carry out the parent's orders until it kills this process.

    ``without`` takes a guard out of the code. ``tool``: whose queue takes the decisions that are made on this host.
    """
    if without:
        remove(without, pytest.MonkeyPatch())
    logging.disable(logging.CRITICAL)
    os.environ.clear()
    os.environ.update(environment)
    host = Host(connection, environment, first_id, tool)
    with asyncio.Runner(loop_factory=lambda: _Loop(host.report_quiet)) as runner:
        runner.run(host.serve())


@dataclass
class Host:
    """The functions of one process."""

    connection: Connection
    environment: Mapping[str, str]
    first_id: int
    tool: Channel
    now: datetime = START
    gated: bool = True
    world: World | None = None
    orders: int = 0
    reported: int = 0
    under_way: int = 0
    calls: list[str] = field(default_factory=list)
    gates: dict[int, asyncio.Future[None]] = field(default_factory=dict)
    functions: dict[int, asyncio.Task[None]] = field(default_factory=dict)

    async def serve(self) -> None:
        """Take orders forever."""
        self._services = self._build()
        self._numbers = itertools.count()
        asyncio.get_running_loop().add_reader(self.connection.fileno(), self._take_orders)
        await asyncio.Event().wait()

    def _build(self) -> Services:
        built = bootstrap.build(self.environment).services
        if self.tool is Channel.CONSOLE:
            built = dataclasses.replace(built, decisions=bootstrap.build_console(self.environment).services.decisions)
        ids = itertools.count(self.first_id)
        simulated = dataclasses.replace(
            built,
            clock=lambda: self.now,
            new_id=lambda: f"{next(ids):08d}-0000-4000-8000-000000000000",
            allowlist=_Allowlist(built.allowlist, self),
            feed=_Feed(built.feed, self),
            limit=_Limit(built.limit, self),
        )
        return gate(simulated, self._reach, self._making)

    def _take_orders(self) -> None:
        while self.connection.poll():
            try:
                order: Order = self.connection.recv()
            except EOFError:
                os._exit(0)  # the parent is gone
            self.orders += 1
            self.now, self.gated = order.now, order.gated
            if order.world:
                self.world = order.world
            self._carry_out(order)

    def _carry_out(self, order: Order) -> None:
        if order.run and self.world:
            services = dataclasses.replace(self._services, settings=self.world.settings)
            self.functions[order.number] = asyncio.create_task(self._function(order.number, order.run, services))
        elif order.kind == "cancel" and order.number in self.functions:
            self.functions[order.number].cancel()
        elif order.number in self.gates and not self.gates[order.number].done():
            gate = self.gates[order.number]
            gate.set_result(None) if order.kind == "open" else gate.set_exception(TransientError("no answer"))

    async def _function(self, number: int, run: Function, services: Services) -> None:
        _NUMBER.set(number)
        SHOWN.set(self.connection.send)
        outcome = await outcome_of(run(services))
        del self.functions[number]
        self.connection.send(Ended(number, outcome))

    async def _reach(self, call: str, when: str) -> None:
        if when == "after":
            self.calls.append(call)
        if not self.gated:
            return
        number = next(self._numbers)
        self.gates[number] = asyncio.get_running_loop().create_future()
        self.connection.send(Reached(number, _NUMBER.get(), call, when))
        try:
            await self.gates[number]
        except asyncio.CancelledError:
            self.connection.send(Left(number))
            raise
        finally:
            del self.gates[number]

    @contextmanager
    def _making(self) -> Iterator[None]:
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    def report_quiet(self) -> None:
        """Report once that nothing goes on: no callback is ready, and no call is under way."""
        if not self.under_way and (self.orders != self.reported or self.calls):
            self.reported = self.orders
            self.connection.send(Quiet(self.orders, tuple(self.calls)))
            self.calls.clear()


class _Loop(asyncio.SelectorEventLoop):
    """An event loop that does the work of threads at once, as in the simulation.

    ``before_waiting`` is called when no callback is ready.
    """

    run_in_executor = SimulatedLoop.run_in_executor  # type: ignore[assignment] # as there

    def __init__(self, before_waiting: Any) -> None:
        super().__init__(_Selector(before_waiting))


class _Selector(selectors.DefaultSelector):
    def __init__(self, before_waiting: Any) -> None:
        super().__init__()
        self._before_waiting = before_waiting

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self._before_waiting()
        return super().select(timeout)


class _Allowlist:
    """The allowlist, with the simulated time of each edit."""

    def __init__(self, real: Allowlist, host: Host) -> None:
        self._real, self._host = real, host
        self.put, self.put_all, self.remove, self.misspelled = real.put, real.put_all, real.remove, real.misspelled

    async def get(self, object_id: str) -> AllowlistEntry | MalformedEntry | None:
        found = await self._real.get(object_id)
        return found and self._edited(found)

    async def entries(self) -> AsyncIterator[AllowlistEntry | MalformedEntry]:
        async for entry in self._real.entries():
            yield self._edited(entry)

    def _edited(self, entry: AllowlistEntry | MalformedEntry) -> AllowlistEntry | MalformedEntry:
        assert self._host.world
        return entry.model_copy(update={"edited_at": self._host.world.edited_at.get(entry.object_id)})


class _Limit:
    """The hourly limit; the parent learns who took a slot."""

    def __init__(self, real: Slots, host: Host) -> None:
        self._real, self._host = real, host

    async def take(self, key: str, *, limit: int, now: datetime) -> bool:
        has_one = await self._real.take(key, limit=limit, now=now)
        if has_one:
            self._host.connection.send(Slot(key))
        return has_one

    async def give_back(self, key: str) -> None:
        await self._real.give_back(key)


class _Feed:
    """The audit feed, of which some blobs cannot be read."""

    def __init__(self, real: AuditFeed, host: Host) -> None:
        self._real, self._host = real, host
        self.subscription, self.start_subscription = real.subscription, real.start_subscription
        self.list_content = real.list_content

    async def read(self, blob: ContentBlob) -> AsyncIterator[bytes]:
        assert self._host.world
        if blob.content_id in self._host.world.unreadable:
            raise TransientError("503")
        async for chunk in self._real.read(blob):
            yield chunk
