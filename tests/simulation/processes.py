"""The same run with everything real except time: hosts are processes, and are killed.

The hosts run on Azurite and the stand-in tenant; the simulated clock and the seeded scheduler stay in this process. A
host stops at every gate, and the scheduler opens one gate at a time once all hosts are quiet; so the order of calls is
the seed's. Half of the kills before a call come while the call is under way: whether it took effect is left to the
kernel, as it is in production.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bypass_responder import bootstrap
from bypass_responder.adapters.limit_table import TableHourlyLimit
from bypass_responder.model.decision_message import Channel, DecisionMessage
from bypass_responder.model.message import ExchangeCommand, ExchangeResult
from bypass_responder.model.sweep import SweepCommand
from bypass_responder.services import Services
from bypass_responder.settings import Settings as ResponderSettings
from sandbox.azurite import Azurite
from sandbox.tenant.account import Account as TenantAccount
from sandbox.tenant.faults import Fault, Faults
from sandbox.tenant.identity import EXCHANGE, RESPONDER_SECRET, WORKER_SECRET
from sandbox.tenant.server import environment, serving
from sandbox.tenant.settings import Settings
from sandbox.tenant.state import Tenant
from sandbox.worker import ExchangeCalls, answer, sweep
from tests.simulation.check import problems_of
from tests.simulation.host_process import Ended, Left, Order, Quiet, Reached, Slot, World, main
from tests.simulation.people import Decision
from tests.simulation.play import Played
from tests.simulation.run import _INVOCATION, EARLY, IDS, SYNCHRONIZED, TOOLS, Function, Killed, Parked, Run
from tests.simulation.schedule import SERVICE, VICTIMS, Schedule
from tests.simulation.tenant import REPLICATION, Change, Exchange, TenantDirectory
from tests.world import START, TENANT, an_account, an_entry

T = TypeVar("T")
ANSWER_SECONDS = 60.0
"""How long a host may be busy: longer than any adapter's own patience."""
WRITES = ("ledger.commit", "index.put", "work.touch", "work.finish", "checkpoints.append")
DURING = "during"
FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(["pytest", "tests.simulation.host_process"])


def play_on_processes(schedule: Schedule, *, without: str | None = None) -> Played:
    """Play a schedule on its own Azurite and stand-in tenant. ``without`` takes a guard out of the code."""
    with ExitStack() as stack:
        run = ProcessRun(schedule, stack, without)
        return Played(run.play(problems_of), run.hits)


class ProcessRun(Run):
    """A run whose hosts are processes. ``stack`` closes what was started."""

    def __init__(self, schedule: Schedule, stack: ExitStack, without: str | None) -> None:
        self._without = without
        self._stack = stack
        self._real_loop = stack.enter_context(_running_loop())
        self._hosts: dict[str, HostProcess] = {}
        self._outcomes: dict[tuple[str, int], asyncio.Future[str]] = {}
        self._roots: dict[tuple[str, int], asyncio.Task[None] | None] = {}
        self._calls: list[str] = []
        self._unreadable: set[str] = set()
        self._content_ids: dict[str, str] = {}
        self._spawned = self._received = 0
        super().__init__(schedule)

    def _build_world(self) -> None:
        super()._build_world()
        people = [TenantAccount.named(name, object_id=object_id) for name, object_id in IDS.items()]
        for person in people[: len(VICTIMS)]:
            person.on_premises_sync_enabled = self.kind is SYNCHRONIZED
        self.tenant = Tenant(
            settings=Settings(
                tenant_id=TENANT,
                exchange_delay_seconds=0,
                graph_delay_seconds=0,
                stale_seconds=REPLICATION.total_seconds(),
                own_record_delay_seconds=60,
            ),
            clock=self.now,
            faults=Faults(seed=self.schedule.seed),
            accounts={account.object_id: account for account in people},
        )
        self.url = self._stack.enter_context(serving(self.tenant))
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        azurite = self._stack.enter_context(Azurite(log=Path(folder) / "azurite.log"))
        self.environment = {
            "TENANT_ID": TENANT,
            "ResponderStorage": azurite.connection_string,
            "GRAPH_URL": self.url,
            "MANAGEMENT_API_URL": self.url,
            "NOTIFICATION_WEBHOOK_URL": f"{self.url}/webhook",
            "NOTIFICATION_WEBHOOK_SECRET": "of the simulation",
            "MODE": "enforce",
            "PROTECTED_OBJECT_IDS": "none",
            "ACTOR_RESPONSE": "contain" if self.actors_contained else "notify",
        } | environment(self.url, RESPONDER_SECRET)
        self.responder = bootstrap.build(self.environment)
        self._stack.callback(lambda: self.outside(self.responder.aclose()))
        self.outside(self.responder.create_storage())
        self.outside(self.stored.allowlist.put(an_entry(IDS[SERVICE])))
        self.settings = self._settings_with()
        self.world.directory = StandInDirectory(self.directory, self.tenant)
        self.exchange = StandInExchange(self.exchange, self.tenant)
        self._stack.callback(self._end_hosts)

    def outside(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Carry out real input and output while simulated time stands still."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._real_loop).result(ANSWER_SECONDS)

    @property
    def hunts(self) -> bool:
        """False: the stand-in tenant gives the responder no permission to hunt."""
        return False

    @property
    def stored(self) -> Services:
        return self.responder.services

    def play(self, check: Any) -> list[str]:
        """Play the schedule; what ``check`` finds in Azurite and in the tenant."""
        try:
            self.loop.run_until_complete(self._main())
            self._idle_writes = self.loop.run_until_complete(super().idle_writes())
        finally:
            self.loop.close()
        self._read_tenant()
        return self.outside(check(self))

    async def idle_writes(self) -> list[str]:
        return self._idle_writes

    def _enable_synchronized(self) -> None:
        self.tenant.synchronize(now=True)

    def _due(self) -> list[datetime]:
        return [item.due_at for item in self.outside(self.stored.work.items()) if item.due_at]

    def _writes(self) -> list[str]:
        return [call for call in self._calls if call in WRITES]

    def listed(self) -> dict[str, datetime]:
        return {
            content_id: blob.created
            for content_id, blob in self.tenant.feed.blobs.items()
            if self.tenant.feed.find(content_id)
        }

    def _read_tenant(self) -> None:
        """Take over what the tenant holds, for the rules. A record published without a subscription is gone."""
        self.directory.accounts = {
            account.object_id: _as_account(account) for account in self.tenant.accounts.values() if not account.deleted
        }
        self.directory.changes = [
            Change(entry.at, entry.object_id, what, self._by(entry.by))
            for entry in self.tenant.journal
            if (what := _what(entry.field, entry.after))
        ]
        self.exchange.changes = [
            Change(entry.at, entry.object_id, "on" if entry.after else "off", self._by(entry.by))
            for entry in self.tenant.journal
            if entry.field == "audit_bypass_enabled"
        ]
        self.exchange.bypassed = {key: each.audit_bypass_enabled for key, each in self.tenant.accounts.items()}
        readable = {
            record["Id"]: record
            for content_id in self.listed()
            for record in json.loads(self.tenant.feed.blobs[content_id].body)
            if record["OrganizationId"] == TENANT
        }
        made_by_worker = {key: (record["ObjectId"], START) for key, record in readable.items()}
        self.records = {key: about for key, about in (made_by_worker | self.records).items() if key in readable}

    def _by(self, actor: str) -> str:
        known = {self.tenant.identities[RESPONDER_SECRET].client_id: "responder"}
        known |= {self.tenant.identities[WORKER_SECRET].client_id: "worker"}
        return known.get(actor, actor)

    # --- the scheduler

    def _idle(self, timeout: float | None) -> None:
        if self._take_reports():
            return  # a function ended: its caller goes on first
        super()._idle(timeout)

    def _take_reports(self) -> bool:
        """Wait until every host is quiet. True when something in this process can go on."""
        ended = False
        for host in list(self._hosts.values()):
            while host.busy:
                report = host.receive()
                if isinstance(report, Reached):
                    self._park(host, report)
                elif isinstance(report, Left):
                    left = host.gates.pop(report.number, None)
                    if left:
                        left.cancel()
                elif isinstance(report, Ended):
                    future = self._outcomes.pop((host.key, report.invocation))
                    ended = True
                    if not future.done():
                        future.set_result(report.outcome)
                elif isinstance(report, Decision):
                    self._note_decision(report)
                elif isinstance(report, Slot):
                    self.slots.append((self.now(), report.key))
                else:
                    self._calls += report.calls
        return ended

    def _park(self, host: HostProcess, reached: Reached) -> None:
        future: asyncio.Future[None] = self.loop.create_future()
        host.gates[reached.number] = future
        root = self._roots[host.key, reached.invocation]
        self._parked.append(Parked(host.name, host.life, reached.call, reached.when, future, root))

        def pass_on(done: asyncio.Future[None]) -> None:
            host.gates.pop(reached.number, None)
            if done.cancelled():
                return
            kind = "fail" if done.exception() else "open"
            if host.alive:
                self._order(host, kind, reached.number)

        future.add_done_callback(pass_on)

    def _order(self, host: HostProcess, kind: Any, number: int, **more: Any) -> None:
        skew = timedelta(seconds=self._skew.get(host.name, 0.0))
        host.send(Order(kind, number, self.now() + skew, bool(self._faults), **more))

    def _release(self, parked: Parked) -> None:
        self.tenant.faults.scripted = []
        outage = self.now() < self.directory.down_until
        asks_graph = parked.call.startswith("directory.") and parked.when == "before"
        if asks_graph and (outage or self._chance("throttled")):
            wait = self.rng.choice((10, 60, 200))
            self.tenant.faults.scripted = [Fault(kind="throttle", endpoint="graph.*", retry_after_seconds=wait)]
        self.tenant.faults.rates = {"stale_read": self._faults.get("stale", 0.0)}
        super()._release(parked)

    def _kill(self, parked: Parked) -> None:
        host = self._hosts.pop(parked.host)
        if parked.when == "before" and self.rng.random() < 0.5:
            number = next(number for number, future in host.gates.items() if future is parked.future)
            self._order(host, "open", number)
            time.sleep(self.rng.uniform(0, 0.02))
            self.hits.crashed[parked.call, "before"] -= 1
            self.hits.crashed[parked.call, DURING] += 1
        host.kill()
        super()._kill(parked)
        for key in [key for key in self._outcomes if key[0] == host.key]:
            self._outcomes.pop(key).set_exception(Killed())

    # --- hosts

    def _host_process(self, name: str) -> HostProcess:
        if name not in self._hosts:
            self._spawned += 1
            given = (self.environment, self._spawned * 1_000_000, self._without, TOOLS.get(name, Channel.BYPASSCTL))
            self._hosts[name] = HostProcess(name, self._lives[name], given)
        return self._hosts[name]

    def _end_hosts(self) -> None:
        for host in self._hosts.values():
            host.kill()

    async def _carry_out(self, host: str, run: Function) -> str:
        process = self._host_process(host)
        number = next(self._number)
        world = World(self.settings, dict(self.edited_at), frozenset(self._unreadable))
        self._roots[process.key, number] = _INVOCATION.get()
        future: asyncio.Future[str] = self.loop.create_future()
        self._outcomes[process.key, number] = future
        self._order(process, "run", number, run=run, world=world)
        try:
            return await future
        except Killed:
            return EARLY
        except asyncio.CancelledError:
            if process.alive:
                self._order(process, "cancel", number)
            return EARLY

    # --- the Exchange worker

    def _collect(self) -> None:
        sends = sum(self._calls.count(call) for call in ("exchange.send", "decisions.send", "sender.wake"))
        if sends > self._received:
            self._received = sends
            self.outside(self._receive())
        super()._collect()

    async def _receive(self) -> None:
        """Take what lies on the queues to the worker, on that of decisions and on that of notifications."""
        settings = self.responder.services.settings
        queues = self.responder.storage.queues
        wakes = queues.get_queue_client(settings.notifications_queue)
        async for message in wakes.receive_messages():
            self.world.sender.woken += 1
            await wakes.delete_message(message)
        for name in settings.decision_queues:
            decisions = queues.get_queue_client(name)
            async for message in decisions.receive_messages():
                text = base64.b64decode(message.content)
                self.world.decisions.sent.append(DecisionMessage.model_validate_json(text))
                await decisions.delete_message(message)
        for name in settings.worker_queues:
            queue = queues.get_queue_client(name)
            async for message in queue.receive_messages():
                text = base64.b64decode(message.content)
                if name == settings.exchange_sweeps_queue:
                    self.world.exchange.swept.append(SweepCommand.model_validate_json(text))
                elif name != settings.exchange_reads_queue:  # nothing that acts waits for an answer from there
                    self.world.exchange.sent.append(ExchangeCommand.model_validate_json(text))
                await queue.delete_message(message)

    def _answer_of(self, command: ExchangeCommand, delivery: int) -> ExchangeResult:
        given = command.model_dump(mode="json")

        async def carry_out() -> dict[str, Any]:
            async with httpx.AsyncClient(trust_env=False) as http:
                return await answer(given, self._cmdlets(http), read_back_seconds=0, deliveries=delivery)

        return ExchangeResult.model_validate(self.outside(carry_out()))

    def _list_of(self, command: SweepCommand) -> bytes:
        given = command.model_dump(mode="json")

        async def carry_out() -> bytes:
            async with httpx.AsyncClient(trust_env=False) as http:
                blob = f"{command.command_id}.json"
                result, content = await sweep(given, self._cmdlets(http), blob=blob)
            if content is not None:
                await self.responder.storage.blobs.get_blob_client("sweeps", blob).upload_blob(content, overwrite=True)
            return json.dumps(result).encode()

        return self.outside(carry_out())

    def _cmdlets(self, http: httpx.AsyncClient) -> ExchangeCalls:
        async def token() -> str:
            answered = await http.get(
                f"{self.url}/identity/token",
                params={"resource": EXCHANGE, "api-version": "2019-08-01"},
                headers={"X-IDENTITY-HEADER": WORKER_SECRET},
            )
            return str(answered.json()["access_token"])

        return ExchangeCalls(http, f"{self.url}/exchange", TENANT, token, clock=self.now, pause_seconds=0.01)

    def _poison(self, body: bytes) -> None:
        self._put_on_poison(self.responder.services.settings.exchange_results_queue, body)

    def _poison_decision(self, body: bytes, channel: Channel) -> None:
        settings = self.responder.services.settings
        of_console = channel is Channel.CONSOLE
        self._put_on_poison(settings.decisions_console_queue if of_console else settings.decisions_queue, body)

    def _put_on_poison(self, queue_name: str, body: bytes) -> None:
        name = f"{queue_name}-poison"
        queue = self.responder.storage.queues.get_queue_client(name)
        self.outside(_sent(queue.send_message(base64.b64encode(body).decode())))

    # --- what happens

    def _blob(self, *records: dict[str, Any], created: datetime | None = None) -> None:
        super()._blob(*records, created=created)
        name = f"blob-{len(self.world.feed.published)}"
        age = (self.now() - created).total_seconds() if created else 0
        [self._content_ids[name]] = [blob.content_id for blob in self.tenant.deliver(records, age_seconds=age)]

    def _hide(self, content_id: str) -> None:
        self._unreadable.add(self._content_ids[content_id])

    def _show(self, content_id: str) -> None:
        self._unreadable.discard(self._content_ids[content_id])

    def _on_lost_blob(self, _: str, __: Any) -> None:
        self._unreadable |= {blob.content_id for blob in self.tenant.deliver([])}

    def _deploy(self, **changes: Any) -> None:
        super()._deploy(**changes)
        self.settings = self._settings_with()

    def _settings_with(self) -> ResponderSettings:
        """The settings of the environment with those that were deployed since."""
        deployed = {name.upper(): str(value) for name, value in self._changed_settings.items() if value is not None}
        return ResponderSettings.from_environment(self.environment | deployed)

    def _on_limit_full(self, _: str, __: Any) -> None:
        limit = TableHourlyLimit(self.responder.storage.tables, TENANT)
        for number in range(5):
            self.outside(limit.take(f"other-{number}", limit=5, now=self.now()))

    def _on_unsubscribe(self, _: str, __: Any) -> None:
        self.tenant.feed.subscribe("Audit.Exchange", None, now=self.now())


class HostProcess:
    """One life of a host, as its parent sees it."""

    def __init__(self, name: str, life: int, given: tuple[Any, ...]) -> None:
        self.name, self.life = name, life
        self.key = f"{name} {life}"
        self.alive = True
        self.gates: dict[int, asyncio.Future[None]] = {}
        self._sent = self._taken = 0
        self._connection: Connection
        self._connection, theirs = FORKED.Pipe()
        self._process: BaseProcess = FORKED.Process(target=main, args=(theirs, *given), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def busy(self) -> bool:
        """It has not reported that it took every order and is quiet."""
        return self._taken < self._sent

    def send(self, order: Order) -> None:
        """Give an order."""
        self._connection.send(order)
        self._sent += 1

    def receive(self) -> Reached | Left | Ended | Decision | Slot | Quiet:
        """The next report."""
        assert self._connection.poll(ANSWER_SECONDS), f"{self.name} is busy for {ANSWER_SECONDS:.0f} s"
        report: Reached | Left | Ended | Decision | Slot | Quiet = self._connection.recv()
        if isinstance(report, Quiet):
            self._taken = report.orders
        return report

    def kill(self) -> None:
        """End the process at once (SIGKILL)."""
        self.alive = False
        self._process.kill()
        self._process.join()
        self._process.close()
        self._connection.close()


class StandInDirectory(TenantDirectory):
    """People's changes of accounts go to the stand-in tenant."""

    def __init__(self, simulated: TenantDirectory, tenant: Tenant) -> None:
        super().__init__(*simulated.accounts.values(), clock=simulated._clock, rng=simulated._rng)
        self._tenant = tenant

    def change(self, object_id: str, **fields: object) -> None:
        super().change(object_id, **fields)
        for name, value in fields.items():
            self._tenant.change(self._tenant.accounts[object_id], name, value, by="person")

    def delete(self, object_id: str) -> None:
        super().delete(object_id)
        self._tenant.change(self._tenant.accounts[object_id], "deleted", value=True, by="person")

    def restore(self, account: Any) -> None:
        super().restore(account)
        self._tenant.change(self._tenant.accounts[account.object_id], "deleted", value=False, by="person")


class StandInExchange(Exchange):
    """The attacker's changes of the bypass go to the stand-in tenant."""

    def __init__(self, simulated: Exchange, tenant: Tenant) -> None:
        super().__init__(simulated._clock, simulated._rng)
        self.names = simulated.names
        self._tenant = tenant

    def switch(self, account: str, *, on: bool, by: str) -> None:
        self._tenant.change(self._tenant.accounts[account], "audit_bypass_enabled", on, by=by)


async def _sent(sending: Any) -> None:
    await sending


def _as_account(account: TenantAccount) -> Any:
    return an_account(account.object_id, account.user_principal_name, account_enabled=account.account_enabled)


def _what(field: str, after: Any) -> str:
    """The word of the rules for a change of an account, empty for a change that they do not judge."""
    if field == "account_enabled":
        return "enabled" if after else "disabled"
    return "revoked" if field == "sign_in_sessions_valid_from" else ""


@contextmanager
def _running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in its own thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="real input and output", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
