"""The ports of the core, each as small as its callers need. ``bootstrap`` supplies the adapters.

Every method may raise ``TransientError`` (nothing happened, or it is not known: ask again), and nothing of an SDK.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bypass_responder.errors import ResponderError
    from bypass_responder.model.account import Account, AllowlistEntry, MalformedEntry
    from bypass_responder.model.allowlist import Snapshot
    from bypass_responder.model.base import Row
    from bypass_responder.model.case import Case, Head
    from bypass_responder.model.decision_message import Channel, DecisionMessage
    from bypass_responder.model.exchange_read import ReadCommand, ReadKind, ReadResult
    from bypass_responder.model.feed import ContentBlob, FeedCursor, FeedGap, PendingBlob, Window
    from bypass_responder.model.finding import Evidence, Finding
    from bypass_responder.model.gathered import EvidencePlan, Inquiry
    from bypass_responder.model.hunting import Arrival, HuntingState
    from bypass_responder.model.incident_status import IncidentStatus
    from bypass_responder.model.inspection import Inspection
    from bypass_responder.model.listing import IndexEntry, IndexFilter, IndexPage
    from bypass_responder.model.log import Checkpoint, LogEntry, TornLine
    from bypass_responder.model.mailbox_access import AccessDay, AccessFilter, AccessState, MailboxAccess
    from bypass_responder.model.message import ExchangeCommand
    from bypass_responder.model.notification import Notification
    from bypass_responder.model.permission_change import Deferred, PermissionChange
    from bypass_responder.model.plan_run import MailboxChange
    from bypass_responder.model.question import Answer, Question
    from bypass_responder.model.record import Unreadable
    from bypass_responder.model.sweep import Baseline, SweepCommand
    from bypass_responder.model.technique import Technique
    from bypass_responder.posture.run import PostureRun
    from bypass_responder.posture.stored import PostureRead


class Clock(Protocol):
    """Returns the time, in UTC."""

    def __call__(self) -> datetime:
        """Now."""


class Directory(Protocol):
    """Accounts in Entra ID.

    Permissions: User.Read.All, User.EnableDisableAccount.All, User.RevokeSessions.All.
    """

    async def find(self, name: str) -> Account | None:
        """The account with this object id or user principal name, None when there is none."""

    async def is_administrator(self, name: str) -> bool:
        """True when the account with this object id or user principal name holds an Entra role now."""

    async def set_sign_in(self, object_id: str, *, enabled: bool) -> None:
        """Block or restore sign-in.

        Raises NotFoundError, PermissionMissingError (an administrator), RefusedError.
        """

    async def revoke_sessions(self, object_id: str) -> None:
        """Invalidate refresh tokens and session cookies. Raises NotFoundError, PermissionMissingError."""


class Allowlist(Protocol):
    """The accounts that may be bypassed."""

    async def get(self, object_id: str) -> AllowlistEntry | MalformedEntry | None:
        """The row under exactly this key, None when there is none. A storage error is neither."""

    async def misspelled(self) -> list[MalformedEntry]:
        """Rows whose keys are not as ``get`` reads them, in the whole table; without the time of their edit.

        Those under another tenant's id are among them: an object id belongs to one tenant only. After
        ``MOST_MISSPELLED`` others, or ``MOST_READ`` rows (``model.account``), ``UNREAD`` stands for the rest: however
        many rows there are that mean nothing, they delay no decision.
        """

    async def put(self, entry: AllowlistEntry, *, replaces: str | None = None) -> None:
        """Add an entry, or replace the row that has the ETag ``replaces``; the service stamps ``edited_at``.

        Raises ConflictError when there is another row by now.
        """

    async def put_all(self, entries: Sequence[tuple[AllowlistEntry, str | None]]) -> None:
        """Put up to 100 entries, each with the ETag that it replaces, in one transaction: all, or none.

        Raises ConflictError when one of the rows is another by now.
        """

    async def remove(self, object_id: str, *, replaces: str) -> None:
        """Delete the row that has the ETag ``replaces``. Raises ConflictError when there is another by now."""

    def entries(self) -> AsyncIterator[AllowlistEntry | MalformedEntry]:
        """Every row."""


class AllowlistSnapshot(Protocol):
    """The allowlist as the last run read it."""

    async def read(self) -> Snapshot | None:
        """None before the first run. A damaged one is empty: each row is then compared with its case."""

    async def replace(self, snapshot: Snapshot) -> str:
        """Store it in place of the one with its etag. Returns the new etag.

        Raises ConflictError when there is another snapshot by now.
        """


class Ledger(Protocol):
    """Cases and their response log, one partition per target."""

    async def load(self, target: str, *, history: bool = False) -> Case:
        """What the responder still has to do with a target; with ``history`` every row but the log.

        An empty case when there is none. Raises InputError on a corrupt row.
        """

    async def head(self, target: str) -> Head:
        """The head alone, a fresh one when there is none."""

    async def episodes(self, target: str, since: datetime) -> Case:
        """Return the first incidents of the history that ended at or after ``since``, with their rows."""

    async def records(self, target: str, limit: int) -> Case:
        """Up to ``limit`` findings that decide nothing and are not recorded yet."""

    async def alone(self, target: str, since: datetime, *, after: str = "", limit: int) -> Case:
        """Return up to ``limit`` decided findings without an incident, from ``since`` and after ``after``."""

    async def findings(self, target: str, incident_id: str, since: datetime, *, after: str = "", limit: int) -> Case:
        """Return up to ``limit`` archived findings of an incident, later than ``since``, from key ``after``."""

    async def tampering(
        self,
        target: str,
        *,
        since: datetime,
        until: datetime,
        limit: int,
        techniques: Collection[Technique] = (),
        by: Collection[str] = (),
        to: Collection[str] = (),
    ) -> Case:
        """Return up to ``limit`` changes of tampering between two moments, both included, the newest first.

        ``techniques``: only of these, however many others there are; empty: of all. ``by``, ``to``: only those of an
        actor, or to an object, with one of these names without case; both empty: of anyone.
        """

    async def sent(self, target: str, before: datetime, limit: int) -> Case:
        """Up to ``limit`` notifications of the history that were delivered before a moment."""

    async def plan_runs(self, target: str, limit: int) -> Case:
        """Up to ``limit`` earlier runs of plans, the newest first."""

    async def unsent(self, target: str, limit: int) -> Case:
        """Up to ``limit`` notifications of the history that are not delivered, oldest first."""

    async def commit(
        self,
        case: Case,
        rows: Sequence[Row],
        entries: Sequence[LogEntry],
        places: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Case:
        """Write rows, the head among them, and log entries in one transaction, if the case's etag holds.

        ``places``, by row key: where a row goes that leaves the loaded ones, an empty text for one that returns to
        them, None for one that is deleted. Returns the case as stored. Raises ConflictError when it was changed
        meanwhile.
        """

    async def add_finding(self, finding: Finding) -> bool:
        """Insert a finding; False when a finding with this id was ever added. Touches neither head nor log.

        One that decides nothing replaces the row ``Unrecorded``. A commit that deletes that row, when it was replaced
        since the case was read, raises ConflictError.
        """

    async def finding(self, target: str, finding_id: str) -> Finding | None:
        """Return a finding as it was added; None when none with this id was."""

    def log(self, target: str) -> AsyncIterator[LogEntry]:
        """The target's log in order, as stored (not verified).

        Raises InputError on a row that cannot be read.
        """

    async def targets(self) -> set[str]:
        """Every target that has a partition. Reads keys only; for verification, not for daily work."""


@dataclass(frozen=True)
class WorkItem:
    """A target with something left to do. ``due_at`` None: nothing but the next checkpoint."""

    target: str
    due_at: datetime | None
    changed: bool
    """True: its log grew since the last checkpoint."""
    etag: str
    head: tuple[int, str] | None = None
    """Number and hash of the last log entry, as the run knew it that finished last; None: only the ledger knows."""


@dataclass(frozen=True)
class Finished:
    """A work item after a run: when the target is next due, and the end of its log as the run left it."""

    item: WorkItem
    due_at: datetime | None
    head: tuple[int, str]


class WorkList(Protocol):
    """All that ``resume_responses`` has to read."""

    async def touch(self, target: str, due_at: datetime) -> WorkItem:
        """Say, before a transaction, that the target has work and a changed log."""

    async def touch_all(self, due: Mapping[str, datetime]) -> list[WorkItem]:
        """Mark many targets, in few calls. ``due``: target → since when it is due."""

    async def finish(self, item: WorkItem, due_at: datetime | None) -> None:
        """Say, after it, when the target is next due.

        When the item changed meanwhile, ``due_at`` may still bring it forward, and never puts it off.
        """

    async def finish_all(self, finished: Sequence[Finished]) -> list[ResponderError]:
        """The same for many targets, in few calls, with the ends of their logs.

        Returns what could not be finished.
        An item that changed meanwhile loses its ``head``: another run may have extended the log.
        """

    async def checkpointed(self, items: Sequence[WorkItem]) -> None:
        """Clear ``changed``; delete items with nothing due. No effect on an item that has changed."""

    async def items(self) -> list[WorkItem]:
        """Every item."""


class HourlyLimit(Protocol):
    """How often something may happen within an hour."""

    async def take(self, key: str, *, limit: int, now: datetime) -> bool:
        """Take a slot, exactly, also under concurrency; True again for a key that has one."""


class Slots(HourlyLimit, Protocol):
    """An hourly limit whose slots can be returned."""

    async def give_back(self, key: str) -> None:
        """Free the slot of this key, if it has one."""


class SweepStore(Protocol):
    """The lists of the sweeps, and who was on at the last complete one."""

    async def content(self, blob: str) -> bytes:
        """The bytes of a list. Raises NotFoundError, or InputError when it is too large."""

    async def baseline(self) -> Baseline | None:
        """The last complete sweep, None before the first. Raises InputError when it cannot be read."""

    async def replace_baseline(self, baseline: Baseline) -> None:
        """Store it in place of the one with its etag. Raises ConflictError when there is another by now."""


class Index(Protocol):
    """The listing of cases."""

    async def put(self, entries: Sequence[IndexEntry], *, was: Mapping[str, str] = MappingProxyType({})) -> None:
        """Add or replace entries; the time of an entry never changes.

        ``was``, by id: the status that the index has, empty for an entry that it does not have. An incident that is
        left out is read first.
        """

    async def get(self, entry_id: str) -> IndexEntry | None:
        """The entry with this id, or the only one that ``matching`` returns; None when there is none."""

    async def matching(self, text: str, limit: int) -> list[str]:
        """Up to ``limit`` ids that begin with the text, or in which it begins what follows the date."""

    async def page(self, wanted: IndexFilter, *, after: str = "", limit: int) -> IndexPage:
        """Up to ``limit`` entries, newest first unless ``wanted`` has another order.

        Raises InputError on ``after``.
        """

    async def count(self, wanted: IndexFilter, most: int) -> int | None:
        """How many entries there are; None when they are more than ``most``. Without a search for persons."""

    def newest(
        self, *, kinds: Sequence[str] | None = None, statuses: Sequence[IncidentStatus] = ()
    ) -> AsyncIterator[IndexEntry]:
        """Entries, newest first; stop when you have enough."""


class Checkpoints(Protocol):
    """The chain of checkpoints, in one append blob a day."""

    async def last(self) -> Checkpoint | None:
        """The newest one."""

    async def append(self, checkpoint: Checkpoint) -> None:
        """Store the next one. Raises ConflictError when its number does not follow the newest."""

    def all(self, since: date | None = None) -> AsyncIterator[Checkpoint | TornLine]:
        """Every checkpoint in order; with ``since`` from a few before that day on.

        Raises InputError when the newest that was seen is missing, or a blob is not the responder's.
        """


@dataclass(frozen=True)
class PoisonMessage:
    """A message that failed five times or could not be decoded; ``queue`` is its original queue."""

    text: str
    queue: str


class ExchangeQueue(Protocol):
    """The way to the Exchange worker."""

    async def send(self, command: ExchangeCommand | SweepCommand) -> None:
        """Put a command on the queue that its kind belongs to."""

    def drain_poison(self, limit: int) -> AsyncIterator[PoisonMessage]:
        """Up to ``limit`` poison messages, each deleted only when the caller comes back for the next one."""


@dataclass(frozen=True)
class StoredRead:
    """A question to the worker's function ExchangeReads; ``result`` is None until it is answered."""

    command: ReadCommand
    asked_at: datetime
    result: ReadResult | None = None
    answered_at: datetime | None = None
    sent_again: bool = False
    """True: it is on the queue twice, because the sender may have died before it was there."""


class PostureReads(Protocol):
    """The reads of all mailboxes that have ended. Their rows are those of ``ExchangeReads``."""

    async def newest(self, limit: int) -> list[PostureRead]:
        """Up to ``limit`` reads, the newest first. Raises InputError on a corrupt row."""

    async def keep(self, read: PostureRead) -> None:
        """Store a read, or replace the one with its id and time. Raises InputError when it is too large."""


class PostureRuns(Protocol):
    """The read of all mailboxes that is under way, or was the last."""

    async def current(self) -> PostureRun | None:
        """The read; None before the first. A corrupt row is one that ended long ago."""

    async def replace(self, run: PostureRun) -> PostureRun:
        """Write it over the version it was read as.

        Raises ConflictError, and InputError when it is too large.
        """


class PlanStore(Protocol):
    """The plans that people handed in, and what became of each mailbox: the undo entries."""

    async def save(self, sha256: str, plan: bytes) -> None:
        """Store the file of a plan under the hash that it names. One that is there stays as it is."""

    async def read(self, sha256: str) -> bytes:
        """Return the file. Raises NotFoundError, or InputError when it is too large."""

    async def put(self, run_id: str, change: MailboxChange) -> None:
        """Store what became of a mailbox. One without an outcome never replaces another."""

    async def changes(self, run_id: str, *, since: int = 0, limit: int) -> list[MailboxChange]:
        """Up to ``limit`` mailboxes of a run from a number on, in order. Raises InputError on a corrupt row."""


class ExchangeReads(Protocol):
    """Questions to the Exchange worker that may take minutes, and their answers.

    Nothing that acts waits for them.
    """

    async def ask(self, command: ReadCommand, now: datetime) -> None:
        """Remember a question, then put it on its queue. Asked again, it is sent again unless it is answered."""

    async def withdraw(self, command: ReadCommand, result: ReadResult, now: datetime) -> StoredRead:
        """Answer a question that was never asked, so that it is not sent any more. Returns it as stored.

        One that was asked, or has an answer, stays as it is.
        """

    async def find(self, command_id: str) -> StoredRead | None:
        """A question by its id, None when it was never asked, or was forgotten."""

    async def newest(self, kind: ReadKind, *, answered: bool = False) -> StoredRead | None:
        """The question of this kind that was asked last, of all or of those with an answer; None before the first."""

    async def record(self, result: ReadResult, now: datetime) -> bool:
        """Store an answer; False when no such question is outstanding. An answer counts once."""

    def lines(self, result: ReadResult) -> AsyncIterator[bytes]:
        """Yield the lines of the answer's blob, each a JSON object.

        Raises NotFoundError while the blob is not there, InputError when it is not the one that the answer names.
        """

    async def forget_before(self, moment: datetime) -> int:
        """Delete questions that were asked before a moment, except the newest of each kind; returns how many."""


@dataclass(frozen=True)
class PoisonDecision:
    """A decision that failed five times. ``receipt`` is the queue's own."""

    text: str
    channel: Channel
    receipt: object


class DecisionQueue(Protocol):
    """The queues that carry people's decisions to the responder. The queue of a decision is its channel."""

    async def send(self, message: DecisionMessage) -> None:
        """Put a decision on the queue of bypassctl."""

    async def take_poison(self, limit: int) -> list[PoisonDecision]:
        """Return up to ``limit`` decisions per channel that failed five times; hides them for five minutes."""

    async def finish(self, taken: PoisonDecision) -> None:
        """Delete one of these."""


class Inspections(Protocol):
    """The answers to questions about accounts, by the names under which people ask."""

    async def save(self, inspection: Inspection) -> None:
        """Store an answer under each of its names, in place of an earlier one."""

    async def of(self, name: str) -> Inspection | None:
        """Return the last answer about an object id or user principal name.

        Raises InputError on a corrupt one.
        """

    async def forget_before(self, moment: datetime) -> None:
        """Delete some of the answers from before a moment."""


class EvidenceStore(Protocol):
    """Where raw input goes."""

    async def keep(self, raw: str) -> Evidence:
        """Inline up to 32 KiB, else gzipped into a blob named by its hash."""


class EvidenceSource(Protocol):
    """One place where the traces of an account are. Reads only."""

    async def ask(self, question: Question, memo: str | None) -> Answer:
        """Return the answer, or Pending with a memo for the next ask. ``memo`` None: the first one.

        A missing permission, license or table is Unavailable or PermissionMissingError, never Empty. May be canceled
        at any await. The same question may be asked twice. Raises TransientError, which is retried, and RefusedError.
        """


class GatheredEvidence(Protocol):
    """The plans, questions and answers of the evidence run. Nothing that acts reads them."""

    async def plans(self, since: datetime) -> set[str]:
        """Return the ids of the incidents, opened at or after ``since``, that have a plan."""

    async def add(self, plan: EvidencePlan) -> bool:
        """Insert a plan; False when the incident has one."""

    async def due(self, now: datetime, limit: int) -> list[EvidencePlan]:
        """Up to ``limit`` plans that are due, those that have waited longest first."""

    async def save(self, plan: EvidencePlan) -> EvidencePlan:
        """Replace the plan with its etag. Raises ConflictError when there is another by now."""

    async def inquiries(self, incident_id: str) -> list[Inquiry]:
        """Every question of an incident, with its answer."""

    async def start(self, incident_id: str, inquiries: Sequence[Inquiry]) -> list[Inquiry]:
        """Insert questions, and leave those that are there as they are.

        Returns every question of the incident.
        """

    async def put(self, inquiry: Inquiry) -> Inquiry:
        """Replace the one with its etag. Raises ConflictError when there is another by now."""

    async def keep(self, incident_id: str, raw: bytes) -> Evidence:
        """Keep raw records of an incident as a blob, named by its hash."""

    async def forget(self, opened_before: datetime, limit: int) -> int:
        """Delete what was gathered for up to ``limit`` incidents opened before. Returns how many there were."""


class Notifier(Protocol):
    """One channel to people."""

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver one notification or a group as one message. Raises TransientError or RefusedError."""


@dataclass(frozen=True)
class OutboxItem:
    """A target with notifications for a receiver, due at a time."""

    receiver: str
    target: str
    due_at: datetime
    etag: str


@dataclass(frozen=True)
class Turn:
    """The right to deliver to a receiver. ``failures``: failed runs since its last accepted message."""

    receiver: str
    failures: int
    etag: str


class Outbox(Protocol):
    """For each receiver, the targets with undelivered notifications and the turn of the delivering run."""

    async def add(self, receiver: str, due: Mapping[str, datetime]) -> None:
        """Add targets, each with the time of its next delivery, or replace them."""

    async def due(self, receiver: str, now: datetime, limit: int) -> list[OutboxItem]:
        """Up to ``limit`` targets that are due."""

    async def finish(self, item: OutboxItem, due_at: datetime | None) -> None:
        """Set when the target is next due, or remove it. Does nothing when it was added again meanwhile."""

    async def waiting(self) -> int:
        """Return the number of targets with undelivered notifications, for any receiver."""

    async def take_turn(self, receiver: str, now: datetime, until: datetime) -> Turn | None:
        """Take the turn until a time; None while another run has it, or the receiver is left alone."""

    async def end_turn(self, turn: Turn, *, failures: int, until: datetime | None) -> None:
        """Return the turn. ``until``: pause the receiver. No effect when another run has taken it over."""


WAKE = "deliver"
"""The message that starts a delivery. It names nothing: the outbox holds what is due."""


class SenderQueue(Protocol):
    """Starts the run that delivers notifications."""

    async def wake(self) -> None:
        """Start it, soon."""


class AuditFeed(Protocol):
    """The Office 365 Management Activity API, content type Audit.Exchange. Permission: ActivityFeed.Read.

    Every method raises FeedError with the AF code where the service gives one.
    """

    async def subscription(self) -> str | None:
        """The listed status, such as ``enabled`` or ``disabled``; None when there is no subscription."""

    async def start_subscription(self) -> None:
        """Start the subscription, without a webhook."""

    def list_content(self, window: Window) -> AsyncIterator[ContentBlob]:
        """The blobs that became available within the window (at most 24 h), page by page."""

    def read(self, blob: ContentBlob) -> AsyncIterator[bytes]:
        """Yield the blob's bytes. Raises NotFoundError when it is gone (AF20050, AF20051, AF20052)."""


class FeedStore(Protocol):
    """The memory of the feed: cursor, blobs read, pending blobs, gaps, unreadable input."""

    async def cursor(self) -> FeedCursor | None:
        """The cursor, None before the first poll."""

    async def save_cursor(self, cursor: FeedCursor) -> FeedCursor:
        """Store it if its etag still holds (insert when None). Raises ConflictError."""

    async def blobs_read(self, window: Window) -> set[str]:
        """Content ids of the blobs created in the window that were read."""

    async def mark_read(self, blob: ContentBlob) -> None:
        """Remember that the blob was read, and forget that it was pending."""

    async def set_pending(self, pending: PendingBlob) -> None:
        """Remember a blob that could not be read."""

    async def pending(self) -> list[PendingBlob]:
        """Every pending blob."""

    async def add_gap(self, gap: FeedGap) -> None:
        """Record a gap, once per bounds, and forget the pending blob it names."""

    async def gaps(self) -> list[FeedGap]:
        """Every gap."""

    async def keep_unreadable(self, items: Iterable[Unreadable], *, received_at: datetime) -> int:
        """Keep what could not be read; returns how many were new (the same input is kept once)."""

    async def unreadable(self, limit: int) -> list[tuple[datetime, Unreadable]]:
        """The newest unreadable input with the time it came in."""

    async def forget_before(self, moment: datetime) -> int:
        """Delete the memory of blobs created before ``moment``; returns how many."""


class Permissions(Protocol):
    """Permissions that were granted and removed, for ``tampering.permissions.KEPT``."""

    async def note(self, changes: Sequence[PermissionChange]) -> None:
        """Remember changes, each once."""

    async def of(self, key: str, limit: int) -> list[PermissionChange]:
        """The newest ``limit`` changes of one mailbox, folder or role group (``PermissionChange.object``)."""

    async def defer(self, changes: Sequence[PermissionChange], at: datetime) -> None:
        """Keep changes until somebody has the time to note and compare them: one row for hundreds."""

    async def deferred(self, limit: int) -> list[Deferred]:
        """Up to ``limit`` of what was deferred, the oldest first."""

    async def drop_deferred(self, key: str) -> None:
        """Delete what was deferred under this key, if it is still there."""

    async def newest(self, since: datetime, limit: int) -> list[PermissionChange]:
        """Up to ``limit`` changes since a moment, the newest first."""

    async def forget_before(self, moment: datetime) -> int:
        """Delete the changes before a moment; returns how many."""


class MailboxAccesses(Protocol):
    """What others than the owner did in watched mailboxes, and which days were read.

    Kept for ``ACCESS_RETENTION_DAYS``.
    """

    async def state(self) -> AccessState:
        """The state as it was saved last, a fresh one before the first run."""

    async def save(self, state: AccessState) -> AccessState:
        """Store it if its etag still holds (insert when None). Raises ConflictError."""

    async def days(self, since: date) -> list[AccessDay]:
        """The days that were read, from this one on, the oldest first."""

    async def keep(self, day: AccessDay, rows: Sequence[MailboxAccess]) -> None:
        """Store the rows of a day, then the day. A row that is known is replaced."""

    async def known(self, pairs: Collection[str], before: date) -> set[str]:
        """Which pairs (``MailboxAccess.pair``) have a row of a day before this one."""

    async def newest(self, wanted: AccessFilter, limit: int) -> list[MailboxAccess]:
        """Up to ``limit`` rows, the newest day first."""

    async def forget_before(self, day: date) -> int:
        """Delete the rows of days before this one; returns how many."""


class Hunting(Protocol):
    """Advanced hunting of Microsoft Defender, through Graph. Permission: ThreatHunting.Read.All."""

    async def run(self, query: str, timespan: Window) -> Sequence[Mapping[str, Any]]:
        """Return the rows that a query in KQL finds within a window, by column as the service spells it.

        May take three minutes. Raises PermissionMissingError, NotFoundError (no license, or no such table),
        ThrottledError, RefusedError (an error in the query).
        """


class HuntingStore(Protocol):
    """The memory of the hunting sensor, and when each sensor brought a record."""

    async def state(self) -> HuntingState:
        """The state as it was saved last, a fresh one before the first run."""

    async def save(self, state: HuntingState) -> None:
        """Store it if its etag still holds (insert when None). Raises ConflictError."""

    async def note(self, arrivals: Sequence[Arrival]) -> None:
        """Remember arrivals. The first one of a record by a sensor stands."""

    async def arrivals(self, window: Window) -> list[Arrival]:
        """The arrivals of events within the window."""

    async def forget_before(self, moment: datetime) -> int:
        """Delete the arrivals of events before; returns how many."""
