"""What is true in the stand-in tenant, who changed it, and what a reader may see of it already."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from sandbox.tenant.account import Account, default_accounts
from sandbox.tenant.exchange_roles import Roles
from sandbox.tenant.faults import Faults
from sandbox.tenant.feed import Blob, Feed
from sandbox.tenant.hunting_rows import HuntingRow, rows_of
from sandbox.tenant.identity import Identity, default_identities
from sandbox.tenant.logs.audit_queries import AuditQueries
from sandbox.tenant.logs.traces import Traces
from sandbox.tenant.settings import Settings
from sandbox.tenant.topic import Topic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)


class Change(BaseModel):
    """One journal entry: who changed which field of which account."""

    at: datetime
    by: str
    object_id: str
    field: str
    before: Any
    after: Any


@dataclass
class Tenant:
    """The whole state of the stand-in tenant.

    Every change of an account goes through ``change``, so the journal proves who was touched.
    """

    settings: Settings = field(default_factory=Settings)
    clock: Callable[[], datetime] = utc_now
    faults: Faults = field(default_factory=Faults)
    feed: Feed = field(default_factory=Feed)
    topic: Topic = field(default_factory=Topic)
    traces: Traces = field(default_factory=Traces)
    """What accounts left in the logs of Microsoft 365, for the evidence of an incident."""
    audit_queries: AuditQueries = field(default_factory=AuditQueries)
    hunting: list[HuntingRow] = field(default_factory=list)
    """What the tables of advanced hunting hold."""
    journal: list[Change] = field(default_factory=list)
    counters: Counter[str] = field(default_factory=Counter)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    identities: dict[str, Identity] = field(default_factory=default_identities)
    """By the secret of the identity endpoint's header: one per app, as App Service has it."""
    granted_at: dict[tuple[str, str], str] = field(default_factory=dict)
    """By object id and permission: when it was given, where that was not before the beginning."""
    roles: Roles = field(default_factory=Roles)
    """Of Exchange."""
    directory_roles: list[dict[str, str]] = field(default_factory=list)
    missing_applications: set[str] = field(default_factory=set)
    """Microsoft services, by resource, that have no service principal in this tenant."""
    accounts: dict[str, Account] = field(
        default_factory=lambda: {account.object_id: account for account in default_accounts()}
    )
    _shown: dict[tuple[str, str], tuple[datetime, datetime, Any]] = field(default_factory=dict)

    def add(self, accounts: Iterable[Account]) -> None:
        """Add or replace accounts. Setting the stage is not a change and is not in the journal."""
        for account in accounts:
            self.accounts[account.object_id] = account
            self._shown = {key: shown for key, shown in self._shown.items() if key[0] != account.object_id}

    def find(self, name: str) -> Account | None:
        """The account with this object id or user principal name that is not deleted, as Graph finds it."""
        wanted = name.casefold()
        for account in self.accounts.values():
            if not account.deleted and wanted in {account.object_id, account.user_principal_name.casefold()}:
                return account
        return None

    def change(self, account: Account, name: str, value: object, *, by: str, delay_seconds: float = 0) -> None:
        """Set a field, write the journal, and go on showing the value shown so far for ``delay_seconds``."""
        now = self.clock()
        before = getattr(account, name)
        shown = self.read(account, name)
        self._shown[account.object_id, name] = (
            now + timedelta(seconds=delay_seconds),
            now + timedelta(seconds=max(delay_seconds, self.settings.stale_seconds)),
            shown,
        )
        setattr(account, name, value)
        self.journal.append(
            Change(at=now, by=by, object_id=account.object_id, field=name, before=before, after=getattr(account, name))
        )

    def read(self, account: Account, name: str, *, stale: bool = False) -> Any:  # noqa: ANN401 - any field of the model
        """Return the field as a reader sees it, which may be the old value.

        The old value is seen while a change replicates, or when a stale server answers.
        """
        value = getattr(account, name)
        replicated_at, forgotten_at, old = self._shown.get((account.object_id, name), (None, None, value))
        if replicated_at is None or forgotten_at is None:
            return value
        return old if self.clock() < (forgotten_at if stale else replicated_at) else value

    def synchronize(self, *, now: bool = False) -> None:
        """Run what Entra Connect does: enable directory-synced accounts again.

        Only accounts that were disabled here long enough ago are enabled.
        """
        for account in self.accounts.values():
            if not account.on_premises_sync_enabled or account.account_enabled or account.deleted:
                continue
            blocked = [c.at for c in self.journal if c.object_id == account.object_id and c.field == "account_enabled"]
            due = self.settings.sync_cycle_seconds
            if blocked and (now or (due and self.clock() >= blocked[-1] + timedelta(seconds=due))):
                self.change(account, "account_enabled", value=True, by="Entra Connect")

    def deliver(
        self,
        records: Sequence[object] | bytes,
        *,
        delay_seconds: float = 0,
        copies: int = 1,
        age_seconds: float = 0,
        hunting_delay_seconds: float | None = None,
    ) -> list[Blob]:
        """Publish records (or raw bytes) as one blob, ``copies`` times, and whatever the faults make of it.

        ``age_seconds`` puts contentCreated into the past: a blob that is listed late. The records appear in advanced
        hunting as well, with a separate delay. Nothing is published while the ingestion of the unified audit log is
        switched off.
        """
        if not self.settings.unified_audit_log_ingestion_enabled:
            return []
        late = self.settings.hunting_delay_seconds if hunting_delay_seconds is None else hunting_delay_seconds
        self.hunting += rows_of(records, visible_at=self.clock() + timedelta(seconds=late))
        body = records if isinstance(records, bytes) else json.dumps(list(records)).encode()
        published = self.clock() + timedelta(seconds=delay_seconds)
        created = published - timedelta(seconds=age_seconds)
        visible_at = published + timedelta(seconds=self.faults.lateness_seconds())
        times = copies + self.faults.happens("duplicate_blob", "feed.publish")
        return [
            self.feed.publish(body, created=created, published=published, visible_at=visible_at) for _ in range(times)
        ]

    def as_json(self) -> dict[str, Any]:
        """Everything that a proof needs: the true state of every account, the journal, the counters."""
        return {
            "tenant_id": self.settings.tenant_id,
            "settings": self.settings.model_dump(mode="json"),
            "accounts": [account.model_dump(mode="json") for account in self.accounts.values()],
            "journal": [change.model_dump(mode="json") for change in self.journal],
            "counters": dict(self.counters),
            "subscriptions": {name: vars(subscription) for name, subscription in self.feed.subscriptions.items()},
            "blobs": [blob.content_id for blob in self.feed.blobs.values()],
            "notifications": len(self.notifications),
            "events": self.topic.counts(),
            "dead_letters": list(self.topic.dead_letters),
        }
