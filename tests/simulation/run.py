"""One run: hosts, worker and people act on one store, in the order that the seed gives."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
import heapq
import itertools
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal
from uuid import UUID

from bypass_responder.bounded import Remembered
from bypass_responder.errors import RefusedError, ResponderError, TransientError
from bypass_responder.handling.carry_out_plan import advance_plan
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import Author, Channel, DecisionKind, DecisionMessage, Shown
from bypass_responder.model.exchange_read import ApplyMailbox, ReadCommand, ReadResult, RecordMailbox
from bypass_responder.model.feed import ContentBlob
from bypass_responder.model.finding import Source
from bypass_responder.model.mailbox_access import AccessDay
from bypass_responder.model.message import CommandKind, ExchangeCommand, ExchangeObject, ExchangeOutcome, ExchangeResult
from bypass_responder.model.notification import Notification
from bypass_responder.model.sweep import BypassedObject, SweepCommand, SweepContent, SweepResult
from bypass_responder.operating.status import read_status
from bypass_responder.ports import WAKE
from bypass_responder.services import Misspelled, Services, WorkerHealth
from bypass_responder.triggers.ask_organization import ask_organization
from bypass_responder.triggers.gather_evidence import gather_evidence
from bypass_responder.triggers.hunt_audit_events import hunt_audit_events
from bypass_responder.triggers.poll_audit_feed import poll_audit_feed
from bypass_responder.triggers.read_posture import read_posture
from bypass_responder.triggers.receive_alert import receive_alert
from bypass_responder.triggers.record_exchange_read import record_exchange_read
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from bypass_responder.triggers.resume_responses import resume_responses
from bypass_responder.triggers.send_notifications import send_notifications
from bypass_responder.triggers.store_permissions import compare_permissions
from bypass_responder.triggers.store_tampering import store_tampering
from bypass_responder.triggers.sweep_bypass_state import plan_sweep
from tests.fakes import FakeDecisionQueue, FakeLimit, FakeNotifier
from tests.sensing.access.records import a_record
from tests.sensing.builders import a_bypass, named
from tests.simulation.gate import gate
from tests.simulation.loop import SimulatedLoop
from tests.simulation.people import (
    CHANGES_PER_HOUR,
    PERSON,
    PLANNED,
    SHOWN,
    Decision,
    allow,
    carry_out,
    decide_shown,
    disallow,
    edit,
    hand_in_plan,
    look,
    read_answer,
    stop_plan,
    undo_plan,
)
from tests.simulation.schedule import BYSTANDER, FAULTS, OBSERVE_LASTS, SERVICE, VICTIMS, Event, Schedule
from tests.simulation.tenant import (
    Call,
    Exchange,
    Feed,
    Hunting,
    Limit,
    TenantDirectory,
    TimedLedger,
    TimedSnapshot,
    TraceSource,
    WatchedDirectory,
    a_changed_mailbox,
    an_exchange_read,
)
from tests.triggers.plans import Mailboxes
from tests.world import START, TENANT, World, an_account, an_entry, exchange_guid, some_settings

HOSTS = ("host-1", "host-2")
IDS = {
    name: f"{number:08x}-0000-4000-8000-{number:012d}" for number, name in enumerate((*VICTIMS, SERVICE, BYSTANDER), 1)
}
OTHERS = {name: Author(object_id=IDS[name], name=f"{name}@contoso.onmicrosoft.com") for name in (*VICTIMS, SERVICE)} | {
    "mallory": Author(object_id="0e0e0e0e-0000-4000-8000-00000000000e", name="mallory@contoso.onmicrosoft.com")
}
"""People who may not decide everything: the accounts themselves, and the actor of every record."""
TOOLS = {"cli": Channel.BYPASSCTL, "console": Channel.CONSOLE}
"""Hosts on which people act."""
SYNCHRONIZED = {"on_premises_sync_enabled": True}
KINDS: dict[int, dict[str, bool]] = {4: SYNCHRONIZED, 11: {"guest": True}}
"""The accounts that are attacked in some seeds, by their remainder."""
CONTAINS_ACTORS = 8
"""The remainder of the seeds in which each of the two victims is the actor of the other's bypass."""
QUIET = (1, 2, 5, 20, 60, 60, 360, 1440, 1440)
"""The minutes between the rounds of a run's end, in which nothing fails any more."""
WARNED, OVERTAKEN, LIST_LATE_SECONDS = 3, 2, 200
"""Of four sweeps, the one with a warning that matters; of three, the one whose list comes after its message."""
ERROR_CLASSES: dict[ExchangeOutcome, Literal["other", "transient"]] = {
    ExchangeOutcome.FAILED: "other",
    ExchangeOutcome.REFUSED: "transient",
}
UNFORESEEN = 4
"""Of five commands, the one that fails with an unknown error."""
ONLY_HUNTED, NEVER_HUNTED = 0.1, 0.2
"""Of the records, those that the feed never has, and those that hunting never has, where the tenant has it."""
DELETED = 0.5
"""Of the accounts that weeks pass for, how many are deleted for good; and how many workers may change nothing."""
SEEN_ENABLED = 0.5
"""Of the accounts that are enabled a week later, how many are read before they are bypassed again."""
DELIVERING = {"receivers.send", "ledger.commit", "ledger.load", "ledger.unsent"}
"""Calls whose failure or delay may keep a delivery from being recorded."""
REFUSED = 2
"""Times that the pager refuses an odd notification."""
HIDDEN = 600.0
"""How long the message of a crashed worker stays hidden."""
_INVOCATION: ContextVar[asyncio.Task[None] | None] = ContextVar("invocation", default=None)
Function = Callable[[Services], Coroutine[Any, Any, Any]]
DONE, EARLY = "done", "early"
SOURCES = ("sign_ins", "inbox_rules")
"""The sources of evidence that the tenant has; the others are unavailable."""
GATHERING = (
    *("access.", "allowlist.entries", "directory.find", "gathered.", "hunting.run", "index.", "ledger.", "sources."),
    *("sweeps.baseline", "work."),
)
"""Calls that the evidence run may make."""
_GATHERS: ContextVar[bool] = ContextVar("gathers", default=False)


class Killed(BaseException):
    """The host's process is gone."""


async def outcome_of(run: Awaitable[object]) -> str:
    """``done``, ``early``, or the exception that no run may raise.

    ``early`` is an end after which a queue delivers the message again.
    """
    try:
        await run
    except RefusedError:
        pass  # the command printed the reason
    except (ResponderError, Killed, asyncio.CancelledError):
        return EARLY
    except BaseExceptionGroup as group:
        strange = group.split((ResponderError, Killed, asyncio.CancelledError))[1]
        return EARLY if strange is None else f"exception: {strange!r}"
    except Exception as error:  # noqa: BLE001 - any exception that is none of ours is a problem
        return f"exception: {type(error).__name__}: {error}"
    return DONE


def known_days(alias: str) -> list[AccessDay]:
    """A month of the watched mailbox that was read and settled before the run."""
    days = [START.date() - timedelta(days=number) for number in range(5, 30)]
    name = f"{alias}@contoso.onmicrosoft.com"
    return [AccessDay(day=day, read_at=START, source="hunting", mailboxes=(name,)) for day in days]


class Pager(FakeNotifier):
    """A second receiver, which is sometimes silent.

    It refuses one notification in eight twice before it accepts it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.silent = False
        self._refusals = Counter[str]()

    async def send(self, notifications: Sequence[Notification]) -> None:
        if self.silent:
            await asyncio.sleep(10)
            raise TransientError("no answer")
        odd = {note.id for note in notifications if note.id[0] in "01" and self._refusals[note.id] < REFUSED}
        self._refusals.update(odd if len(notifications) == 1 else ())
        if odd:
            raise RefusedError("422")
        await super().send(notifications)


@dataclass(slots=True, eq=False)
class Parked:
    """A call that waits at a gate."""

    host: str
    life: int
    call: str
    when: str
    future: asyncio.Future[None]
    root: asyncio.Task[None] | None
    not_before: float = 0.0


@dataclass
class Hits:
    """How often each call was reached, and interrupted, before and after it."""

    reached: Counter[tuple[str, str]] = field(default_factory=Counter)
    crashed: Counter[tuple[str, str]] = field(default_factory=Counter)


class Run:
    """The state of one simulated run. ``problems`` are exceptions that no run may raise."""

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.rng = random.Random(f"{schedule.seed}|interleaving")
        self.loop = SimulatedLoop(self._idle)
        self.hits = Hits()
        self.problems: list[str] = []
        self.interrupted = 0
        self.slots: list[tuple[datetime, str]] = []
        self.calls: list[Call] = []
        self.records: dict[str, tuple[str, datetime]] = {}
        self.delivered: dict[str, DecisionMessage] = {}
        self.channels: dict[str, Channel] = {}
        """Of each delivered decision, the queue that it came through."""
        self.shown: dict[str, set[str]] = {}
        self.deployed: list[tuple[datetime, dict[str, Any]]] = []
        self.edited_at = {IDS[SERVICE]: START - timedelta(days=30)}
        self._build_world()
        self._faults: dict[str, float] = {}
        self._parked: list[Parked] = []
        self._queue: list[tuple[float, int, Callable[[], object]]] = []
        self._number = itertools.count()
        self._lives = Counter[str]()
        self._processes: dict[tuple[str, int], Services] = {}
        self._skew: dict[str, float] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._misroutes = False
        self._denied = False
        self._later: list[str] = []
        self._crash_where = schedule.crash_at[:2] if schedule.crash_at else None
        self._crash_left = schedule.crash_at[2] if schedule.crash_at else 0
        self._answered = self._swept = self._carried = self._read = 0

    def _build_world(self) -> None:
        kinds = dict.fromkeys(VICTIMS, self.kind)
        accounts = [an_account(IDS[name], f"{name}@contoso.onmicrosoft.com", **kinds.get(name, {})) for name in IDS]
        self.world = World(*accounts)
        self.world.directory = TenantDirectory(*accounts, clock=self.now, rng=self.rng)
        self.world.allowlist._clock = self.now
        self.world.feed = Feed()
        self.mailboxes: Mailboxes | None = None
        self.hunting = Hunting(self.now, self.rng, allowed=self.hunts)
        self.world.ledger = TimedLedger(self.now)
        self.snapshot = self.world.allowlist_snapshot = TimedSnapshot(self.now)
        self.world.allowlist.rows[IDS[SERVICE]] = an_entry(IDS[SERVICE])
        self.console_decisions = FakeDecisionQueue(Channel.CONSOLE)
        self.console_decisions.sent = self.world.decisions.sent
        self.world.limit = Limit(self.slots)
        self.pager = Pager()
        self.traces = TraceSource(self.rng)
        self.exchange = Exchange(self.now, self.rng)
        self.exchange.names = {name: IDS[name] for name in IDS} | {
            f"{name}@contoso.onmicrosoft.com": IDS[name] for name in IDS
        }
        self._changed_settings: dict[str, Any] = {}
        self.world.access.read = {each.day: each for each in known_days(VICTIMS[0])} if self.watches else {}
        self.fixed = {"watched_mailboxes": f"{VICTIMS[0]}@contoso.onmicrosoft.com"} if self.watches else {}
        """The settings that no deployment of the run changes."""
        self.fixed |= {"actor_response": "contain"} if self.actors_contained else {}
        self.settings = some_settings(**self.fixed)
        self.services = dataclasses.replace(
            self.world.services,
            directory=self.world.directory,
            ledger=self.world.ledger,
            allowlist_snapshot=self.snapshot,
            clock=self.now,
            hint_checks=FakeLimit(),
            limit=self.world.limit,
            feed=self.world.feed,
            hunting=self.hunting,
            sources=dict.fromkeys(SOURCES, self.traces),
            receivers={**self.world.services.receivers, "pager": self.pager},
        )

    @property
    def kind(self) -> dict[str, bool]:
        """What the accounts that are attacked are, besides members of the tenant."""
        return KINDS.get(self.schedule.seed % 14, {})

    @property
    def actors_contained(self) -> bool:
        """True when the actor of a bypass is to be contained, and has an object id in its record."""
        return self.schedule.seed % 14 == CONTAINS_ACTORS

    @property
    def hunts(self) -> bool:
        """True when the tenant lets the responder read advanced hunting."""
        crash_at = self.schedule.crash_at
        return (
            self.schedule.seed % 2 == 0 or self.watches or (crash_at is not None and crash_at[0].startswith("hunting"))
        )

    @property
    def watches(self) -> bool:
        """True when a mailbox is watched."""
        return any(event.kind == "opened" for event in self.schedule.events)

    @property
    def stored(self) -> Services:
        """Reads what the run has stored."""
        return self.services

    def listed(self) -> dict[str, datetime]:
        """The blobs that the feed lists, and when each was created."""
        return {content_id: blob.created for content_id, (blob, _) in self.world.feed.published.items()}

    @property
    def directory(self) -> TenantDirectory:
        """Entra ID."""
        return self.world.directory  # type: ignore[return-value]

    def now(self) -> datetime:
        """The true time."""
        return START + timedelta(seconds=self.loop.now)

    # --- the scheduler

    def play(self, check: Callable[[Run], Coroutine[Any, Any, list[str]]]) -> list[str]:
        """Play the schedule to its quiet end; what ``check`` finds there."""
        try:
            self.loop.run_until_complete(self._main())
            return self.loop.run_until_complete(check(self))
        finally:
            self.loop.close()

    def _idle(self, timeout: float | None) -> None:
        """No callback is ready: let one call through its gate, start what is due, or move the clock."""
        self._collect()
        now = self.loop.now
        ready = [parked for parked in self._parked if parked.not_before <= now]
        due = bool(self._queue) and self._queue[0][0] <= now
        if ready and not (due and self.rng.random() < 0.3):
            parked = self.rng.choice(ready)
            self._parked.remove(parked)
            self.loop.now += self.rng.choice((0.002, 0.005, 0.02, 0.1))
            self._release(parked)
        elif due:
            heapq.heappop(self._queue)[2]()
        else:
            moments = [parked.not_before for parked in self._parked]
            moments += [self._queue[0][0]] if self._queue else []
            moments += [now + timeout] if timeout is not None else []
            if not moments:
                message = "nothing can go on"
                raise AssertionError(message)
            self.loop.now = max(now, min(moments))

    def at(self, seconds: float, start: Callable[[], object]) -> None:
        """Start something so many seconds from now."""
        heapq.heappush(self._queue, (self.loop.now + seconds, next(self._number), start))

    def _chance(self, fault: str) -> bool:
        rate = self._faults.get(fault, 0.0)
        return rate > 0 and self.rng.random() < rate

    def _release(self, parked: Parked) -> None:
        if parked.future.done():
            return
        if self._lives[parked.host] != parked.life:
            parked.future.set_exception(Killed())
            return
        where = (parked.call, parked.when)
        self.hits.reached[where] += 1
        delivers = parked.call in DELIVERING
        self.interrupted += delivers
        if self._is_crash(where):
            self.hits.crashed[where] += 1
            self.interrupted += 1
            self._kill(parked)
        elif parked.root is not None and self._chance("limit"):
            self.interrupted += 1
            parked.root.cancel()
            parked.future.cancel()
        elif parked.not_before == 0.0 and (self._chance("slow") or self._chance(f"slow {parked.call}")):
            parked.not_before = self.loop.now + self.rng.uniform(1, 90)
            self._parked.append(parked)
        elif self._chance(f"transient_{parked.when}"):
            parked.future.set_exception(TransientError(f"{parked.call}: no answer ({parked.when})"))
        else:
            self.interrupted -= delivers
            parked.future.set_result(None)

    def _is_crash(self, where: tuple[str, str]) -> bool:
        if where == self._crash_where and self._faults:
            self._crash_left -= 1
            if self._crash_left == 0:
                return True
        return self._chance("crash")

    def _kill(self, parked: Parked) -> None:
        """The process of a host ends: nothing that ran in it goes on."""
        self._lives[parked.host] += 1
        for other in [parked, *self._parked]:
            if other.host == parked.host and not other.future.done():
                other.future.set_exception(Killed())
        self._parked = [other for other in self._parked if not other.future.done()]

    # --- hosts

    def _services_of(self, host: str) -> Services:
        """The services of a host, which last as long as its process, with the settings deployed last."""
        life = self._lives[host]
        if (host, life) not in self._processes:
            self._processes[host, life] = self._process(host, life)
        if self._processes[host, life].settings is not self.settings:
            self._processes[host, life] = dataclasses.replace(self._processes[host, life], settings=self.settings)
        return self._processes[host, life]

    def _process(self, host: str, life: int) -> Services:
        def reach(call: str, when: str) -> asyncio.Future[None] | None:
            if self._lives[host] != life:
                raise Killed
            if _GATHERS.get() and not call.startswith(GATHERING):
                self.problems.append(f"evidence_acts: the evidence run called {call}")
            if not self._faults:
                return None  # at the quiet end nothing is interleaved any more
            future = self.loop.create_future()
            self._parked.append(Parked(host, life, call, when, future, _INVOCATION.get()))
            return future

        clock = lambda: START + timedelta(seconds=self.loop.now + self._skew.get(host, 0.0))  # noqa: E731 - of this host
        services = dataclasses.replace(
            self.services, clock=clock, done=Remembered(), worker=WorkerHealth(), misspelled=Misspelled()
        )
        if TOOLS.get(host) is Channel.CONSOLE:
            services = dataclasses.replace(services, decisions=self.console_decisions)
        gated = gate(services, reach)
        return dataclasses.replace(gated, directory=WatchedDirectory(gated.directory, self.calls, self.now))

    async def _carry_out(self, host: str, run: Function) -> str:
        return await outcome_of(run(self._services_of(host)))

    def invoke(self, host: str, run: Function, failed: Callable[[], None] | None = None) -> asyncio.Task[None]:
        """Run a function on a host.

        ``failed`` is called when it ended early: a queue delivers its message again.
        """

        async def invocation() -> None:
            _INVOCATION.set(asyncio.current_task())
            SHOWN.set(self._note_decision)
            _GATHERS.set(run is gather_evidence)
            outcome = await self._carry_out(host, run)
            if outcome not in {DONE, EARLY}:
                self.problems.append(outcome)
            elif outcome == EARLY and failed:
                failed()

        task = self.loop.create_task(invocation(), name=f"{host}-{next(self._number)}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def _host(self) -> str:
        return self.rng.choice(HOSTS)

    def _every(self, seconds: tuple[float, float], run: Function) -> None:
        def tick() -> None:
            if self._faults:
                self.invoke(self._host(), run)
                self.at(self.rng.uniform(*seconds), tick)

        self.at(self.rng.uniform(*seconds), tick)

    # --- the Exchange worker

    def _on_read_mailboxes(self, _: str, __: Event) -> None:
        """Ask the daily questions about the organization and all mailboxes, three days in a row.

        One mailbox is changed before.
        """
        self.invoke(
            HOSTS[0], lambda services: store_tampering([a_changed_mailbox(self.now())], services, source=Source.FEED)
        )
        for number in range(3):
            self.at(1000 * number, self._forget_questions)
            for wait, run in ((1, ask_organization), (2, read_posture), (300, read_posture), (600, read_posture)):
                self.at(1000 * number + wait, partial(self.invoke, self._host(), run))
            self.at(1000 * number + 900, partial(self.invoke, "cli", read_status))

    def _forget_questions(self) -> None:
        """Let a day pass for the daily questions alone."""
        day, reads = timedelta(days=1), self.world.reads
        reads.kept = {key: dataclasses.replace(each, asked_at=each.asked_at - day) for key, each in reads.kept.items()}
        if run := self.world.posture_runs.row:
            self.world.posture_runs.row = run.model_copy(update={"started_at": run.started_at - day})

    def _on_apply_plan(self, _: str, __: Event) -> None:
        """A person carries out a plan of changes of mailboxes, and undoes it two hours later."""
        self.mailboxes = Mailboxes(self.world, PLANNED)
        self._deploy(posture_changes_per_hour=CHANGES_PER_HOUR)
        self.invoke("cli", hand_in_plan)
        for number in range(120):
            self.at(300 * number, partial(self.invoke, self._host(), advance_plan))
        for hours in (2, 4, 8):
            self.at(3600 * hours, partial(self.invoke, "cli", undo_plan))

    def _on_stop_plan(self, _: str, event: Event) -> None:
        """The questions of a plan cannot be sent for five minutes, in which a person stops it."""
        self._on_apply_plan("", event)
        self.world.reads.fail("ask", TransientError("503"), always=True)
        for after in (60, 120, 180):
            self.at(after, partial(self.invoke, "cli", stop_plan))
        self.at(300, partial(self.world.reads.repair, "ask"))

    def _change_mailbox(self, command: ApplyMailbox | RecordMailbox, delivery: int) -> ReadResult | None:
        """What the worker makes of a command about a mailbox; None when it dies before it answers."""
        mailboxes = self.mailboxes
        if mailboxes is None:
            return None
        entries = [each.get(number) for each in self.world.plans.kept.values() for number in each]
        if isinstance(command, ApplyMailbox) and not any(
            each.object_id == command.object_id for each in entries if each
        ):
            self.problems.append(f"plan_undo_entry: {command.object_id} is changed without an undo entry")
        if self._chance("worker_crash") and delivery < 5:
            if self.rng.random() < 0.5:
                mailboxes.result_of(command, self.now(), deliveries=delivery)
            return None
        return mailboxes.result_of(command, self.now(), deliveries=delivery)

    def _answer_read(self, command: ReadCommand, delivery: int) -> None:
        if isinstance(command, ApplyMailbox | RecordMailbox):
            changed = self._change_mailbox(command, delivery)
            if changed is None:
                self.at(HIDDEN, partial(self._answer_read, command, delivery + 1))
                return
            result = changed
        else:
            result, lines = an_exchange_read(command, self.now())
            self.world.reads.blobs[str(result.blob)] = lines

        def again() -> None:
            if delivery < 5:
                self.at(self.rng.uniform(1, 60), lambda: self._answer_read(command, delivery + 1))

        self.invoke(self._host(), partial(record_exchange_read, result.model_dump_json().encode()), again)

    def _collect(self) -> None:
        """Take what was put on the queues to the worker, and on the queue of decisions."""
        while self._answered < len(self.world.exchange.sent):
            command = self.world.exchange.sent[self._answered]
            self._answered += 1
            self.at(self.rng.uniform(0.5, 8), lambda command=command: self._work(command, 1))  # type: ignore[misc]
        while self._read < len(self.world.reads.sent):
            question = self.world.reads.sent[self._read]
            self._read += 1
            self.at(self.rng.uniform(1, 60), partial(self._answer_read, question, 1))
        while self._carried < len(self.world.decisions.sent):
            self._carried += 1
            self._carry(self.world.decisions.sent[self._carried - 1])
        if self.world.sender.woken:
            self.world.sender.woken = 0
            self.at(self.rng.uniform(0.5, 5), lambda: self._send(1))
        while self._swept < len(self.world.exchange.swept):
            sweep = self.world.exchange.swept[self._swept]
            self._swept += 1
            self.at(self.rng.uniform(1, 60), lambda sweep=sweep: self._sweep(sweep))  # type: ignore[misc]

    def _send(self, delivery: int) -> None:
        def again() -> None:
            if delivery < 5:
                self.at(self.rng.uniform(1, 60), lambda: self._send(delivery + 1))
            else:
                self._poison(WAKE.encode())

        for _ in range(2 if self._chance("duplicate") else 1):
            self.invoke(self._host(), send_notifications, again)

    def _work(self, command: ExchangeCommand, delivery: int) -> None:
        if self._chance("worker_crash") and delivery < 5:
            if self.rng.random() < 0.5:
                self._answer_of(command, delivery)  # it acted, and died before it could answer
            self.at(HIDDEN, lambda: self._work(command, delivery + 1))
            return
        body = self._answer_of(command, delivery).model_dump_json().encode()
        late = self.rng.uniform(200, 900) if self._chance("late_answer") else 0
        self.at(late, lambda: self._deliver(body, 1))
        if self._chance("duplicate"):
            self.at(self.rng.uniform(1, 300), lambda: self._deliver(body, 1))

    def _answer_of(self, command: ExchangeCommand, delivery: int) -> ExchangeResult:
        found = command.object_id or self.exchange.names.get((command.identity or "").casefold())
        before = self.exchange.read(found) if found else None
        outcome, after = ExchangeOutcome.CHECKED, None
        denied = self._denied and command.kind is CommandKind.DISABLE_BYPASS
        if command.not_after < self.now():
            outcome, before = ExchangeOutcome.REFUSED, None
        elif denied or self.world.exchange.sent.index(command) % 5 == UNFORESEEN:
            outcome, before, found = ExchangeOutcome.FAILED, None, None
        elif found is None:
            outcome = ExchangeOutcome.NOT_FOUND
        elif command.kind is CommandKind.DISABLE_BYPASS:
            outcome, after = ExchangeOutcome.ALREADY_OFF, False
            if before:
                outcome = ExchangeOutcome.VERIFIED
                self.exchange.switch(found, on=False, by="worker")
                self._publish(found, 60, on=False, UserId="bypass-worker", AppId="worker")
        return ExchangeResult(
            command_id=command.command_id,
            kind=command.kind,
            tenant_id=command.tenant_id,
            target=command.target,
            outcome=outcome,
            resolved=ExchangeObject(object_id=found, exchange_guid=exchange_guid(found), name="n")
            if found and outcome is not ExchangeOutcome.REFUSED
            else None,
            before=before,
            after=after,
            read_at=self.now(),
            worker="simulated",
            error_class="permission" if denied else ERROR_CLASSES.get(outcome),
            deliveries=delivery,
        )

    def _sweep(self, command: SweepCommand) -> None:
        body = self._list_of(command)
        self.at(self.rng.uniform(1, 60), lambda: self._deliver(body, 1))

    def _list_of(self, command: SweepCommand) -> bytes:
        on = [account for account in IDS.values() if self.exchange.read(account)]
        number = self.world.exchange.swept.index(command)
        warned = number % 4 == WARNED  # the list may lack accounts, and what it names counts
        content = SweepContent(
            schema_version=1,
            command_id=command.command_id,
            tenant_id=command.tenant_id,
            started_at=self.now(),
            complete=not warned,
            scanned=1000,
            bypassed=tuple(BypassedObject(object_id=each, exchange_guid=exchange_guid(each), name=each) for each in on),
        )
        data = content.model_dump_json().encode()
        blob = f"{command.command_id}.json"
        late = LIST_LATE_SECONDS if number % 3 == OVERTAKEN else 0
        self.at(late, partial(self.world.sweeps.lists.__setitem__, blob, data))
        result = SweepResult(
            command_id=command.command_id,
            kind=CommandKind.LIST_BYPASSED,
            tenant_id=command.tenant_id,
            outcome="listed",
            complete=not warned,
            warnings=("Something new.",) if warned else (),
            started_at=content.started_at,
            scanned=1000,
            bypassed=len(on),
            blob=blob,
            sha256=hashlib.sha256(data).hexdigest(),
            audit_disabled=False,
            unified_audit_log_ingestion_enabled=True,
        )
        return result.model_dump_json().encode()

    def _deliver(self, body: bytes, delivery: int) -> None:
        def again() -> None:
            if delivery < 5:
                self.at(self.rng.uniform(10, 120), lambda: self._deliver(body, delivery + 1))
            else:
                self._poison(body)

        self.invoke(self._host(), partial(record_exchange_result, body), again)

    def _poison(self, body: bytes) -> None:
        self.world.exchange.poison.append(body.decode())

    # --- records

    def _publish(self, account: str, delay: float, *, on: bool, alias: bool = False, **fields: Any) -> None:
        """Let the feed have a record of what happens now, after a delay; perhaps twice, in another blob."""
        record = self._record(account, on=on, alias=alias, **fields)
        if self.hunts and self._hunted(record, delay):
            return
        for wait in (delay, delay + 300)[: 2 if self._chance("duplicate") else 1]:
            self.at(wait, lambda: self._blob(record))

    def _hunted(self, record: dict[str, Any], delay: float) -> bool:
        """Let hunting have the record, earlier or later than the feed. True when the feed never has it."""
        drawn = self.rng.random()
        if drawn < NEVER_HUNTED:
            return False
        arrived = self.now() + timedelta(seconds=self.rng.choice((1, 60, delay, delay + 600, 10800)))
        self.hunting.add(record, at=self.now(), arrived=arrived)
        return drawn > 1 - ONLY_HUNTED

    def _record(self, account: str, *, on: bool, alias: bool = False, **fields: Any) -> dict[str, Any]:
        """Return the audit record of what happens now."""
        name = next(name for name, object_id in IDS.items() if object_id == account)
        number = len(self.records) + 1
        record = a_bypass(
            Id=f"20fd5006-645b-42be-8000-{number:012d}",
            CreationTime=f"{self.now():%Y-%m-%dT%H:%M:%S}",
            OrganizationId=TENANT,
            ObjectId=name if alias else account,
            Parameters=named(AuditBypassEnabled=str(on), Identity=f"{name}@contoso.onmicrosoft.com"),
            **((self._other_victim(account) if self.actors_contained else {}) | fields),
        )
        self.records[record["Id"]] = (account, self.now())
        return record

    def _other_victim(self, account: str) -> dict[str, str]:
        """Return the fields of a record whose actor is an account that is attacked as well."""
        actor = next(name for name in VICTIMS if IDS[name] != account)
        return {"UserId": f"{actor}@contoso.onmicrosoft.com", "TokenObjectId": IDS[actor]}

    def _blob(self, *records: dict[str, Any], created: datetime | None = None) -> None:
        number = len(self.world.feed.published) + 1
        created = created or self.now()
        blob = ContentBlob(content_id=f"blob-{number}", uri="", created=created, expires=created + timedelta(days=7))
        self.world.feed.publish(blob, json.dumps(records).encode())

    # --- what happens

    def _happen(self, event: Event) -> None:
        getattr(self, f"_on_{event.kind}")(IDS.get(event.account, ""), event)

    def _on_on(self, account: str, event: Event, **how: Any) -> None:
        self.exchange.switch(account, on=True, by="attacker")
        self._publish(account, event.value, on=True, **how)

    def _on_alias_on(self, account: str, event: Event) -> None:
        self._on_on(account, event, alias=True)

    def _on_silent_on(self, account: str, _: Event) -> None:
        self.exchange.switch(account, on=True, by="attacker")

    def _on_off(self, account: str, event: Event) -> None:
        self.exchange.switch(account, on=False, by="attacker")
        self._publish(account, event.value, on=False)

    def _on_attempt(self, account: str, event: Event) -> None:
        self._publish(account, event.value, on=True, ResultStatus="False")

    def _on_again(self, account: str, event: Event) -> None:
        """Two episodes, and a record of the first that arrives after the second."""
        self._on_on(account, event)
        self.at(60, lambda: self._publish(account, 5400, on=False))
        self.at(1800, lambda: self._on_on(account, event))

    def _on_refused_on(self, account: str, event: Event) -> None:
        """Switched on, and the first call against it finds no account."""
        self.directory.refuses = 1
        self._on_on(account, dataclasses.replace(event, value=0))

    def _on_storm(self, account: str, event: Event) -> None:
        """Switched on again and again, faster than the worker answers."""
        for number in range(16):
            self.at(50 * number, lambda: self._on_on(account, dataclasses.replace(event, value=0)))

    def _on_hint(self, account: str, event: Event) -> None:
        alert = {
            "id": f"alert-{event.at:.0f}",
            "eventType": "suspected-bypass",
            "subject": "mailbox audit",
            "dataVersion": "1",
            "eventTime": self.now().isoformat(),
            "data": {"tenantId": TENANT, "target": account},
        }
        body = json.dumps(alert).encode()

        def deliver(delivery: int) -> None:
            def again() -> None:
                if delivery < 5:
                    self.at(30, lambda: deliver(delivery + 1))

            self.invoke(self._host(), partial(receive_alert, body), again)

        deliver(1)

    def _on_approve(self, account: str, event: Event) -> None:
        self.invoke("cli", partial(decide_shown, DecisionKind(event.kind), account, int(event.value)))

    _on_dismiss = _on_release = _on_close = _on_approve

    def _note_decision(self, made: Decision) -> None:
        self.shown.setdefault(made.incident, set()).update(made.findings)

    def _carry(self, message: DecisionMessage) -> None:
        """The queue delivers what a person sent: usually within seconds, sometimes late, twice or never.

        Late may be after the decision has ended.
        """
        delay = self.rng.uniform(0, 10)
        if self._chance("late_decision"):
            delay = self.rng.choice((60, 600, 3000, 5000))
        if self._chance("lost_decision"):
            return
        channel = message.tool or Channel.BYPASSCTL
        if self._misroutes:
            self._misroutes = False
            channel = next(each for each in Channel if each is not channel)
        for wait in (delay, delay + self.rng.uniform(0, 900))[: 2 if self._chance("duplicate") else 1]:
            self.at(wait, lambda: self._decided(message, channel, 1))

    def _decided(self, message: DecisionMessage, channel: Channel, delivery: int) -> None:
        self.delivered[message.message_id] = message
        self.channels[message.message_id] = channel
        body = message.model_dump_json().encode()

        def again() -> None:
            if delivery < 5:
                self.at(self.rng.uniform(1, 60), lambda: self._decided(message, channel, delivery + 1))
            else:
                self._poison_decision(body, channel)

        self.invoke(self._host(), partial(carry_out, body, channel), again)

    def _poison_decision(self, body: bytes, channel: Channel) -> None:
        decisions = self.world.decisions
        (decisions.poison if channel is Channel.BYPASSCTL else decisions.console_poison).append(body.decode())

    def _on_console(self, account: str, _: Event) -> None:
        """People decide about an account in the console; among them the account itself, and the actor."""
        after = 600.0
        for kind in (DecisionKind.APPROVE, DecisionKind.DISMISS, DecisionKind.RELEASE, DecisionKind.CLOSE):
            for author in (*OTHERS.values(), PERSON):
                after += self.rng.uniform(60, 2400)
                self.at(after, partial(self.invoke, "console", partial(decide_shown, kind, account, 0, author=author)))

    def _on_console_edits(self, _: str, event: Event) -> None:
        """An allowlisted account is bypassed while its entry is edited in the console.

        The account itself edits the entry as well.
        """
        self._edit_service("console")
        itself = partial(edit, IDS[SERVICE], 1, via="console", author=OTHERS[SERVICE])
        self.at(self.rng.uniform(600, 9000), partial(self.invoke, "console", itself))

    def _on_wrong_queue(self, account: str, _: Event) -> None:
        """A decision of each tool, bypassctl and the console, comes through the queue of the other."""
        for number, tool in enumerate(TOOLS):
            decision = partial(decide_shown, DecisionKind.RELEASE, account, 0)
            self.at(5000 + 1800 * number, partial(self._misroute, tool, decision))

    def _misroute(self, tool: str, decision: Function) -> None:
        self._misroutes = True
        self.invoke(tool, decision)

    def _on_poison_decision(self, account: str, _: Event) -> None:
        """A decision that failed five times: about an incident that is not there."""
        message = self._message(DecisionKind.DISMISS, account, incident_id="20200101-00000000")
        channel = self.rng.choice((*Channel,))
        message = message.model_copy(update={"tool": channel})
        self.delivered[message.message_id], self.channels[message.message_id] = message, channel
        self._poison_decision(message.model_dump_json().encode(), channel)

    def _on_accept_warning(self, _: str, __: Event) -> None:
        """A person accepts the warning that some sweeps have; the last one perhaps had none."""
        message = self._message(DecisionKind.ACCEPT_WARNING, TENANT_TARGET, warning="Something new.")
        self._decided(message, Channel.BYPASSCTL, 1)

    def _on_ask(self, account: str, _: Event) -> None:
        """A person asks about an account in the console, and reads the answer."""
        about = {"asked": account, "tool": Channel.CONSOLE}
        body = self._message(DecisionKind.INSPECT_ACCOUNT, TENANT_TARGET, **about).model_dump_json().encode()
        self.invoke(self._host(), partial(carry_out, body, Channel.CONSOLE))
        self.at(60, lambda: self.invoke("console", partial(read_answer, account)))

    def _message(self, kind: DecisionKind, target: str, **about: str) -> DecisionMessage:
        return DecisionMessage(
            message_id=str(UUID(int=self.rng.getrandbits(128))),
            tenant_id=TENANT,
            target=target,
            kind=kind,
            shown=Shown(),
            author=PERSON,
            reason="drill",
            sent_at=self.now(),
            not_after=self.now() + timedelta(hours=1),
            **about,
        )

    def _on_enable(self, account: str, _: Event, *, enabled: bool = True) -> None:
        if account in self.directory.accounts:
            self.directory.change(account, account_enabled=enabled)
            self.directory.note(account, "enabled" if enabled else "disabled", "person")

    def _synchronize(self) -> None:
        """Every half hour, until the end, the on-premises directory enables the synchronized accounts again."""
        self._enable_synchronized()
        if self._faults:
            self.at(1800, self._synchronize)

    def _enable_synchronized(self) -> None:
        for account in self.directory.accounts.values():
            if account.on_premises_sync_enabled and not account.account_enabled:
                self._on_enable(account.object_id, Event(0, "enable"))

    def _on_disable(self, account: str, event: Event) -> None:
        self._on_enable(account, event, enabled=False)

    def _on_delete(self, account: str, event: Event) -> None:
        gone = self.directory.accounts.get(account)
        if gone is not None:
            self.directory.delete(account)
            self.at(event.value, lambda: self.directory.restore(gone))

    def _on_allow(self, account: str, _: Event) -> None:
        entry = an_entry(account, edited_at=None)
        self.edited_at[account] = self.now()
        self.invoke("cli", partial(allow, entry))

    def _on_disallow(self, account: str, _: Event) -> None:
        self.invoke("cli", partial(disallow, account))

    def _on_service_edits(self, _: str, __: Event) -> None:
        """An allowlisted account is bypassed, again and again; meanwhile its entry is edited with bypassctl."""
        self._edit_service("cli")

    def _edit_service(self, tool: str) -> None:
        account = IDS[SERVICE]
        self._on_on(account, Event(0, "on", SERVICE, 5400))
        for number in range(4):
            after = self.rng.uniform(600, 9000)
            self.at(after, partial(self.invoke, tool, partial(edit, account, number, via=TOOLS[tool].value)))
            self.at(self.rng.uniform(300, 9000), lambda: self._publish(account, 3600, on=True))

    def _deploy(self, **changes: Any) -> None:
        """Deploy the app with other settings; None is the default."""
        self._changed_settings |= changes
        given = {name: value for name, value in self._changed_settings.items() if value is not None}
        self.deployed.append((self.now(), given))
        self.settings = some_settings(**self.fixed, **given)

    def _on_protect(self, account: str, event: Event) -> None:
        self._deploy(protected_object_ids=account)
        self.at(event.value * 5, lambda: self._deploy(protected_object_ids=None))

    def _on_mode(self, _: str, event: Event) -> None:
        self._deploy(mode="observe")
        self.at(event.value * OBSERVE_LASTS, lambda: self._deploy(mode=None))

    def _on_skew(self, _: str, event: Event) -> None:
        self._skew[self._host()] = self.rng.choice((-1, 1)) * min(event.value, 120)

    def _on_graph_outage(self, _: str, event: Event) -> None:
        self.directory.down_until = self.now() + timedelta(seconds=event.value)

    def _on_limit_full(self, _: str, __: Event) -> None:
        self.world.limit.slots |= {f"other-{number}": self.now() for number in range(5)}

    def _on_silent(self, _: str, event: Event) -> None:
        self.pager.silent = True
        self.at(event.value * 10, lambda: setattr(self.pager, "silent", False))

    def _on_unsubscribe(self, _: str, __: Event) -> None:
        self.world.feed.status = None

    def _on_lost_blob(self, _: str, event: Event) -> None:
        created = self.now()
        blob = ContentBlob(
            content_id=f"lost-{event.at:.0f}", uri="", created=created, expires=created + timedelta(seconds=60)
        )
        self.world.feed.publish(blob, b"[]")
        self.world.feed.fail("read", TransientError("no answer"), about=blob.content_id, always=True)

    def _on_late_blob(self, account: str, _: Event) -> None:
        """A blob with the record of a bypass that cannot be read for three hours."""
        self.exchange.switch(account, on=True, by="attacker")
        number = len(self.world.feed.published) + 1
        self._publish(account, 0, on=True)
        self.at(0.001, lambda: self._hide(f"blob-{number}"))
        self.at(3 * 3600, lambda: self._show(f"blob-{number}"))

    def _on_listed_late(self, account: str, _: Event) -> None:
        """A blob with the record of a bypass that is listed five hours after it was created."""
        self.exchange.switch(account, on=True, by="attacker")
        record, created = self._record(account, on=True), self.now()
        self.at(5 * 3600, lambda: self._blob(record, created=created))

    def _hide(self, content_id: str) -> None:
        """Let every read of a blob fail."""
        self.world.feed.fail("read", TransientError("503"), about=content_id, always=True)

    def _show(self, content_id: str) -> None:
        self.world.feed.repair("read", about=content_id)

    def _on_permission(self, account: str, event: Event) -> None:
        """Somebody gives themselves access to a mailbox for a while.

        Either of the two records may come first, and one comes again.
        """
        for number, (verb, delay) in enumerate((("Add", event.value), ("Remove", 60), ("Add", 900))):
            record = a_bypass(
                Id=f"20fd5006-645b-42be-a000-{number % 2:012d}",
                CreationTime=f"{self.now() + timedelta(minutes=number % 2):%Y-%m-%dT%H:%M:%S}",
                OrganizationId=TENANT,
                Operation=f"{verb}-MailboxPermission",
                ObjectId=account,
                Parameters=named(User="mallory", AccessRights="FullAccess"),
            )
            self.at(delay, partial(self._blob, record))
        for delay in (1200, 3600, 14_400):
            self.at(delay, partial(self.invoke, self._host(), read_posture))

    def _on_opened(self, account: str, event: Event) -> None:
        """A delegate opens the watched mailbox, and again; hunting has the second record a day later."""
        self.at(event.value, lambda: self._opened(account, timedelta()))
        self.at(event.value * 2, lambda: self._opened(account, timedelta(days=1)))
        for number in range(6):
            self.at(900 * number, self._read_days_again)

    def _read_days_again(self) -> None:
        """Let the days be read again, and old ones be forgotten, as if a day had passed.

        A week before them is known.
        """
        store = self.world.access
        store.saved = store.saved.model_copy(update={"forgotten_at": None})
        store.read |= {
            day: each.model_copy(update={"read_at": each.read_at - timedelta(days=1)})
            for day, each in store.read.items()
        }

    def _opened(self, account: str, late: timedelta) -> None:
        owner = self.directory.accounts[account].user_principal_name
        record = a_record(self.now(), MailboxOwnerUPN=owner)
        self.hunting.add(record, arrived=self.now() + late)

    def _on_foreign(self, _: str, __: Event) -> None:
        self._blob(a_bypass(Id="20fd5006-645b-42be-9000-000000000001", OrganizationId=IDS[BYSTANDER]))

    def _on_denied(self, account: str, _: Event) -> None:
        """The worker may change nothing until the end; a person releases the account meanwhile."""
        self._denied = True
        self._on_on(account, Event(0, "on", value=0))
        for after in (1500, 5400):
            self.at(after, partial(self.invoke, "cli", partial(decide_shown, DecisionKind.RELEASE, account, 0)))

    def _on_weeks_later(self, account: str, _: Event) -> None:
        """A week after the end of everything else it goes on; perhaps the account is deleted for good before."""
        self._later = [account]
        self._denied = self.rng.random() < DELETED
        if self.rng.random() < DELETED:
            self.at(self.rng.uniform(600, 6000), partial(self._delete_for_good, account))

    def _delete_for_good(self, account: str) -> None:
        if account in self.directory.accounts:
            self.directory.delete(account)

    async def _weeks_later(self, account: str) -> None:
        """Somebody enables an account, and it is bypassed again with a record; a month passes."""
        await asyncio.sleep(7 * 86400)
        self._on_enable(account, Event(0, "enable"))
        if self.rng.random() < SEEN_ENABLED:
            await asyncio.sleep(86400)
            await self._round(sweep=True)
        if account in self.directory.accounts:
            self._on_on(account, Event(0, "on", value=60))
            await asyncio.sleep(120)
        await self._round(sweep=True)
        self._denied = False
        for day in range(35):
            if day % 3 == 0:
                await self._round(sweep=True)
            await asyncio.sleep(86400)
            await self.invoke(HOSTS[0], poll_audit_feed)
        await self._round(sweep=True)

    def _on_days_later(self, _: str, __: Event) -> None:
        """Let hunting read its seven days again, as it does once a day."""
        for number in range(4):
            self.at(1200 * number, self._forget_days_read)

    def _forget_days_read(self) -> None:
        store = self.world.hunting_store
        store.saved = store.saved.model_copy(update={"days_read_at": None})

    def _on_look(self, _: str, __: Event) -> None:
        self.invoke("cli", look)

    # --- from the first sweep to the quiet end

    async def _main(self) -> None:
        await self._round(sweep=True)
        self._faults = {"any": 0.0} | self.schedule.faults
        self.directory.stale = self.exchange.stale = self._faults.get("stale", 0.0)
        self.directory.throttled = self.hunting.throttled = self._faults.get("throttled", 0.0)
        self.traces.odd = min(1.0, sum(rate for name, rate in self.schedule.faults.items() if name in FAULTS))
        for event in self.schedule.events:
            self.at(event.at, lambda event=event: self._happen(event))  # type: ignore[misc]
        self._every((60, 400), resume_responses)
        self._every((120, 900), poll_audit_feed)
        self._every((200, 900), hunt_audit_events)
        self._every((1800, 5400), plan_sweep)
        self._every((600, 1800), gather_evidence)
        if self.kind is SYNCHRONIZED and self.schedule.seed % 3:
            self._synchronize()
        last = max((event.at for event in self.schedule.events), default=0.0)
        await asyncio.sleep(last + 1800)
        await self._calm()
        for minutes in QUIET:
            await asyncio.sleep(minutes * 60)
            await self._round(sweep=minutes >= 10)
        for account in self._later:
            await self._weeks_later(account)
        await asyncio.sleep(130)
        await self._round(sweep=False)  # reads what the last round caused in the feed

    async def _calm(self) -> None:
        """From here on nothing fails. What waits goes on, and what is under way comes to its end."""
        self._faults = {}
        self._denied = self._denied and bool(self._later)
        self._skew.clear()
        self.directory.stale = self.directory.throttled = self.exchange.stale = self.hunting.throttled = 0.0
        self.traces.odd = 0.0
        for parked in self._parked:
            parked.not_before = 0.0
        while self._running:
            await asyncio.wait(self._running)

    async def _round(self, *, sweep: bool) -> None:
        """Every timer once, then the worker's answers, as long as something comes of it."""
        runs: list[Function] = [poll_audit_feed, hunt_audit_events, resume_responses, gather_evidence]
        runs += [plan_sweep] if sweep else []
        runs += [advance_plan] if self.mailboxes else []
        runs += [compare_permissions] if any(each.kind == "permission" for each in self.schedule.events) else []
        for run in runs:
            await self.invoke(HOSTS[0], run)
        for _ in range(8):
            self._collect()
            due = bool(self._queue) and self._queue[0][0] < self.loop.now + HIDDEN
            if not due and not self._running:
                return
            await asyncio.sleep(130)
            await self.invoke(HOSTS[0], resume_responses)

    async def idle_writes(self) -> list[str]:
        """Return the writes of another round, when nothing has happened; not even a new day, which is read."""
        today = self.now().replace(hour=0, minute=0, second=0, microsecond=0)
        if (left := today + timedelta(days=1) - self.now()) < timedelta(minutes=10):
            await asyncio.sleep(left.total_seconds())
        await self._round(sweep=False)
        for run in (resume_responses, gather_evidence) * 3:  # do what became due, one round of evidence at a time
            await self.invoke(HOSTS[0], run)
        for _ in IDS:  # each has its own time for the daily read, and for a question that the worker could not answer
            if soon := self._seconds_until(self._due()):
                await asyncio.sleep(soon)
                await self._round(sweep=False)
                for run in (resume_responses, gather_evidence):
                    await self.invoke(HOSTS[0], run)
        before = Counter(self._writes())
        for run in (resume_responses, gather_evidence):
            await self.invoke(HOSTS[0], run)
        return sorted((Counter(self._writes()) - before).elements())

    def _seconds_until(self, due: list[datetime]) -> float:
        """Seconds until the next work that is due, if that is within ten minutes, else 0."""
        left = [(at - self.now()).total_seconds() for at in due]
        return min((seconds for seconds in left if 0 < seconds < 600), default=0.0)

    def _due(self) -> list[datetime]:
        return [item.due_at for item in self.world.work.held.values() if item.due_at]

    def _writes(self) -> list[str]:
        written = ("commit", "put", "touch", "finish", "append", "replace", "add", "save", "start", "keep")
        world = self.world
        ports = (
            world.ledger,
            world.index,
            world.work,
            world.checkpoints,
            world.allowlist_snapshot,
            world.gathered,
            world.access,
        )
        return [f"{call} {about}" for port in ports for call, about in port.calls if call in written]
