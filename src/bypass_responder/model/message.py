"""The contract with the Exchange worker: a command about one account, and its ``exchange-results``.

``model.sweep`` has the rest of it. JSON, base64-encoded on the queue, field names as here. Each side accepts its own
``schema_version`` and the one before.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bypass_responder.model.base import Row, Utc, Value

SCHEMA_VERSION = 1
MOST_CANDIDATES = 10

ErrorClass = Literal["transient", "permission", "not_found", "other"]
"""Only ``permission`` waits for a person; the rest is retried.

With ``refused``, ``transient`` is an expired command or an unknown version.
"""
Guid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


class CommandKind(StrEnum):
    """What the worker can be asked. Switching a bypass on is not among it, by design."""

    DISABLE_BYPASS = "disable_bypass"
    """On ``exchange-commands``, where nothing else waits."""
    CHECK_BYPASS = "check_bypass"
    """On ``exchange-checks``."""
    LIST_BYPASSED = "list_bypassed"
    """All accounts, on ``exchange-sweeps``. Has its own message types."""


class ExchangeOutcome(StrEnum):
    """How a command ended.

    ``disable_bypass``: verified (set and read back off), already_off, unverified (set, but read back still on).
    ``check_bypass``: checked (``before`` has the value that was read). Both: not_found, ambiguous, refused, failed.
    """

    VERIFIED = "verified"
    ALREADY_OFF = "already_off"
    UNVERIFIED = "unverified"
    CHECKED = "checked"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    REFUSED = "refused"
    FAILED = "failed"


class ExchangeCommand(Value):
    """One command for the worker.

    Exactly one of ``object_id`` (Entra object id) and ``identity`` (a name as a record had it, ``check_bypass`` only)
    is given. ``target`` is the ledger's key and comes back unchanged. After ``not_after`` the worker refuses.
    """

    schema_version: int = SCHEMA_VERSION
    command_id: str
    kind: CommandKind
    tenant_id: Guid
    target: str
    object_id: Guid | None = None
    identity: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None
    not_after: Utc

    @model_validator(mode="after")
    def _one_object(self) -> Self:
        if (self.object_id is None) == (self.identity is None):
            msg = "exactly one of object_id and identity names the account"
            raise ValueError(msg)
        if self.kind is CommandKind.LIST_BYPASSED:
            msg = "list_bypassed names no account and is a SweepCommand"
            raise ValueError(msg)
        if self.kind is CommandKind.DISABLE_BYPASS and self.object_id is None:
            msg = "disable_bypass takes an object_id only"
            raise ValueError(msg)
        return self


class ExchangeObject(Value):
    """The one Exchange object that a command resolved to. ``exchange_guid`` is not ``object_id``."""

    object_id: Guid
    exchange_guid: Guid
    name: str


class ExchangeResult(Value):
    """The answer to a command. ``before``, ``after``: AuditBypassEnabled as read, None: not read."""

    schema_version: int = SCHEMA_VERSION
    command_id: str
    kind: CommandKind
    tenant_id: Guid
    target: str
    outcome: ExchangeOutcome
    resolved: ExchangeObject | None = None
    candidates: Annotated[tuple[Guid, ...], Field(max_length=MOST_CANDIDATES)] = ()
    """With ambiguous: the Entra object ids of the objects that the name matches, as far as Exchange reported them."""
    before: bool | None = None
    after: bool | None = None
    read_at: Utc | None = None
    """When the last read that this answer rests on was made."""
    attempts: Annotated[int, Field(ge=0)] = 0
    """How many times it was set."""
    deliveries: Annotated[int, Field(ge=1)] = 1
    """How many times the queue gave this command out: more than once, and an earlier worker may have set it."""
    duration_seconds: Annotated[float, Field(ge=0)] = 0
    worker: str = ""
    """Module and PowerShell version, or the name of a stand-in."""
    error: str | None = None
    """In words that an operator can use."""
    error_class: ErrorClass | None = None

    def is_about(self, object_id: str | None) -> bool:
        """Return True when the answer is about the account with this Entra object id, and no other."""
        return self.resolved is not None and self.resolved.object_id == object_id

    @model_validator(mode="after")
    def _checked_says_what(self) -> Self:
        if self.outcome is ExchangeOutcome.CHECKED and None in {self.resolved, self.before, self.read_at}:
            msg = "checked comes with resolved, before and read_at"
            raise ValueError(msg)
        if self.outcome is ExchangeOutcome.VERIFIED and (self.after is not False or self.resolved is None):
            msg = "verified comes with resolved, and with after as false"
            raise ValueError(msg)
        proven = self.before is False and self.after is not True and None not in {self.resolved, self.read_at}
        if self.outcome is ExchangeOutcome.ALREADY_OFF and not proven:
            msg = "already_off comes with resolved and read_at, with before as false, and not with after as true"
            raise ValueError(msg)
        return self


class Command(Row):
    """A question to the Exchange worker.

    It is answered once; ``superseded``: asked again, or no longer asked.
    """

    kind: ClassVar[str] = "command"
    id: str
    command: CommandKind
    state: Literal["outstanding", "answered", "superseded", "withdrawn"] = "outstanding"
    object_id: str | None = None
    identity: str | None = None
    incident_id: str | None = None
    recheck: bool = False
    known_until: Utc | None = None
    """With ``disable_bypass``: the latest record of *on* that was known when it was planned. The answer is later."""
    asked: int = 1
    """How many times this question was asked, this time included."""
    created_at: Utc
    planned_by: str = ""
    """The run that planned it and is about to send it; another one only does when it took too long."""
    sent: bool = False
    not_after: Utc
    answer: ExchangeResult | None = None
