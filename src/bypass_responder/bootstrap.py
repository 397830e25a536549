"""The only file that names concretes. The first call builds; a worker process keeps what was built."""

from __future__ import annotations

import asyncio
import logging
import os
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from bypass_responder.errors import PermissionMissingError
from bypass_responder.late import closing, late, late_mapping
from bypass_responder.settings import GrantSettings, Settings

if TYPE_CHECKING:
    import httpx
    from azure.core.credentials_async import AsyncTokenCredential

    from bypass_responder import ports
    from bypass_responder.adapters.console_probe import ConsoleProbe
    from bypass_responder.adapters.entra_rights import EntraRights
    from bypass_responder.adapters.graph import GraphDirectory
    from bypass_responder.adapters.graph_evidence.pages import GraphReader
    from bypass_responder.adapters.limit_table import TableHourlyLimit
    from bypass_responder.adapters.management_activity import ManagementActivityFeed
    from bypass_responder.adapters.storage_clients import StorageClients
    from bypass_responder.operating import grant, self_check
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.ports import Notifier
    from bypass_responder.services import Services

_responders: WeakKeyDictionary[asyncio.AbstractEventLoop, Responder] = WeakKeyDictionary()


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


def new_id() -> str:
    """The random ids of production."""
    return str(uuid.uuid4())


@dataclass(frozen=True, kw_only=True)
class _Connected:
    """Something with connections to close."""

    _closing: tuple[Callable[[], Awaitable[None]], ...]

    async def aclose(self) -> None:
        """Close every connection."""
        for close in self._closing:
            await close()


@dataclass(frozen=True)
class Responder(_Connected):
    """The use cases with everything they need; what ``function_app`` and ``bypassctl`` call."""

    services: Services
    storage: StorageClients
    credential: AsyncTokenCredential
    self_checks: SelfChecks

    async def poll_audit_feed(self) -> None:
        """Read the audit feed and settle its findings."""
        from bypass_responder.triggers.poll_audit_feed import poll_audit_feed

        await _run_and_flush("poll_audit_feed", poll_audit_feed(self.services))

    async def hunt_audit_events(self) -> None:
        """Read Defender's table of cloud events and settle its findings."""
        from bypass_responder.triggers.hunt_audit_events import hunt_audit_events

        await self._noted("hunt_audit_events", hunt_audit_events(self.services))

    async def resume_responses(self) -> None:
        """Take up everything that is due."""
        from bypass_responder.triggers.resume_responses import resume_responses

        await _run_and_flush("resume_responses", resume_responses(self.services, self.self_checks))

    async def sweep_bypass_state(self) -> None:
        """Ask the Exchange worker who is bypassed, unless it is asked already."""
        from bypass_responder.triggers.sweep_bypass_state import sweep_bypass_state

        await _run_and_flush("sweep_bypass_state", sweep_bypass_state(self.services))

    async def gather_evidence(self) -> None:
        """Ask the sources of evidence what is due."""
        from bypass_responder.triggers.gather_evidence import gather_evidence

        await self._noted("gather_evidence", gather_evidence(self.services))

    async def read_posture(self) -> None:
        """Begin, continue or compare the day's read of all mailboxes."""
        from bypass_responder.triggers.read_posture import read_posture

        await self._noted("read_posture", read_posture(self.services))

    async def receive_alert(self, body: bytes) -> None:
        """Take one event, in the JSON of its envelope: a hint."""
        from bypass_responder.triggers.receive_alert import receive_alert

        await _run_and_flush("receive_alert", receive_alert(body, self.services))

    async def record_exchange_result(self, body: bytes) -> None:
        """Take one answer of the Exchange worker."""
        from bypass_responder.triggers.record_exchange_result import record_exchange_result

        await _run_and_flush("record_exchange_result", record_exchange_result(body, self.services))

    async def record_exchange_read(self, body: bytes) -> None:
        """Take one answer of the worker's function ExchangeReads."""
        from bypass_responder.triggers.record_exchange_read import record_exchange_read

        await _run_and_flush("record_exchange_read", record_exchange_read(body, self.services))

    async def carry_out_decision(self, body: bytes, channel: str) -> None:
        """Take one decision of a person. ``channel`` is the queue's: bypassctl or console."""
        from bypass_responder.model.decision_message import Channel
        from bypass_responder.triggers.carry_out_decision import carry_out_decision

        run = carry_out_decision(body, self.services, channel=Channel(channel))
        await _run_and_flush("carry_out_decision", run)

    async def send_notifications(self) -> None:
        """Deliver what is due to each receiver."""
        from bypass_responder.triggers.send_notifications import send_notifications

        await _run_and_flush("send_notifications", send_notifications(self.services))

    async def _noted(self, timer: str, run: Awaitable[object]) -> None:
        from bypass_responder.operating.timer_runs import note_run

        await _run_and_flush(timer, note_run(timer, run, self.services, self.self_checks))

    async def create_storage(self) -> None:
        """Create the tables, queues and containers that are missing; in Azure the infrastructure does it."""
        from bypass_responder.adapters.storage_clients import create_storage

        settings = self.services.settings
        await create_storage(self.storage, queues=settings.queues)


async def _run_and_flush(function: str, run: Awaitable[object]) -> None:
    """Wait for a run, then send its lines. A failed run adds a line that reports it."""
    from bypass_responder.adapters import telemetry

    try:
        await run
    except Exception as error:
        _write_failure(function, error)
        raise
    finally:
        await telemetry.flush()


def _write_failure(function: str, error: Exception) -> None:
    from bypass_responder.event_lines import write_line

    write_line("run_failed", logging.ERROR, function=function, error_class=type(error).__name__)


async def responder() -> Responder:
    """The responder of this event loop, built from the environment on the first call. Raises SettingError."""
    from bypass_responder.adapters import telemetry
    from bypass_responder.event_lines import write_line

    loop = asyncio.get_running_loop()
    if loop in _responders:
        return _responders[loop]
    telemetry.start(os.environ)
    try:
        built = _responders[loop] = build(os.environ)
    except Exception as error:
        _write_failure("start", error)
        await telemetry.flush()
        raise
    settings = built.services.settings
    write_line("started", mode=settings.mode.value, tenant_id=settings.tenant_id)
    return built


def build(environment: Mapping[str, str], *, short_lived: bool = False) -> Responder:
    """Put the adapters together. Raises SettingError that names the setting; nothing connects yet.

    ``short_lived``: for a process that ends after some calls; the clients of storage then load faster.
    """
    from bypass_responder.adapters.storage_clients import connect
    from bypass_responder.services import Services

    settings = Settings.from_environment(environment)
    tenant = settings.tenant_id
    credential = late(lambda: _credential(settings))
    storage = connect(settings.storage, credential, short_lived=short_lived)
    http = late(_http)
    directory = late(lambda: _directory(credential, settings))
    feed = late(lambda: _feed(http, credential, settings))
    graph = late(lambda: _graph_reader(credential, settings))
    hunting = late(lambda: _hunting(http, credential, settings))
    index = late(lambda: _index(storage, tenant))
    ledger = late(lambda: _ledger(storage, tenant))
    allowlist = late(lambda: _allowlist(storage, tenant))
    reads = late(lambda: _reads(storage, settings))
    gathered = late(lambda: _gathered(storage, tenant))
    services = Services(
        settings=settings,
        clock=utc_now,
        new_id=new_id,
        directory=directory,
        allowlist=allowlist,
        allowlist_snapshot=late(lambda: _allowlist_snapshot(storage, tenant)),
        ledger=ledger,
        work=late(lambda: _work(storage, tenant)),
        limit=late(lambda: _limit(storage, tenant)),
        hint_checks=late(lambda: _limit(storage, tenant, "hints")),
        index=index,
        checkpoints=late(lambda: _checkpoints(storage, tenant)),
        exchange=late(lambda: _exchange(storage, settings)),
        decisions=late(lambda: _decisions(storage, settings)),
        inspections=late(lambda: _inspections(storage, tenant)),
        evidence=late(lambda: _evidence(storage, tenant)),
        gathered=gathered,
        sources=late_mapping(
            lambda: {
                "exports_without_sign_in": late(lambda: _exports(gathered)),
                "other_changes": late(lambda: _other_changes(index)),
                "authorization": late(lambda: _authorization(settings, index, ledger, allowlist)),
                **_mailbox_sources(reads, settings),
                **_graph_sources(graph, hunting, late(lambda: _graph_tokens(credential)), directory),
                "mailbox_access": late(lambda: _mailbox_search(graph, _graph_tokens(credential))),
            }
        ),
        sweeps=late(lambda: _sweeps(storage, tenant)),
        reads=reads,
        posture=late(lambda: _posture(storage, tenant)),
        posture_runs=late(lambda: _posture_runs(storage, tenant)),
        plans=late(lambda: _plans(storage, tenant)),
        feed=feed,
        feed_store=late(lambda: _feed_store(storage, tenant)),
        hunting=hunting,
        hunting_store=late(lambda: _hunting_store(storage, tenant)),
        permissions=late(lambda: _permissions(storage, tenant)),
        access=late(lambda: _access(storage, tenant)),
        outbox=late(lambda: _outbox(storage, tenant)),
        sender=late(lambda: _sender(storage, settings)),
        receivers=_receivers(http, settings),
    )
    return Responder(
        services,
        storage,
        credential,
        late(lambda: _self_checks(environment, storage, http, credential, settings, feed)),
        _closing=(
            closing(directory, "aclose"),
            closing(graph, "aclose"),
            storage.close,
            closing(http, "aclose"),
            closing(credential),
        ),
    )


def _receivers(http: httpx.AsyncClient, settings: Settings) -> dict[str, Notifier]:
    """Return the channels to people by name. Raises SettingError for a secret that cannot sign."""
    if not settings.notification_webhook_url and not settings.receivers:
        return {}
    from bypass_responder.adapters.slack import SlackNotifier
    from bypass_responder.adapters.teams import TeamsNotifier
    from bypass_responder.adapters.webhook import WebhookNotifier
    from bypass_responder.model.receiver import WEBHOOK, ReceiverKind

    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each address, and that of a receiver is a secret
    addresses = settings.addresses
    found: dict[str, Notifier] = {}
    url, secret = settings.notification_webhook_url, settings.notification_webhook_secret
    if url and secret:
        found[WEBHOOK] = WebhookNotifier(http, url, secret.get_secret_value(), addresses=addresses)
    for each in settings.receivers:
        url = each.url.get_secret_value()
        match each.kind:
            case ReceiverKind.TEAMS:
                found[each.name] = TeamsNotifier(http, url, addresses)
            case ReceiverKind.SLACK:
                found[each.name] = SlackNotifier(http, url, addresses)
            case ReceiverKind.WEBHOOK:
                key = each.secret.get_secret_value() if each.secret else ""
                found[each.name] = WebhookNotifier(http, url, key, addresses=addresses)
    return found


def _credential(settings: Settings) -> AsyncTokenCredential:
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=settings.azure_client_id)


def _http() -> httpx.AsyncClient:
    import httpx

    return httpx.AsyncClient(timeout=httpx.Timeout(30, connect=10))


def _directory(credential: AsyncTokenCredential, settings: Settings) -> GraphDirectory:
    from bypass_responder.adapters.graph import GraphDirectory

    return GraphDirectory(credential, settings.graph_url)


def _feed(http: httpx.AsyncClient, credential: AsyncTokenCredential, settings: Settings) -> ManagementActivityFeed:
    from bypass_responder.adapters.management_activity import ManagementActivityFeed

    return ManagementActivityFeed(
        http,
        credential,
        base_url=settings.management_api_url,
        tenant_id=settings.tenant_id,
        publisher_identifier=settings.publisher_identifier,
    )


def _hunting(http: httpx.AsyncClient, credential: AsyncTokenCredential, settings: Settings) -> ports.Hunting:
    from bypass_responder.adapters.hunting import GraphHunting

    return GraphHunting(http, credential, settings.graph_url)


def _index(storage: StorageClients, tenant: str) -> ports.Index:
    from bypass_responder.adapters.index_table import TableIndex

    return TableIndex(storage.tables, tenant)


def _ledger(storage: StorageClients, tenant: str) -> ports.Ledger:
    from bypass_responder.adapters.ledger_table import TableLedger

    return TableLedger(storage.tables, tenant)


def _work(storage: StorageClients, tenant: str) -> ports.WorkList:
    from bypass_responder.adapters.work_table import TableWorkList

    return TableWorkList(storage.tables, tenant)


def _limit(storage: StorageClients, tenant: str, purpose: str = "limit") -> TableHourlyLimit:
    from bypass_responder.adapters.limit_table import TableHourlyLimit

    return TableHourlyLimit(storage.tables, tenant, purpose=purpose)


def _feed_store(storage: StorageClients, tenant: str) -> ports.FeedStore:
    from bypass_responder.adapters.feed_table import FeedTable

    return FeedTable(storage.tables, tenant_id=tenant)


def _hunting_store(storage: StorageClients, tenant: str) -> ports.HuntingStore:
    from bypass_responder.adapters.hunting_table import HuntingTable

    return HuntingTable(storage.tables, tenant)


def _allowlist(storage: StorageClients, tenant: str) -> ports.Allowlist:
    from bypass_responder.adapters.allowlist_table import TableAllowlist

    return TableAllowlist(storage.tables, tenant)


def _allowlist_snapshot(storage: StorageClients, tenant: str) -> ports.AllowlistSnapshot:
    from bypass_responder.adapters.allowlist_snapshot import BlobAllowlistSnapshot

    return BlobAllowlistSnapshot(storage.blobs, tenant)


def _checkpoints(storage: StorageClients, tenant: str) -> ports.Checkpoints:
    from bypass_responder.adapters.checkpoint_store import CheckpointStore

    return CheckpointStore(storage.tables, storage.blobs, tenant)


def _evidence(storage: StorageClients, tenant: str) -> ports.EvidenceStore:
    from bypass_responder.adapters.evidence_blob import BlobEvidenceStore

    return BlobEvidenceStore(storage.blobs, tenant)


def _gathered(storage: StorageClients, tenant: str) -> ports.GatheredEvidence:
    from bypass_responder.adapters.gathered_table import TableGatheredEvidence

    return TableGatheredEvidence(storage.tables, storage.blobs, tenant)


def _exports(gathered: ports.GatheredEvidence) -> ports.EvidenceSource:
    from bypass_responder.evidence.exports import ExportsWithoutSignIn

    return ExportsWithoutSignIn(gathered)


def _other_changes(index: ports.Index) -> ports.EvidenceSource:
    from bypass_responder.evidence.own_records import OtherChanges

    return OtherChanges(index)


def _authorization(
    settings: Settings, index: ports.Index, ledger: ports.Ledger, allowlist: ports.Allowlist
) -> ports.EvidenceSource:
    from bypass_responder.evidence.own_records import Authorization

    return Authorization(settings, index, ledger, allowlist)


def _mailbox_sources(reads: ports.ExchangeReads, settings: Settings) -> dict[str, ports.EvidenceSource]:
    """Return the sources of evidence that the Exchange worker answers, by their names."""

    def made(name: str) -> ports.EvidenceSource:
        from bypass_responder.evidence.mailbox_reads import SOURCES, MailboxReads

        sections, judge = SOURCES[name]
        return MailboxReads(reads, utc_now, new_id, tenant_id=settings.tenant_id, sections=sections, judge=judge)

    names = ("inbox_rules", "forwarding", "delegates", "opens_mailboxes")
    return {name: late(partial(made, name)) for name in names}


def _graph_sources(
    graph: GraphReader, hunting: ports.Hunting, tokens: self_check.OwnTokens, directory: ports.Directory
) -> dict[str, ports.EvidenceSource]:
    """Return the sources of evidence that Graph answers, by their names in ``evidence.sources``."""
    from bypass_responder.evidence.sources import SOURCES

    def one(name: str) -> ports.EvidenceSource:
        from bypass_responder.adapters.graph_evidence.sources import graph_sources

        return graph_sources(graph, hunting, tokens, directory)[name]

    return {source.name: late(partial(one, source.name)) for source in SOURCES if ".Read.All" in source.permission}


def _mailbox_search(graph: GraphReader, tokens: self_check.OwnTokens) -> ports.EvidenceSource:
    from bypass_responder.adapters.graph_evidence.audit_log_queries import MAILBOX_ACCESS, AuditLogQueries

    return AuditLogQueries(graph, tokens, MAILBOX_ACCESS)


def _graph_tokens(credential: AsyncTokenCredential) -> self_check.OwnTokens:
    from bypass_responder.adapters.own_token import OwnTokens
    from bypass_responder.rights import GRAPH_SCOPE, Api

    return OwnTokens(credential, {Api.GRAPH: GRAPH_SCOPE})


def _graph_reader(credential: AsyncTokenCredential, settings: Settings) -> GraphReader:
    from bypass_responder.adapters.graph_evidence.pages import GraphReader
    from bypass_responder.adapters.graph_wire import GraphWire
    from bypass_responder.rights import GRAPH_SCOPE

    return GraphReader(GraphWire(credential, settings.graph_url, scope=GRAPH_SCOPE))


def _sweeps(storage: StorageClients, tenant: str) -> ports.SweepStore:
    from bypass_responder.adapters.sweep_store import SweepStore

    return SweepStore(storage.tables, storage.blobs, tenant)


def _posture(storage: StorageClients, tenant: str) -> ports.PostureReads:
    from bypass_responder.adapters.posture_table import PostureTable

    return PostureTable(storage.tables, tenant)


def _permissions(storage: StorageClients, tenant: str) -> ports.Permissions:
    from bypass_responder.adapters.permission_table import PermissionTable

    return PermissionTable(storage.tables, tenant)


def _access(storage: StorageClients, tenant: str) -> ports.MailboxAccesses:
    from bypass_responder.adapters.access_table import AccessTable

    return AccessTable(storage.tables, tenant)


def _posture_runs(storage: StorageClients, tenant: str) -> ports.PostureRuns:
    from bypass_responder.adapters.posture_run_table import PostureRunTable

    return PostureRunTable(storage.tables, tenant)


def _plans(storage: StorageClients, tenant: str) -> ports.PlanStore:
    from bypass_responder.adapters.plan_store import StoragePlans

    return StoragePlans(storage.tables, storage.blobs, tenant)


def _reads(storage: StorageClients, settings: Settings) -> ports.ExchangeReads:
    from bypass_responder.adapters.exchange_reads import StorageExchangeReads

    return StorageExchangeReads(
        storage.tables, storage.queues, storage.blobs, settings.tenant_id, queue=settings.exchange_reads_queue
    )


def _exchange(storage: StorageClients, settings: Settings) -> ports.ExchangeQueue:
    from bypass_responder.adapters.exchange_queue import StorageExchangeQueue

    return StorageExchangeQueue(
        storage.queues,
        commands=settings.exchange_commands_queue,
        checks=settings.exchange_checks_queue,
        sweeps=settings.exchange_sweeps_queue,
        drained=(queue for queue in settings.queues if queue not in settings.decision_queues),
    )


def _decisions(storage: StorageClients, settings: Settings) -> ports.DecisionQueue:
    from bypass_responder.adapters.decision_queue import StorageDecisionQueue

    return StorageDecisionQueue(
        storage.queues, queue=settings.decisions_queue, console=settings.decisions_console_queue
    )


def _inspections(storage: StorageClients, tenant: str) -> ports.Inspections:
    from bypass_responder.adapters.inspection_table import TableInspections

    return TableInspections(storage.tables, tenant)


def _outbox(storage: StorageClients, tenant: str) -> ports.Outbox:
    from bypass_responder.adapters.outbox_table import TableOutbox

    return TableOutbox(storage.tables, tenant)


def _sender(storage: StorageClients, settings: Settings) -> ports.SenderQueue:
    from bypass_responder.adapters.outbox_table import StorageSenderQueue

    return StorageSenderQueue(storage.queues, queue=settings.notifications_queue)


def _console_probe(http: httpx.AsyncClient, url: str, settings: Settings) -> ConsoleProbe:
    from bypass_responder.adapters.console_probe import ConsoleProbe

    return ConsoleProbe(http, url, tenant_id=settings.tenant_id, new_id=new_id)


def _own_tokens(credential: AsyncTokenCredential, feed: ManagementActivityFeed) -> self_check.OwnTokens:
    from bypass_responder.adapters.own_token import OwnTokens
    from bypass_responder.rights import GRAPH_SCOPE, Api

    return OwnTokens(credential, {Api.GRAPH: GRAPH_SCOPE, Api.MANAGEMENT: feed.scope})


def _granted(http: httpx.AsyncClient, credential: AsyncTokenCredential, settings: Settings) -> EntraRights:
    from bypass_responder.adapters.entra_rights import EntraRights
    from bypass_responder.rights import GRAPH_SCOPE

    return EntraRights(http, credential, settings.graph_url, scope=GRAPH_SCOPE, pause_seconds=0.2)


def _self_checks(
    environment: Mapping[str, str],
    storage: StorageClients,
    http: httpx.AsyncClient,
    credential: AsyncTokenCredential,
    settings: Settings,
    feed: ManagementActivityFeed,
) -> SelfChecks:
    from bypass_responder.adapters.self_check_table import SelfCheckTable
    from bypass_responder.adapters.storage_clients import CONTAINERS, TABLES
    from bypass_responder.adapters.storage_probe import StorageProbe
    from bypass_responder.operating.self_check import SelfChecks

    url = settings.console_url
    return SelfChecks(
        tokens=late(lambda: _own_tokens(credential, feed)),
        storage=StorageProbe(
            storage.tables,
            storage.queues,
            storage.blobs,
            expected_tables=TABLES,
            expected_containers=CONTAINERS,
            clock=utc_now,
        ),
        store=SelfCheckTable(storage.tables, settings.tenant_id),
        granted=late(lambda: _granted(http, credential, settings)),
        console=late(lambda: _console_probe(http, url, settings)) if url else None,
        telemetry=bool(environment.get("APPLICATIONINSIGHTS_CONNECTION_STRING", "").strip()),
    )


@dataclass(frozen=True)
class ConsoleServices(_Connected):
    """What the console works with: tables to read, the allowlist to write, one queue to send to, and nothing else."""

    services: Services
    self_checks: SelfChecks
    form_key: Callable[[], Awaitable[bytes]]
    """Returns what signs the forms; all instances have the same."""


NO_HOST = "https://localhost"
"""Stands for the host account where there is none: the sandbox has a key of its own."""


class _NotForTheConsole:
    """Stands for what the console's identity has no right to. Every use but ``may`` raises PermissionMissingError."""

    def __init__(self, **may: Any) -> None:  # noqa: ANN401 - methods of any port
        vars(self).update(may)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it stands for any port
        raise PermissionMissingError(f"The console cannot {name}.", permission="none: only the responder may")


def build_console(environment: Mapping[str, str]) -> ConsoleServices:
    """Put the console together, without Graph, Exchange and blobs. Raises SettingError that names the setting."""
    from azure.data.tables.aio import TableServiceClient
    from azure.identity.aio import DefaultAzureCredential

    from bypass_responder.adapters.allowlist_table import TableAllowlist
    from bypass_responder.adapters.decision_queue import StorageDecisionQueue
    from bypass_responder.adapters.feed_table import FeedTable
    from bypass_responder.adapters.form_key_table import FormKeyTable
    from bypass_responder.adapters.gathered_table import TableGatheredEvidence
    from bypass_responder.adapters.hunting_table import HuntingTable
    from bypass_responder.adapters.index_table import TableIndex
    from bypass_responder.adapters.inspection_table import TableInspections
    from bypass_responder.adapters.ledger_table import TableLedger
    from bypass_responder.adapters.outbox_table import TableOutbox
    from bypass_responder.adapters.self_check_table import SelfCheckTable
    from bypass_responder.adapters.storage_clients import connect
    from bypass_responder.adapters.sweep_list import SweepList
    from bypass_responder.adapters.work_table import TableWorkList
    from bypass_responder.model.decision_message import Channel
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services

    settings = Settings.from_environment(environment)
    tenant = settings.tenant_id
    credential = DefaultAzureCredential(managed_identity_client_id=settings.azure_client_id)
    storage = connect(settings.storage, credential)
    host = TableServiceClient(environment.get("AzureWebJobsStorage__tableServiceUri", NO_HOST), credential=credential)
    queue = settings.decisions_console_queue
    absent: Any = _NotForTheConsole()
    listed: Any = _NotForTheConsole(baseline=SweepList(storage.tables, tenant).baseline)
    services = Services(
        settings=settings,
        clock=utc_now,
        new_id=new_id,
        directory=absent,
        allowlist=TableAllowlist(storage.tables, tenant),
        allowlist_snapshot=absent,
        ledger=TableLedger(storage.tables, tenant),
        work=TableWorkList(storage.tables, tenant),
        limit=absent,
        hint_checks=absent,
        index=TableIndex(storage.tables, tenant),
        checkpoints=absent,
        exchange=absent,
        decisions=StorageDecisionQueue(storage.queues, queue=queue, console=queue, tool=Channel.CONSOLE),
        inspections=TableInspections(storage.tables, tenant),
        evidence=absent,
        gathered=TableGatheredEvidence(storage.tables, absent, tenant),
        sources={},
        sweeps=listed,
        reads=absent,
        posture=late(lambda: _posture(storage, tenant)),
        posture_runs=late(lambda: _posture_runs(storage, tenant)),
        plans=absent,
        feed=absent,
        feed_store=FeedTable(storage.tables, tenant_id=tenant),
        hunting=absent,
        hunting_store=HuntingTable(storage.tables, tenant),
        permissions=late(lambda: _permissions(storage, tenant)),
        access=late(lambda: _access(storage, tenant)),
        outbox=TableOutbox(storage.tables, tenant),
        sender=absent,
        receivers={},
    )
    checks = SelfChecks(tokens=absent, storage=absent, store=SelfCheckTable(storage.tables, tenant))
    closing = (storage.close, host.close, credential.close)
    return ConsoleServices(services, checks, FormKeyTable(host).key, _closing=closing)


@dataclass(frozen=True)
class Rights(_Connected):
    """What `bypassctl grant` works with: the directory as the signed-in person, and no storage."""

    settings: GrantSettings
    directory: grant.DirectoryRights
    tokens: self_check.OwnTokens


def build_rights(environment: Mapping[str, str], *, pause_seconds: float = 1.0) -> Rights:
    """Put together what reads and gives rights. Raises SettingError that names the setting."""
    import httpx
    from azure.identity.aio import DefaultAzureCredential

    from bypass_responder.adapters.entra_rights import EntraRights
    from bypass_responder.adapters.own_token import OwnTokens
    from bypass_responder.rights import GRAPH_SCOPE, Api

    settings = GrantSettings.from_environment(environment)
    credential = DefaultAzureCredential()
    http = httpx.AsyncClient(timeout=httpx.Timeout(30, connect=10))
    directory = EntraRights(http, credential, settings.graph_url, scope=GRAPH_SCOPE, pause_seconds=pause_seconds)
    tokens = OwnTokens(credential, {Api.GRAPH: GRAPH_SCOPE})
    return Rights(settings, directory, tokens, _closing=(http.aclose, credential.close))
