"""A plan, and a worker on fakes that records, changes and undoes mailboxes as the real one does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import DecisionKind, DecisionMessage, Shown
from bypass_responder.model.exchange_read import ApplyMailbox, ReadCommand, ReadResult, RecordMailbox
from bypass_responder.model.incident import PersonDecision
from bypass_responder.model.mailbox_audit import AuditSettings
from bypass_responder.model.plan_run import PlanRef, PlanRun
from bypass_responder.posture.plan import Goal, Plan, PlannedChange
from bypass_responder.triggers.read_posture import read_posture
from bypass_responder.triggers.record_exchange_read import end_failed_read, record_exchange_read
from tests.case.plans import PINNED, TO_DEFAULT, object_id
from tests.world import START, TENANT, World, exchange_guid


def a_plan(number: int = 3, **fields: Any) -> Plan:
    defaults: dict[str, Any] = {
        "made_at": START,
        "read_at": START,
        "baseline": "microsoft",
        "goal": Goal(),
        "changes": tuple(a_planned(each) for each in range(number)),
        "skipped": (),
    }
    made = Plan(**defaults | fields)
    return made.model_copy(update={"sha256": made.digest()})


def a_planned(number: int, **fields: Any) -> PlannedChange:
    defaults: dict[str, Any] = {
        "object_id": object_id(number),
        "name": f"kim{number}@contoso.com",
        "type": "UserMailbox",
        "expected": PINNED,
        "change": TO_DEFAULT,
        "why": ("Owner: returns to Microsoft's default set",),
    }
    return PlannedChange(**defaults | fields)


def as_file(plan: Plan) -> bytes:
    return plan.model_dump_json(indent=2).encode()


class Mailboxes:
    """The mailboxes that a plan changes, and the worker that answers about them.

    ``now`` is object id → settings, ``history`` every value that each has had, ``records`` what was recorded.
    """

    def __init__(self, world: World, number: int = 3) -> None:
        self.world = world
        self.now = {object_id(each): PINNED for each in range(number)}
        self.history: dict[str, list[AuditSettings]] = defaultdict(list)
        self.records: dict[str, AuditSettings] = {}
        self.changed: list[tuple[datetime, ApplyMailbox]] = []
        """Each change that was made, with its time."""
        self.asked = 0
        """Commands about mailboxes that came."""
        self.denied = False
        self.mute: set[str] = set()
        """Whose change is made without an answer."""
        self.poorer: set[str] = set()
        """Whose default set lacks an action of the list before, which the worker does not notice."""
        self.lost: set[str] = set()
        """Whose change is made, and fails to be answered: the message goes to the poison queue."""
        self._deliveries: Counter[str] = Counter()
        self._answered = 0
        self._number = 0

    async def answer(self, most: int = 1000) -> int:
        """Answer up to so many questions; how many there were."""
        before = self._answered
        while self._answered < len(self.world.reads.sent) and self._answered - before < most:
            command = self.world.reads.sent[self._answered]
            self._answered += 1
            self._deliveries[command.command_id] += 1
            result = self.result_of(command, self.world.now, deliveries=self._deliveries[command.command_id])
            is_muted = isinstance(command, ApplyMailbox) and command.object_id in self.mute | self.lost
            if isinstance(command, ApplyMailbox) and command.object_id in self.lost:
                await end_failed_read(command.model_dump_json(), self.world.services)
            if result is not None and not is_muted:
                await record_exchange_read(result.model_dump_json().encode(), self.world.services)
        return self._answered - before

    def redeliver(self) -> None:
        """The queue hands the last answer over again."""
        self._answered -= 1

    def result_of(self, command: ReadCommand, now: datetime, *, deliveries: int = 1) -> ReadResult | None:
        """Carry out a command about a mailbox, and return the answer; None for any other."""
        about = {"command_id": command.command_id, "kind": command.kind, "tenant_id": TENANT, "started_at": now}
        about |= {"deliveries": deliveries}
        if not isinstance(command, RecordMailbox | ApplyMailbox):
            return None
        self.asked += 1
        if now > command.not_after:
            facts: dict[str, Any] = {"outcome": "refused", "error": "It has expired.", "error_class": "transient"}
        elif isinstance(command, ApplyMailbox):
            facts = self._apply(command, now)
        else:
            facts = self._record(command, deliveries)
        return ReadResult(**about | facts)

    def _record(self, command: RecordMailbox, deliveries: int) -> dict[str, Any]:
        if deliveries > 1:
            return {"outcome": "refused", "error": "It was delivered before.", "error_class": "transient"}
        if (found := self.now.get(command.object_id)) is None:
            return {"outcome": "not_found", "error": "No such object.", "error_class": "not_found"}
        self._number += 1
        record = f"00000000-0000-4000-8000-{self._number:012}"
        self.records[record] = found
        guid = exchange_guid(command.object_id)
        return {"outcome": "recorded", "before": found, "record": record, "exchange_guid": guid}

    def _apply(self, command: ApplyMailbox, now: datetime) -> dict[str, Any]:
        if self.denied:
            return {"outcome": "failed", "error": "Set-Mailbox is not permitted.", "error_class": "permission"}
        before = self.now[command.object_id]
        wanted = before.changed_by(command.change) if command.change else self.records[command.record]
        if command.change and command.object_id in self.poorer:
            wanted = wanted.model_copy(update={"owner": ("Update",)})
        facts: dict[str, Any] = {"before": before, "after": wanted}
        if before.same_as(wanted):
            return facts | {"outcome": "already"}
        if not before.same_as(command.expected):
            return facts | {"outcome": "changed", "after": None}
        self.now[command.object_id] = wanted
        self.changed.append((now, command))
        self.history[command.object_id].append(wanted)
        return facts | {"outcome": "applied"}


async def decides(world: World, kind: DecisionKind, **fields: Any) -> PersonDecision:
    """A person decides about a plan, and the queue hands it over."""
    return await world.delivers(await a_plan_decision(world, kind, **fields))


async def a_plan_decision(world: World, kind: DecisionKind, **fields: Any) -> DecisionMessage:
    return await world.a_decision(kind, "", TENANT_TARGET, **{"shown": Shown(), **fields})


async def applies(world: World, plan: Plan, *, changes: int | None = None) -> PersonDecision:
    """``changes``: how many mailboxes the person was shown."""
    world.plans.files.setdefault(plan.sha256, as_file(plan))
    ref = PlanRef(sha256=plan.sha256, changes=changes or len(plan.changes))
    return await decides(world, DecisionKind.APPLY_PLAN, plan=ref)


async def runs(world: World) -> Sequence[PlanRun]:
    """Every run, the oldest first."""
    return sorted((await world.case(TENANT_TARGET)).rows(PlanRun), key=lambda run: run.started_at)


async def carried_out(world: World, mailboxes: Mailboxes, *, hours: int = 1) -> PlanRun:
    """The worker answers, and the timer runs, until a run has ended or so much time has passed."""
    for _ in range(hours * 6 + 1):
        while await mailboxes.answer():
            pass
        if not (await runs(world))[-1].running:
            break
        world.now += timedelta(minutes=10)
        await read_posture(world.services)
    return (await runs(world))[-1]
