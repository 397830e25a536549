"""The adapters of Azure Storage. Each is imported at its first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.settings import Settings

if TYPE_CHECKING:
    from bypass_responder import ports
    from bypass_responder.adapters.limit_table import TableHourlyLimit
    from bypass_responder.adapters.storage_clients import StorageClients


def index(storage: StorageClients, tenant: str) -> ports.Index:
    from bypass_responder.adapters.index_table import TableIndex

    return TableIndex(storage.tables, tenant)


def ledger(storage: StorageClients, tenant: str) -> ports.Ledger:
    from bypass_responder.adapters.ledger_table import TableLedger

    return TableLedger(storage.tables, tenant)


def work(storage: StorageClients, tenant: str) -> ports.WorkList:
    from bypass_responder.adapters.work_table import TableWorkList

    return TableWorkList(storage.tables, tenant)


def limit(storage: StorageClients, tenant: str, purpose: str = "limit") -> TableHourlyLimit:
    from bypass_responder.adapters.limit_table import TableHourlyLimit

    return TableHourlyLimit(storage.tables, tenant, purpose=purpose)


def feed_store(storage: StorageClients, tenant: str) -> ports.FeedStore:
    from bypass_responder.adapters.feed_table import FeedTable

    return FeedTable(storage.tables, tenant_id=tenant)


def hunting_store(storage: StorageClients, tenant: str) -> ports.HuntingStore:
    from bypass_responder.adapters.hunting_table import HuntingTable

    return HuntingTable(storage.tables, tenant)


def allowlist(storage: StorageClients, tenant: str) -> ports.Allowlist:
    from bypass_responder.adapters.allowlist_table import TableAllowlist

    return TableAllowlist(storage.tables, tenant)


def allowlist_snapshot(storage: StorageClients, tenant: str) -> ports.AllowlistSnapshot:
    from bypass_responder.adapters.allowlist_snapshot import BlobAllowlistSnapshot

    return BlobAllowlistSnapshot(storage.blobs, tenant)


def checkpoints(storage: StorageClients, tenant: str) -> ports.Checkpoints:
    from bypass_responder.adapters.checkpoint_store import CheckpointStore

    return CheckpointStore(storage.tables, storage.blobs, tenant)


def evidence(storage: StorageClients, tenant: str) -> ports.EvidenceStore:
    from bypass_responder.adapters.evidence_blob import BlobEvidenceStore

    return BlobEvidenceStore(storage.blobs, tenant)


def gathered(storage: StorageClients, tenant: str) -> ports.GatheredEvidence:
    from bypass_responder.adapters.gathered_table import TableGatheredEvidence

    return TableGatheredEvidence(storage.tables, storage.blobs, tenant)


def sweeps(storage: StorageClients, tenant: str) -> ports.SweepStore:
    from bypass_responder.adapters.sweep_store import SweepStore

    return SweepStore(storage.tables, storage.blobs, tenant)


def posture(storage: StorageClients, tenant: str) -> ports.PostureReads:
    from bypass_responder.adapters.posture_table import PostureTable

    return PostureTable(storage.tables, tenant)


def permissions(storage: StorageClients, tenant: str) -> ports.Permissions:
    from bypass_responder.adapters.permission_table import PermissionTable

    return PermissionTable(storage.tables, tenant)


def access(storage: StorageClients, tenant: str) -> ports.MailboxAccesses:
    from bypass_responder.adapters.access_table import AccessTable

    return AccessTable(storage.tables, tenant)


def posture_runs(storage: StorageClients, tenant: str) -> ports.PostureRuns:
    from bypass_responder.adapters.posture_run_table import PostureRunTable

    return PostureRunTable(storage.tables, tenant)


def plans(storage: StorageClients, tenant: str) -> ports.PlanStore:
    from bypass_responder.adapters.plan_store import StoragePlans

    return StoragePlans(storage.tables, storage.blobs, tenant)


def reads(storage: StorageClients, settings: Settings) -> ports.ExchangeReads:
    from bypass_responder.adapters.exchange_reads import StorageExchangeReads

    return StorageExchangeReads(
        storage.tables, storage.queues, storage.blobs, settings.tenant_id, queue=settings.exchange_reads_queue
    )


def exchange(storage: StorageClients, settings: Settings) -> ports.ExchangeQueue:
    from bypass_responder.adapters.exchange_queue import StorageExchangeQueue

    return StorageExchangeQueue(
        storage.queues,
        commands=settings.exchange_commands_queue,
        checks=settings.exchange_checks_queue,
        sweeps=settings.exchange_sweeps_queue,
        drained=(queue for queue in settings.queues if queue not in settings.decision_queues),
    )


def decisions(storage: StorageClients, settings: Settings) -> ports.DecisionQueue:
    from bypass_responder.adapters.decision_queue import StorageDecisionQueue

    return StorageDecisionQueue(
        storage.queues, queue=settings.decisions_queue, console=settings.decisions_console_queue
    )


def inspections(storage: StorageClients, tenant: str) -> ports.Inspections:
    from bypass_responder.adapters.inspection_table import TableInspections

    return TableInspections(storage.tables, tenant)


def outbox(storage: StorageClients, tenant: str) -> ports.Outbox:
    from bypass_responder.adapters.outbox_table import TableOutbox

    return TableOutbox(storage.tables, tenant)


def sender(storage: StorageClients, settings: Settings) -> ports.SenderQueue:
    from bypass_responder.adapters.outbox_table import StorageSenderQueue

    return StorageSenderQueue(storage.queues, queue=settings.notifications_queue)
