"""What a sensor said about a target, stored before it is decided."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.message import ExchangeOutcome
from bypass_responder.model.row import Row


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
