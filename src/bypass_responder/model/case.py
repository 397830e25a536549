"""What the ledger holds of one target. A ``Case`` is all of it but the log; every row is frozen and knows its own key.

Row keys sort by kind. One row, the ``Head``, is written in every transaction: its ETag makes the changes of one target
a sequence, and it carries the end of the target's log chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import Field

from bypass_responder.model.account import Account
from bypass_responder.model.base import Utc, Value
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.message import CommandKind, ExchangeOutcome, ExchangeResult

TENANT_TARGET = "tenant"
"""The key under which health, tampering evidence and their log are kept."""


class Source(StrEnum):
    """Which sensor told us."""

    FEED = "feed"
    RECHECK = "recheck"
    ACTOR = "actor"
    """Not about a bypass of this account: it ran the cmdlet, and ``ACTOR_RESPONSE`` says contain."""


class FindingState(StrEnum):
    """Where a finding is on its way to a decision."""

    UNDECIDED = "undecided"
    WAITING = "waiting"
    DECIDED = "decided"


class StepKind(StrEnum):
    """What the responder does to an account."""

    BLOCK_SIGN_IN = "block_sign_in"
    REVOKE_SESSIONS = "revoke_sessions"
    DISABLE_BYPASS = "disable_bypass"
    RELEASE = "release"


class StepState(StrEnum):
    """Where a step is.

    planned → claimed → acted → done; or failed (a person is needed), held (waits for a person), withheld (observe, or a
    rule read again at the claim said no), cancelled.
    """

    PLANNED = "planned"
    CLAIMED = "claimed"
    ACTED = "acted"
    DONE = "done"
    FAILED = "failed"
    HELD = "held"
    WITHHELD = "withheld"
    CANCELLED = "cancelled"

    @property
    def running(self) -> bool:
        """True while the responder still has something to do for the step."""
        return self in {StepState.PLANNED, StepState.CLAIMED, StepState.ACTED}


class Effect(StrEnum):
    """What the step really did to the account, as read back."""

    EFFECTIVE = "effective"
    TEMPORARY = "temporary"
    INEFFECTIVE = "ineffective"
    REVERTED = "reverted"
    UNVERIFIED = "unverified"
    NOT_NEEDED = "not_needed"


class IncidentStatus(StrEnum):
    """Where an incident is. The last three are final."""

    OPEN = "open"
    HELD = "held"
    FAILED = "failed"
    CONTAINED = "contained"
    OBSERVED = "observed"
    DISMISSED = "dismissed"
    RELEASED = "released"
    CLOSED = "closed"

    @property
    def final(self) -> bool:
        """True when a person has ended the incident."""
        return self in {IncidentStatus.DISMISSED, IncidentStatus.RELEASED, IncidentStatus.CLOSED}


class Row(Value):
    """One row of a target's partition."""

    kind: ClassVar[str]

    @property
    def row_key(self) -> str:
        """Key of the row inside its partition."""
        raise NotImplementedError


class PriorState(Value):
    """What an account was before our first block. Stored once, lives until the release."""

    account_enabled: bool
    recorded_at: Utc


class Head(Row):
    """Everything about a target that outlives its incidents."""

    kind: ClassVar[str] = "head"
    active_incident: str | None = None
    last_incident: str | None = None
    restored_at: Utc | None = None
    """Auditing was last proven back at this moment; evidence not later than it never acts."""
    dismissed_through: Utc | None = None
    prior: PriorState | None = None
    log_seq: int = 0
    log_hash: str = ""

    @property
    def row_key(self) -> str:
        """Constant: one head per partition."""
        return "head"


class Check(Value):
    """What Exchange said about one name (or, with an empty name, about the object id)."""

    name: str
    outcome: ExchangeOutcome
    object_id: str | None = None
    bypass_on: bool | None = None
    read_at: Utc | None = None


class Evidence(Value):
    """The raw input: inline up to 32 KiB, else the name of a blob with its length and hash."""

    text: str | None = None
    blob: str | None = None
    length_bytes: int
    sha256: str


class Finding(Row):
    """A target is, was, or may be bypassed: stored before it is decided. ``id`` is that of the audit record."""

    kind: ClassVar[str] = "finding"
    id: str
    target: str
    source: Source
    switch: Switch
    outcome: Outcome
    effective_at: Utc
    object_id_text: str = ""
    identity_text: str = ""
    actor: Actor = Actor()
    first_run: bool = False
    """True: from a blob that was there before our first start."""
    received_at: Utc
    available_at: Utc | None = None
    """When the source offered it (contentCreated of the blob)."""
    evidence: Evidence | None = None
    state: FindingState = FindingState.UNDECIDED
    checks: tuple[Check, ...] = ()
    confirmed_by: str | None = None
    """A person said which account this is."""
    next_at: Utc | None = None
    """An undecided finding is not looked at before this moment."""
    asks_failed: int = 0
    verdict: str = ""
    reason: str = ""
    incident_id: str | None = None

    @property
    def row_key(self) -> str:
        """Deterministic, so that the same record is stored once."""
        return f"finding-{self.id}"

    @property
    def names(self) -> tuple[str, ...]:
        """The distinct names that the record gives the target, compared without case."""
        texts = (self.object_id_text.strip(), self.identity_text.strip())
        return tuple({text.casefold(): text for text in texts if text}.values())


class Incident(Row):
    """One episode of one target: from going dark to auditing proven back, until a person closes it."""

    kind: ClassVar[str] = "incident"
    id: str
    target: str
    status: IncidentStatus
    opened_at: Utc
    verdict: str
    reason: str
    account: Account | None = None
    """The account as it was when the decision was made."""
    actors: tuple[Actor, ...] = ()
    names: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    blind_from: Utc | None = None
    blind_from_proven: bool = True
    """False: the true start is unknown and lies before ``blind_from``."""
    restored_at: Utc | None = None
    refers_to: str | None = None
    closed_at: Utc | None = None
    closed_by: str | None = None
    contained_told: bool = False

    @property
    def row_key(self) -> str:
        """Key by incident id."""
        return f"incident-{self.id}"


class Step(Row):
    """One thing to do to the account of one incident."""

    kind: ClassVar[str] = "step"
    incident_id: str
    step: StepKind
    state: StepState
    reason: str = ""
    approved_by: str | None = None
    attempts: int = 0
    first_attempt_at: Utc | None = None
    lease_until: Utc | None = None
    acted_at: Utc | None = None
    next_at: Utc | None = None
    readbacks: int = 0
    effect: Effect | None = None
    detail: str = ""

    @property
    def row_key(self) -> str:
        """One row per incident and kind."""
        return f"step-{self.incident_id}-{self.step}"


class Command(Row):
    """A question to the Exchange worker. Its answer counts once, while it is outstanding."""

    kind: ClassVar[str] = "command"
    id: str
    command: CommandKind
    state: Literal["outstanding", "answered", "superseded"] = "outstanding"
    object_id: str | None = None
    identity: str | None = None
    incident_id: str | None = None
    finding_id: str | None = None
    recheck: bool = False
    asked: int = 1
    """How many times this question was asked, this time included."""
    created_at: Utc
    sent: bool = False
    not_after: Utc
    answer: ExchangeResult | None = None

    @property
    def row_key(self) -> str:
        """Key by the random command id."""
        return f"command-{self.id}"


class Recheck(Row):
    """A look at the account and its bypass, some time after containment."""

    kind: ClassVar[str] = "recheck"
    incident_id: str
    due_at: Utc
    after_hours: int
    done: bool = False
    result: str = ""

    @property
    def row_key(self) -> str:
        """One row per incident and delay."""
        return f"recheck-{self.incident_id}-{self.after_hours:02d}"


class PersonDecision(Row):
    """What a person decided, written by bypassctl and carried out by ``resume_responses``."""

    kind: ClassVar[str] = "person"
    incident_id: str
    verb: Literal["approve", "dismiss", "release"]
    who: str
    reason: str
    at: Utc
    account: str | None = None
    """With approve: the object id that a person gives to an unresolved target."""
    done: bool = False

    @property
    def row_key(self) -> str:
        """Key by incident, moment and verb, so that nothing is overwritten."""
        return f"person-{self.incident_id}-{self.at:%Y%m%dT%H%M%S%f}-{self.verb}"


class Severity(StrEnum):
    """How soon a person should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Note(Row):
    """One message in the outbox. ``id`` is deterministic, so that a fact is told once."""

    kind: ClassVar[str] = "note"
    id: str
    about: str
    """Machine-readable: contained, held, step_failed, step_ineffective, attempt, health, recovered, unreadable …"""
    severity: Severity
    title: str
    text: str
    incident_id: str | None = None
    target: str
    facts: dict[str, Any] = Field(default_factory=dict)
    left_to_do: tuple[str, ...] = ()
    created_at: Utc
    sent_at: Utc | None = None
    attempts: int = 0
    next_at: Utc | None = None
    last_error: str = ""

    @property
    def row_key(self) -> str:
        """Key by the deterministic id."""
        return f"note-{self.id}"


class HealthAlert(Row):
    """Something that an attacker would do to us, or that makes us blind. In the tenant's own case."""

    kind: ClassVar[str] = "alert"
    id: str
    severity: Severity
    detail: str
    advice: str
    since: Utc
    recovered_at: Utc | None = None
    episode: int = 1

    @property
    def row_key(self) -> str:
        """One row per kind of alert."""
        return f"alert-{self.id}"


class Tampering(Row):
    """Evidence that an organization-wide audit switch was changed. In the tenant's own case."""

    kind: ClassVar[str] = "tampering"
    id: str
    occurred_at: Utc
    operation: str
    parameter: str
    value: str
    weakens: bool
    outcome: Outcome
    actor: Actor
    evidence: Evidence

    @property
    def row_key(self) -> str:
        """Key by the audit record's Id."""
        return f"tampering-{self.id}"


ROWS: dict[str, type[Row]] = {
    cls.kind: cls
    for cls in (Head, Finding, Incident, Step, Command, Recheck, PersonDecision, Note, HealthAlert, Tampering)
}
"""Every kind of row, for the adapter that reads them back."""


@dataclass(frozen=True)
class Case:
    """All rows of one target but its log. ``etag`` is the head's, None while the target is unknown."""

    target: str
    rows: dict[str, Row] = field(default_factory=dict)
    etag: str | None = None

    @property
    def head(self) -> Head:
        """The head, or a fresh one."""
        head = self.rows.get("head")
        return head if isinstance(head, Head) else Head()
