"""Reads of Exchange that may take minutes: the contract with the worker's function ExchangeReads.

The command goes on ``exchange-reads``, where neither a remediation nor a sweep waits for it; the answer comes on
``exchange-read-results``. Its rows are in a blob of the container ``reads``: gzipped JSON lines, a single one of
``read_account`` and of ``read_organization``. Same encoding and versions as in ``model.message``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, TypeAdapter, model_validator

from bypass_responder.model.account_read import AccountSection
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.mailbox_audit import AuditChange, AuditSettings
from bypass_responder.model.message import SCHEMA_VERSION, ErrorClass, Guid
from bypass_responder.model.sweep import Sha256

BlobName = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,127}$")]


class ReadKind(StrEnum):
    """What can be asked. All but ``apply_mailbox`` only read."""

    ACCOUNT = "read_account"
    """Rules, forwarding, delegates and permissions of one account: an ``AccountRead``."""
    ORGANIZATION = "read_organization"
    """Switches, role assignments and the worker's own rights: an ``OrganizationRead``."""
    MAILBOXES = "read_mailboxes"
    """The audit settings of one shard: a ``MailboxRow`` each; of ``bypassed``, a ``BypassedObject`` each."""
    RECORD = "record_mailbox"
    """Stores the settings of one mailbox where only the worker can write; ``apply_mailbox`` needs it."""
    APPLY = "apply_mailbox"
    """Makes one mailbox audit more, or undoes that. Needs a separate Exchange role, not granted by default."""


class Recipients(StrEnum):
    """Which mailboxes a shard has. Together, every recipient with audit settings is in exactly one."""

    USER = "user"
    """RecipientTypeDetails UserMailbox."""
    SHARED = "shared"
    """RecipientTypeDetails SharedMailbox."""
    OTHER = "other"
    """Every other type that Get-EXOMailbox lists: rooms, equipment, discovery, scheduling, linked, team, …"""
    GROUP = "group"
    """Microsoft 365 groups. Their set is fixed, whatever the values say."""
    PUBLIC_FOLDER = "public_folder"
    BYPASSED = "bypassed"
    """No mailboxes: the accounts whose bypass is on, with or without one."""

    @classmethod
    def of(cls, type_details: str) -> Recipients:
        """Return which of these lists a mailbox with this RecipientTypeDetails."""
        return _BY_TYPE.get(type_details, cls.OTHER)


_BY_TYPE = {
    "UserMailbox": Recipients.USER,
    "SharedMailbox": Recipients.SHARED,
    "GroupMailbox": Recipients.GROUP,
    "PublicFolderMailbox": Recipients.PUBLIC_FOLDER,
}


class Shard(Value):
    """A part of all mailboxes: those of a type that were created from ``since`` to before ``until``."""

    recipients: Recipients
    since: Utc | None = None
    until: Utc | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            msg = "since is before until"
            raise ValueError(msg)
        if self.recipients is Recipients.BYPASSED and (self.since or self.until):
            msg = "bypassed accounts have no range of creation"
            raise ValueError(msg)
        return self


class _Read(Value):
    """Refused by the worker after ``not_after``; it stops after ``most_seconds``."""

    schema_version: int = SCHEMA_VERSION
    command_id: Guid
    """Random: an answer counts only against its outstanding question."""
    tenant_id: Guid
    record: Guid | Literal["none"] = "none"
    """Of ``apply_mailbox``: what its ``record_mailbox`` answered. In each message, because a binding reads it."""
    most_seconds: Annotated[int, Field(ge=10, le=600)] = 540
    not_after: Utc


class ReadAccount(_Read):
    """One account, by its Entra object id."""

    kind: Literal[ReadKind.ACCOUNT] = ReadKind.ACCOUNT
    object_id: Guid
    sections: Annotated[tuple[AccountSection, ...], Field(min_length=1)] = tuple(AccountSection)
    most_items: Annotated[int, Field(ge=1, le=1000)] = 200
    """Of each section; the rest is counted."""
    most_checks: Annotated[int, Field(ge=0, le=1000)] = 200
    """Shared mailboxes that are asked whether the account has FullAccess: one call each, as there is no reverse."""


class ReadOrganization(_Read):
    """The organization's switches and roles."""

    kind: Literal[ReadKind.ORGANIZATION] = ReadKind.ORGANIZATION
    most_items: Annotated[int, Field(ge=1, le=5000)] = 2000


class ReadMailboxes(_Read):
    """One shard. A crash repeats it alone; one that reaches a bound answers what it read, and says so."""

    kind: Literal[ReadKind.MAILBOXES] = ReadKind.MAILBOXES
    shard: Shard
    most_rows: Annotated[int, Field(ge=1, le=100_000)] = 50_000
    """Bounds the worker's memory. Split the range when it is reached."""


class RecordMailbox(_Read):
    """The settings of one mailbox, stored by the worker before a change."""

    kind: Literal[ReadKind.RECORD] = ReadKind.RECORD
    object_id: Guid


class ApplyMailbox(_Read):
    """One change of a plan, or with ``undo`` the way back to what was recorded.

    Refused where the mailbox is not as ``expected``, where no record of it is found, and where it would audit less.
    """

    kind: Literal[ReadKind.APPLY] = ReadKind.APPLY
    object_id: Guid
    record: Guid
    expected: AuditSettings
    """Before a change, what was recorded; before an undo, what the change was read back as."""
    change: AuditChange | None = None
    undo: bool = False

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if self.undo == (self.change is not None):
            msg = "a change or undo, exactly one"
            raise ValueError(msg)
        return self


ReadCommand = ReadAccount | ReadOrganization | ReadMailboxes | RecordMailbox | ApplyMailbox
READ_COMMAND: TypeAdapter[ReadCommand] = TypeAdapter(Annotated[ReadCommand, Field(discriminator="kind")])


class ReadOutcome(StrEnum):
    """How a read ended. Only ``read`` has a blob."""

    READ = "read"
    """With ``complete`` false in part: ``partial`` says why."""
    RECORDED = "recorded"
    """``before`` is stored under ``record``."""
    APPLIED = "applied"
    """Set, and read back as wanted."""
    ALREADY = "already"
    """It was so already; nothing was set."""
    UNVERIFIED = "unverified"
    """Set, and not read back as wanted in time: replication may take minutes. Ask again."""
    REVERTED = "reverted"
    """Set, and set back at once: the mailbox audited less than before. ``error`` says what."""
    LESS = "less"
    """As ``reverted``, but the way back was not read back in time."""
    CHANGED = "changed"
    """Nothing was set: ``before`` is not what was ``expected``."""
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"
    FAILED = "failed"


class ReadResult(Value):
    """The worker's answer. ``blob`` and ``sha256`` name its rows; the hash is of the bytes as stored."""

    schema_version: int = SCHEMA_VERSION
    command_id: Guid
    kind: ReadKind
    tenant_id: Guid
    outcome: ReadOutcome
    started_at: Utc
    """When the read began: what it says is at least as new."""
    complete: bool = False
    """False: some rows, or some sections, are missing. A partial read never means that there is nothing else."""
    partial: str | None = None
    """Why it is not complete: a bound that was reached, or the first section that could not be read."""
    blob: BlobName | None = None
    sha256: Sha256 | None = None
    rows: Annotated[int, Field(ge=0)] = 0
    """Lines of the blob."""
    scanned: Annotated[int, Field(ge=0)] = 0
    """Rows that Exchange returned; of a shard, also those outside of its range."""
    warnings: Annotated[tuple[Annotated[str, StringConstraints(max_length=500)], ...], Field(max_length=20)] = ()
    before: AuditSettings | None = None
    after: AuditSettings | None = None
    record: Guid | None = None
    exchange_guid: Guid | None = None
    """Of the mailbox that was recorded or changed: audit records of the change name it by this."""
    deliveries: Annotated[int, Field(ge=0)] | None = None
    """How often the queue had delivered the command; None: unknown. Above 1, an earlier worker may have set it."""
    duration_seconds: Annotated[float, Field(ge=0)] = 0
    worker: str = ""
    error: str | None = None
    error_class: ErrorClass | None = None

    @property
    def first(self) -> bool:
        """True when no worker had the command before."""
        return self.deliveries is not None and self.deliveries <= 1

    @model_validator(mode="after")
    def _has_what_its_outcome_says(self) -> Self:
        wanted: dict[ReadOutcome, tuple[object, ...]] = {
            ReadOutcome.READ: (self.blob, self.sha256),
            ReadOutcome.RECORDED: (self.before, self.record),
            ReadOutcome.APPLIED: (self.before, self.after),
            ReadOutcome.REVERTED: (self.before, self.error),
            ReadOutcome.LESS: (self.before, self.after, self.error),
            ReadOutcome.CHANGED: (self.before,),
        }
        if None in wanted.get(self.outcome, ()):
            msg = f"{self.outcome} lacks what it comes with"
            raise ValueError(msg)
        return self
