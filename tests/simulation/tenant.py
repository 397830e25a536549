"""What is true in the tenant, and when it changed.

The tenant has Entra's accounts, with stale replicas, and Exchange's switches.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from bypass_responder.errors import FeedError, NotFoundError, PermissionMissingError, ThrottledError, TransientError
from bypass_responder.model.account import Account
from bypass_responder.model.allowlist import Snapshot
from bypass_responder.model.base import Row
from bypass_responder.model.case import Case
from bypass_responder.model.change import Actor, AuditTampering, Outcome
from bypass_responder.model.exchange_read import ReadCommand, ReadKind, ReadOutcome, ReadResult
from bypass_responder.model.feed import ContentBlob, Window
from bypass_responder.model.log import LogEntry
from bypass_responder.model.question import Answer, Empty, Found, Item, Pending, Question, Unavailable
from bypass_responder.model.step import Control, StepKind
from bypass_responder.model.technique import Technique
from bypass_responder.ports import Directory
from tests.case.test_right_holders import MANAGEMENT, OWN, an_answer
from tests.fakes import FakeAllowlistSnapshot, FakeDirectory, FakeLedger, FakeLimit
from tests.fakes.feed import FakeAuditFeed
from tests.fakes.hunting import FakeHunting

REPLICATION = timedelta(minutes=5)
WORKS_FIRST = 0.3
"""The share of the questions that a source works on before it answers."""
MISSED_READ = 0.05
"""The share of the reads of a stale replica that do not find the account."""


@dataclass(frozen=True)
class Change:
    """One change of the tenant. ``by``: responder, person, attacker or worker."""

    at: datetime
    account: str
    what: str
    by: str


@dataclass(frozen=True)
class Call:
    """A call of the responder that changed an account: from before its gate until its answer."""

    account: str
    what: str
    began: datetime
    ended: datetime


class WatchedDirectory:
    """The directory as one host calls it. Every call that changes an account and succeeds is remembered."""

    def __init__(self, directory: Directory, calls: list[Call], clock: Callable[[], datetime]) -> None:
        self.find, self.is_administrator = directory.find, directory.is_administrator
        self._directory = directory
        self._calls = calls
        self._clock = clock

    async def set_sign_in(self, object_id: str, *, enabled: bool) -> None:
        began = self._clock()
        await self._directory.set_sign_in(object_id, enabled=enabled)
        self._calls.append(Call(object_id, "enabled" if enabled else "disabled", began, self._clock()))

    async def revoke_sessions(self, object_id: str) -> None:
        began = self._clock()
        await self._directory.revoke_sessions(object_id)
        self._calls.append(Call(object_id, "revoked", began, self._clock()))


class TimedLedger(FakeLedger):
    """The ledger, with the true time at which each log entry was stored.

    The host's clock may say otherwise. ``overtaken``: the accounts and controls of which a claim was replaced in force.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.stored_at: dict[tuple[str, int], datetime] = {}
        self.overtaken: list[tuple[str, StepKind]] = []
        self._clock = clock

    async def commit(
        self,
        case: Case,
        rows: Sequence[Row],
        entries: Sequence[LogEntry],
        places: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Case:
        after = await super().commit(case, rows, entries, places)
        self.stored_at |= {(case.target, entry.seq): self._clock() for entry in entries}
        self.overtaken += [
            (case.target, row.control) for row in rows if isinstance(row, Control) and _overtakes(row, case, entries)
        ]
        return after


def _overtakes(claim: Control, case: Case, entries: Sequence[LogEntry]) -> bool:
    """Return True when this claim replaces another one that is in force by the claiming host's clock."""
    before = case.control(claim.control)
    claimed = [entry.at for entry in entries if entry.event == "claimed"]
    if not claimed or claim.token is None or before.token in {None, claim.token} or before.lease_until is None:
        return False
    return max(claimed) < before.lease_until


class TimedSnapshot(FakeAllowlistSnapshot):
    """``compared_at`` is the id of each allowlist row → the first time that a finished comparison knew the row."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.compared_at: dict[str, datetime] = {}
        self._clock = clock

    async def replace(self, snapshot: Snapshot) -> str:
        etag = await super().replace(snapshot)
        self.compared_at = dict.fromkeys(filter(snapshot.rows.get, snapshot.rows), self._clock()) | self.compared_at
        return etag


class TenantDirectory(FakeDirectory):
    """Entra ID: a read may come from a replica that does not know the last five minutes."""

    def __init__(self, *accounts: Account, clock: Callable[[], datetime], rng: random.Random) -> None:
        super().__init__(*accounts, clock=clock)
        self.changes: list[Change] = []
        self.stale = 0.0
        self.throttled = 0.0
        self.refuses = 0
        """A number of the next blocks find no account."""
        self.down_until = datetime.min.replace(tzinfo=clock().tzinfo)
        self._rng = rng
        self._before: dict[str, tuple[datetime, Account]] = {}

    def change(self, object_id: str, **fields: object) -> None:
        self._before[object_id] = (self._clock(), self.accounts[object_id])
        super().change(object_id, **fields)

    def note(self, account: str, what: str, by: str) -> None:
        """Remember who changed what."""
        self.changes.append(Change(self._clock(), account, what, by))

    def delete(self, object_id: str) -> None:
        """Delete an account, softly."""
        del self.accounts[object_id]
        self.note(object_id, "deleted", "person")

    def restore(self, account: Account) -> None:
        """Restore a deleted account."""
        self.accounts[account.object_id] = account
        self.note(account.object_id, "restored", "person")

    async def find(self, name: str) -> Account | None:
        self._may_fail()
        found = await super().find(name)
        if found is None or self._rng.random() >= self.stale:
            return found
        if self._rng.random() < MISSED_READ:
            return None
        at, before = self._before.get(found.object_id, (self._clock() - REPLICATION, found))
        return before if self._clock() - at < REPLICATION else found

    async def set_sign_in(self, object_id: str, *, enabled: bool) -> None:
        self._may_fail(writes=True)
        if self.refuses and not enabled:
            self.refuses -= 1
            raise NotFoundError("a stale replica does not know the account")
        await super().set_sign_in(object_id, enabled=enabled)
        self.note(object_id, "enabled" if enabled else "disabled", "responder")

    async def revoke_sessions(self, object_id: str) -> None:
        self._may_fail(writes=True)
        await super().revoke_sessions(object_id)
        self.note(object_id, "revoked", "responder")

    def _may_fail(self, *, writes: bool = False) -> None:
        if self._clock() < self.down_until:
            raise TransientError("503 from Graph")
        if self._rng.random() < self.throttled:
            raise ThrottledError("429 from Graph", retry_after_seconds=self._rng.choice((1, 10, 60, 200)))
        if writes and self._rng.random() < self.stale * MISSED_READ:
            raise NotFoundError("a stale replica does not know the account")


class Feed(FakeAuditFeed):
    """The audit feed: it lists nothing without a subscription."""

    async def list_content(self, window: Window) -> AsyncIterator[ContentBlob]:
        if self.status != "enabled":
            raise FeedError("AF20022", "no subscription was found")
        async for blob in super().list_content(window):
            yield blob


class Hunting(FakeHunting):
    """Advanced hunting, which not every tenant lets the responder read."""

    def __init__(self, clock: Callable[[], datetime], rng: random.Random, *, allowed: bool) -> None:
        super().__init__(clock=clock)
        self.throttled = 0.0
        self._rng, self._allowed = rng, allowed

    async def run(self, query: str, timespan: Window) -> Sequence[Mapping[str, Any]]:
        if not self._allowed:
            raise PermissionMissingError("403 from Graph.", permission="ThreatHunting.Read.All")
        if self._rng.random() < self.throttled:
            raise ThrottledError("429 from Graph", retry_after_seconds=self._rng.choice((60, 900)))
        return await super().run(query, timespan)


class Limit(FakeLimit):
    """The hourly limit: it remembers who took a slot when."""

    def __init__(self, taken: list[tuple[datetime, str]]) -> None:
        super().__init__()
        self._taken = taken

    async def take(self, key: str, *, limit: int, now: datetime) -> bool:
        has_one = await super().take(key, limit=limit, now=now)
        if key in self.slots:
            self._taken.append((now, key))
        return has_one

    async def give_back(self, key: str) -> None:
        since = self.slots.get(key)
        await super().give_back(key)
        if since is not None:
            self._taken[:] = [(at, each) for at, each in self._taken if each != key or at < since]


class TraceSource:
    """A source of evidence with answers of every kind.

    ``odd``: how often it hangs, throttles, fails, or has another shape than expected.
    """

    def __init__(self, rng: random.Random) -> None:
        self.odd = 0.0
        self._rng = rng

    async def ask(self, question: Question, memo: str | None) -> Answer:
        if self._rng.random() < self.odd:
            await self._fail()
        if memo is None and self._rng.random() < WORKS_FIRST:
            return Pending(memo=question.account.key, after=timedelta(minutes=self._rng.choice((1, 20))))
        item = Item(at=question.dark_from, what="sign-in", notable=self._rng.choice((None, "new country: BR")))
        found = Found(count=1, items=(item,), raw=({"Subject": "secret"},))
        return self._rng.choice((Empty(), found, Unavailable(reason="no license", fix="a license")))

    async def _fail(self) -> None:
        match self._rng.choice(("hangs", "throttles", "fails", "breaks")):
            case "hangs":
                await asyncio.sleep(3600)
            case "throttles":
                raise ThrottledError("429", retry_after_seconds=self._rng.choice((1, 60, 7200)))
            case "fails":
                raise TransientError("not JSON")
            case _:
                raise KeyError("value")


class Exchange:
    """The bypass of each account, and who changed it when.

    ``stale``: how often a read misses the changes of the last five minutes.
    """

    def __init__(self, clock: Callable[[], datetime], rng: random.Random) -> None:
        self.bypassed: dict[str, bool] = {}
        self.names: dict[str, str] = {}
        self.changes: list[Change] = []
        self.stale = 0.0
        self._clock, self._rng = clock, rng

    def switch(self, account: str, *, on: bool, by: str) -> None:
        """Change the bypass of an account."""
        self.bypassed[account] = on
        self.changes.append(Change(self._clock(), account, "on" if on else "off", by))

    def read(self, account: str) -> bool:
        """The bypass, as one of Exchange's servers knows it."""
        last = next((change for change in reversed(self.changes) if change.account == account), None)
        if last and self._clock() - last.at < REPLICATION and self._rng.random() < self.stale:
            before = [change for change in self.changes if change.account == account][:-1]
            return bool(before) and before[-1].what == "on"
        return self.bypassed.get(account, False)


def a_changed_mailbox(now: datetime) -> AuditTampering:
    """Somebody takes an action out of the list of a mailbox."""
    return AuditTampering(
        record_id="changed-mailbox",
        occurred_at=now - timedelta(minutes=5),
        technique=Technique.ACTION_LIST,
        operation="Set-Mailbox",
        parameter="AuditOwner",
        value="-Update",
        target="alex",
        extent="AuditOwner without Update",
        weakens=True,
        outcome=Outcome.SUCCESS,
        organization_id="",
        actor=Actor(user_id="mallory@contoso.onmicrosoft.com"),
        raw="{}",
    )


def an_exchange_read(command: ReadCommand, now: datetime) -> tuple[ReadResult, bytes]:
    """The answer to a question that may take minutes: a healthy organization, and no mailboxes."""
    is_organization = command.kind is ReadKind.ORGANIZATION
    lines = gzip.compress(an_answer(OWN, MANAGEMENT).model_dump_json().encode() if is_organization else b"", mtime=0)
    answer = ReadResult(
        command_id=command.command_id,
        kind=command.kind,
        tenant_id=command.tenant_id,
        outcome=ReadOutcome.READ,
        started_at=now,
        complete=True,
        blob=f"{command.command_id}.jsonl.gz",
        sha256=hashlib.sha256(lines).hexdigest(),
    )
    return answer, lines
