"""A responder on fakes, with a clock that a test moves: all but Microsoft's services is real."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from bypass_responder.bounded import Remembered
from bypass_responder.case.account_state import shown_of
from bypass_responder.errors import RefusedError
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.account import Account, AllowlistEntry
from bypass_responder.model.base import guid_or_none, target_key
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.decision_message import Author, Channel, DecisionMessage, Shown
from bypass_responder.model.finding import Finding, Source
from bypass_responder.model.health import HealthAlert
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.message import CommandKind, ExchangeCommand, ExchangeObject, ExchangeOutcome, ExchangeResult
from bypass_responder.model.notification import Notification
from bypass_responder.model.step import Step, StepKind, StepState
from bypass_responder.model.sweep import BypassedObject, SweepCommand, SweepContent, SweepResult
from bypass_responder.operating.decide import outcome_of
from bypass_responder.operating.self_check import SelfChecks
from bypass_responder.services import Misspelled, Services, WorkerHealth
from bypass_responder.settings import Settings
from bypass_responder.triggers.carry_out_decision import carry_out_decision
from bypass_responder.triggers.record_exchange_result import record_exchange_result
from bypass_responder.triggers.resume_responses import resume_responses
from bypass_responder.triggers.send_notifications import send_notifications
from bypass_responder.triggers.sweep_bypass_state import plan_sweep
from tests.fakes import (
    FakeAccesses,
    FakeAllowlist,
    FakeAllowlistSnapshot,
    FakeCheckpoints,
    FakeDecisionQueue,
    FakeDirectory,
    FakeEvidence,
    FakeExchangeQueue,
    FakeExchangeReads,
    FakeGatheredEvidence,
    FakeIndex,
    FakeInspections,
    FakeLedger,
    FakeLimit,
    FakeNotifier,
    FakeOutbox,
    FakePermissions,
    FakePlans,
    FakePosture,
    FakePostureRuns,
    FakeSenderQueue,
    FakeSource,
    FakeSweeps,
    FakeWorkList,
)
from tests.fakes.feed import FakeAuditFeed, FakeFeedStore
from tests.fakes.hunting import FakeHunting, FakeHuntingStore

TENANT = "11111111-1111-4111-8111-111111111111"
ALEX = "aaaaaaaa-0000-4000-8000-000000000001"
BLAKE = "bbbbbbbb-0000-4000-8000-000000000002"
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OPS = Author(object_id="0f0f0f0f-0000-4000-8000-00000000000f", name="ops@contoso.onmicrosoft.com")
MALLORY = Actor(user_id="mallory@contoso.onmicrosoft.com", client_ip="203.0.113.7:4711")


def an_account(object_id: str = ALEX, upn: str = "alex@contoso.onmicrosoft.com", **fields: Any) -> Account:
    return Account(object_id=object_id, user_principal_name=upn, **({"account_enabled": True} | fields))


def an_entry(object_id: str = ALEX, **fields: Any) -> AllowlistEntry:
    return AllowlistEntry(
        object_id=object_id,
        **(
            {
                "reason_class": "archiving",
                "justification": "journal archive",
                "owner": "ops@contoso.onmicrosoft.com",
                "ticket": "CHG-1",
                "expires_at": START + timedelta(days=30),
                "edited_at": START - timedelta(days=30),
            }
            | fields
        ),
    )


_numbers = itertools.count(1)


def an_incident(**fields: Any) -> Incident:
    """A contained violation of ALEX, whose blind window began at START."""
    defaults: dict[str, Any] = {
        "id": "20260302-00000001",
        "target": ALEX,
        "status": IncidentStatus.CONTAINED,
        "opened_at": START,
        "verdict": "violation",
        "reason": "not on the allowlist",
        "account": an_account(),
        "blind_from": START,
    }
    return Incident(**(defaults | fields))


def a_finding(**fields: Any) -> Finding:
    object_id_text = fields.get("object_id_text", ALEX)
    identity_text = fields.get("identity_text", "alex@contoso.onmicrosoft.com")
    defaults: dict[str, Any] = {
        "id": f"record-{next(_numbers)}",
        "target": guid_or_none(object_id_text) or target_key(object_id_text, identity_text),
        "source": Source.FEED,
        "switch": Switch.ON,
        "outcome": Outcome.SUCCESS,
        "effective_at": START - timedelta(hours=1),
        "object_id_text": object_id_text,
        "identity_text": identity_text,
        "actor": MALLORY,
        "received_at": START,
    }
    return Finding(**(defaults | fields))


def some_settings(**fields: Any) -> Settings:
    defaults: dict[str, Any] = {
        "tenant_id": TENANT,
        "mode": "enforce",
        "protected_object_ids": "none",
        "storage": {"connection_string": "unused"},
    }
    return Settings(**(defaults | fields))


def exchange_guid(object_id: str) -> str:
    """Another value than the object id, and the same each time."""
    return f"99999999-0000-4000-8000-{object_id[-12:]}"


def a_hint(**fields: Any) -> Finding:
    """Somebody says that ALEX is bypassed."""
    defaults: dict[str, Any] = {
        "source": Source.HINT,
        "switch": Switch.UNKNOWN,
        "outcome": Outcome.UNKNOWN,
        "identity_text": "",
        "actor": Actor(),
        "sender": "a SIEM",
    }
    return a_finding(**(defaults | fields))


class World:
    """The services on fakes, and an Exchange worker whose answers the test chooses."""

    self_checks: SelfChecks | None = None

    def __init__(self, *accounts: Account, **settings: Any) -> None:
        self.now = START
        clock = lambda: self.now  # noqa: E731 - a closure over the moving clock
        self.directory = FakeDirectory(
            *(accounts or (an_account(), an_account(BLAKE, "blake@contoso.onmicrosoft.com"))), clock=clock
        )
        self.allowlist = FakeAllowlist(clock=clock)
        self.allowlist_snapshot = FakeAllowlistSnapshot()
        self.ledger = FakeLedger()
        self.work = FakeWorkList()
        self.limit = FakeLimit()
        self.index = FakeIndex()
        self.checkpoints = FakeCheckpoints()
        self.exchange = FakeExchangeQueue()
        self.decisions = FakeDecisionQueue()
        self.inspections = FakeInspections()
        self.sweeps = FakeSweeps()
        self.reads = FakeExchangeReads()
        self.posture = FakePosture()
        self.posture_runs = FakePostureRuns()
        self.plans = FakePlans()
        self.notifier = FakeNotifier()
        self.outbox = FakeOutbox()
        self.sender = FakeSenderQueue()
        self.gathered = FakeGatheredEvidence()
        self.sources: dict[str, FakeSource] = {}
        self.feed = FakeAuditFeed()
        self.feed_store = FakeFeedStore()
        self.hunting = FakeHunting(clock=clock)
        self.hunting_store = FakeHuntingStore()
        self.permissions = FakePermissions()
        self.access = FakeAccesses()
        self.bypassed: dict[str, bool] = {}
        self.names: dict[str, list[str]] = {}
        self.answered = 0
        ids = itertools.count(1)
        self.services = Services(
            settings=some_settings(**settings),
            clock=clock,
            new_id=lambda: f"00000000-0000-4000-8000-{next(ids):012d}",
            directory=self.directory,
            allowlist=self.allowlist,
            allowlist_snapshot=self.allowlist_snapshot,
            ledger=self.ledger,
            work=self.work,
            limit=self.limit,
            hint_checks=FakeLimit(),
            index=self.index,
            checkpoints=self.checkpoints,
            exchange=self.exchange,
            decisions=self.decisions,
            inspections=self.inspections,
            evidence=FakeEvidence(),
            gathered=self.gathered,
            sources=self.sources,
            sweeps=self.sweeps,
            reads=self.reads,
            posture=self.posture,
            posture_runs=self.posture_runs,
            plans=self.plans,
            feed=self.feed,
            feed_store=self.feed_store,
            hunting=self.hunting,
            hunting_store=self.hunting_store,
            permissions=self.permissions,
            access=self.access,
            outbox=self.outbox,
            sender=self.sender,
            receivers={"webhook": self.notifier},
        )

    def deploy(self, **settings: Any) -> None:
        """The app is deployed anew with other settings: a new process, which remembers nothing."""
        self.services = dataclasses.replace(
            self.services,
            settings=some_settings(**settings),
            done=Remembered(),
            worker=WorkerHealth(),
            misspelled=Misspelled(),
        )

    async def sees(self, *findings: Finding) -> None:
        """Findings are stored and settled, as a poll does it."""
        for finding in findings:
            await self.services.work.touch(finding.target, self.now)
            await self.ledger.add_finding(finding)
        try:
            await settle_all({finding.target for finding in findings}, self.services)
        finally:
            await self.sends()

    async def sends(self) -> None:
        """The queue starts the delivery of notifications, where a run has asked for it."""
        while self.sender.woken:
            self.sender.woken = 0
            await send_notifications(self.services)

    async def answer(self, **fields: Any) -> list[ExchangeResult]:
        """The worker answers what was asked since the last time."""
        results = []
        while self.answered < len(self.exchange.sent):
            command = self.exchange.sent[self.answered]
            self.answered += 1
            results.append(self._result(command, **fields))
            await record_exchange_result(results[-1].model_dump_json().encode(), self.services)
        await self.sends()
        return results

    async def sweep(self, *, scanned: int = 1000, content: dict[str, Any] | None = None, **fields: Any) -> SweepResult:
        """The timer asks for a sweep, and the worker answers it with what is true now."""
        await plan_sweep(self.services)
        return await self.answer_sweep(scanned=scanned, content=content, **fields)

    async def answer_sweep(
        self, *, scanned: int = 1000, content: dict[str, Any] | None = None, **fields: Any
    ) -> SweepResult:
        """The worker answers the sweep that was asked for last."""
        command = self.sweeps_asked[-1]
        on = [
            BypassedObject(object_id=each, exchange_guid=exchange_guid(each), name=each)
            for each, bypassed in sorted(self.bypassed.items())
            if bypassed
        ]
        said: dict[str, Any] = {
            "schema_version": 1,
            "command_id": command.command_id,
            "tenant_id": command.tenant_id,
            "started_at": self.now,
            "complete": fields.get("complete", True),
            "scanned": scanned,
            "bypassed": on,
        }
        listed = SweepContent(**(said | (content or {})))
        data = listed.model_dump_json().encode()
        blob = f"{command.command_id}.json"
        self.sweeps.lists.setdefault(blob, data)
        answer: dict[str, Any] = {
            "command_id": command.command_id,
            "kind": CommandKind.LIST_BYPASSED,
            "tenant_id": command.tenant_id,
            "outcome": "listed",
            "complete": True,
            "started_at": listed.started_at,
            "scanned": scanned,
            "bypassed": len(listed.bypassed),
            "blob": blob,
            "sha256": hashlib.sha256(data).hexdigest(),
            "audit_disabled": False,
            "unified_audit_log_ingestion_enabled": True,
        }
        result = SweepResult(**(answer | fields))
        await record_exchange_result(result.model_dump_json().encode(), self.services)
        await self.sends()
        return result

    @property
    def sweeps_asked(self) -> list[SweepCommand]:
        """The sweeps that were asked for."""
        return self.exchange.swept

    async def alerts(self) -> set[str]:
        """The health alerts that are on."""
        rows = (await self.ledger.load(TENANT_TARGET)).by_key.values()
        return {row.id for row in rows if isinstance(row, HealthAlert) and row.recovered_at is None}

    async def passes(self, **duration: float) -> None:
        """Time passes and the scheduler runs."""
        self.now += timedelta(**duration)
        try:
            await resume_responses(self.services, self.self_checks)
        finally:
            await self.sends()

    async def decides(self, kind: str, incident_id: str, target: str = ALEX, **fields: Any) -> PersonDecision:
        """A person decides about what they are shown now. Raises RefusedError when the responder refuses."""
        message = await self.a_decision(kind, incident_id, target, **fields)
        recorded = await self.delivers(message)
        if recorded.outcome == "refused":
            raise RefusedError(recorded.why)
        await self.passes()
        return recorded

    async def a_decision(self, kind: str, incident_id: str, target: str = ALEX, **fields: Any) -> DecisionMessage:
        """What a person sends who is shown the case as it is now."""
        case = await self.case(target)
        defaults: dict[str, Any] = {
            "message_id": self.services.new_id(),
            "tenant_id": TENANT,
            "target": target,
            "kind": kind,
            "incident_id": incident_id,
            "shown": shown_of(case, case.incident(incident_id)),
            "author": OPS,
            "reason": "ticket",
            "sent_at": self.now,
            "not_after": self.now + timedelta(hours=1),
        }
        return DecisionMessage(**(defaults | fields))

    async def an_acceptance(self, warning: str, **fields: Any) -> DecisionMessage:
        """What a person sends who accepts a warning of the sweeps."""
        about = {"warning": warning, "shown": Shown()}
        return await self.a_decision("accept_warning", "", TENANT_TARGET, **(about | fields))

    async def delivers(self, message: DecisionMessage, channel: Channel = Channel.BYPASSCTL) -> PersonDecision:
        """The queue hands a decision to the responder; what it recorded."""
        await carry_out_decision(message.model_dump_json().encode(), self.services, channel=channel)
        recorded = await outcome_of(message, self.services)
        assert recorded is not None
        return recorded

    async def case(self, target: str = ALEX) -> Case:
        return await self.ledger.load(target, history=True)

    async def incidents(self, target: str = ALEX) -> list[Incident]:
        rows = (await self.case(target)).by_key.values()
        return sorted((row for row in rows if isinstance(row, Incident)), key=lambda row: row.opened_at)

    async def steps(self, target: str = ALEX, incident: int = -1) -> dict[StepKind, Step]:
        wanted = (await self.incidents(target))[incident].id
        rows = (await self.case(target)).by_key.values()
        return {row.step: row for row in rows if isinstance(row, Step) and row.incident_id == wanted}

    async def states(self, target: str = ALEX) -> dict[StepKind, StepState]:
        return {kind: step.state for kind, step in (await self.steps(target)).items()}

    async def notifications(self, target: str = ALEX) -> list[str]:
        rows = (await self.case(target)).by_key.values()
        return sorted(row.about for row in rows if isinstance(row, Notification))

    def _result(self, command: ExchangeCommand, **fields: Any) -> ExchangeResult:
        ids = [command.object_id] if command.object_id else self.names.get((command.identity or "").casefold(), [])
        found = ids[0] if len(ids) == 1 else None
        before = self.bypassed.get(found, False) if found else None
        outcome, after = ExchangeOutcome.CHECKED, None
        if not found:
            outcome = ExchangeOutcome.AMBIGUOUS if ids else ExchangeOutcome.NOT_FOUND
            outcome = ExchangeOutcome.REFUSED if "*" in (command.identity or "") else outcome
        elif command.kind is CommandKind.DISABLE_BYPASS:
            outcome = ExchangeOutcome.VERIFIED if before else ExchangeOutcome.ALREADY_OFF
            after = False
            if "outcome" not in fields:
                self.bypassed[found] = False
        answer: dict[str, Any] = {
            "command_id": command.command_id,
            "kind": command.kind,
            "tenant_id": command.tenant_id,
            "target": command.target,
            "outcome": outcome,
            "resolved": ExchangeObject(object_id=found, exchange_guid=exchange_guid(found), name="name")
            if found
            else None,
            "candidates": tuple(ids) if len(ids) > 1 else (),
            "before": before,
            "after": after,
            "read_at": self.now,
            "worker": "test",
        }
        return ExchangeResult(**(answer | fields))
