"""Everything that a workflow needs from the world."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bypass_responder.bounded import Remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bypass_responder import ports
    from bypass_responder.model.account import MalformedEntry
    from bypass_responder.settings import Settings


@dataclass
class WorkerHealth:
    """What this process knows of the alerts about the Exchange worker."""

    well_until: datetime | None = None
    """Set after a read of the tenant's case that found none: until then, a normal answer needs no other read."""


@dataclass
class Misspelled:
    """The misspelled rows of the allowlist, as this process read them last.

    One of them may mean any account.
    """

    at: float = -math.inf
    """When that read began, in seconds on the clock of the event loop."""
    rows: list[MalformedEntry] = field(default_factory=list)


@dataclass(frozen=True)
class Services:
    """The ports, the settings, the clock and the source of random ids."""

    settings: Settings
    clock: ports.Clock
    new_id: Callable[[], str]
    directory: ports.Directory
    allowlist: ports.Allowlist
    allowlist_snapshot: ports.AllowlistSnapshot
    ledger: ports.Ledger
    work: ports.WorkList
    limit: ports.Slots
    """Of blocks, by account."""
    hint_checks: ports.HourlyLimit
    """Of questions to Exchange that alerts caused."""
    index: ports.Index
    checkpoints: ports.Checkpoints
    exchange: ports.ExchangeQueue
    decisions: ports.DecisionQueue
    inspections: ports.Inspections
    evidence: ports.EvidenceStore
    gathered: ports.GatheredEvidence
    sources: Mapping[str, ports.EvidenceSource]
    """Where evidence is, by the names of ``evidence.sources``."""
    sweeps: ports.SweepStore
    reads: ports.ExchangeReads
    posture: ports.PostureReads
    posture_runs: ports.PostureRuns
    plans: ports.PlanStore
    feed: ports.AuditFeed
    feed_store: ports.FeedStore
    hunting: ports.Hunting
    hunting_store: ports.HuntingStore
    permissions: ports.Permissions
    access: ports.MailboxAccesses
    outbox: ports.Outbox
    sender: ports.SenderQueue
    receivers: Mapping[str, ports.Notifier]
    """The channels to people, by name. Without one no notification is sent."""
    done: Remembered = field(default_factory=Remembered)
    """What this process has stored or reported for good, so that it asks storage nothing about a copy of it."""
    worker: WorkerHealth = field(default_factory=WorkerHealth)
    misspelled: Misspelled = field(default_factory=Misspelled)
