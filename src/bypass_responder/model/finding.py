"""What a sensor reported about a target, stored before it is decided."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from bypass_responder.model.base import Row, Stored, Utc
from bypass_responder.model.change import Actor, Outcome, Switch
from bypass_responder.model.message import ExchangeOutcome


class Source(StrEnum):
    """The sensor that reported it."""

    FEED = "feed"
    HUNTING = "hunting"
    """The same records as the feed's, from Defender's table of cloud events."""
    HINT = "hint"
    """An unverified claim through Event Grid. Never enough to act on a person."""
    SWEEP = "sweep"
    """The state of all accounts was read."""
    RECHECK = "recheck"
    ACTOR = "actor"
    """Not about a bypass of this account: it ran the cmdlet, and ``ACTOR_RESPONSE`` says contain."""


RECORDS = frozenset({Source.FEED, Source.HUNTING})
"""Sources of audit records. The first one to bring a record is that of its finding."""
STATES = frozenset({Source.HINT, Source.SWEEP, Source.RECHECK})
"""Sources that report a state, not an event: Exchange must confirm it, and since when is unknown."""


class FindingState(StrEnum):
    """Where a finding is on its way to a decision."""

    UNDECIDED = "undecided"
    WAITING = "waiting"
    DECIDED = "decided"


class Check(Stored):
    """Exchange's answer about one name (or, with an empty name, about the object id)."""

    name: str
    outcome: ExchangeOutcome
    object_id: str | None = None
    exchange_guid: str | None = None
    bypass_on: bool | None = None
    read_at: Utc | None = None
    candidates: tuple[str, ...] = ()
    """Of an ambiguous name: the object ids that Exchange has under it."""


class Evidence(Stored):
    """The raw input: inline up to 32 KiB, else the name of a blob with its length and hash."""

    text: str | None = None
    blob: str | None = None
    length_bytes: int
    sha256: str


class Finding(Row):
    """A target is, was, or may be bypassed: stored before it is decided.

    ``id``: an audit record's Id (with ``-whole`` for a later copy with more information), or
    ``hint-…``, ``sweep-…``, ``actor-…``, ``recheck-…`` for other sources.
    """

    kind: ClassVar[str] = "finding"
    id: str
    target: str
    source: Source
    switch: Switch
    outcome: Outcome
    effective_at: Utc
    """When it happened; of a record never later than its receipt."""
    stated_at: Utc | None = None
    """Of a record dated ahead of its receipt: the time that it states."""
    object_id_text: str = ""
    identity_text: str = ""
    actor: Actor = Actor()
    first_run: bool = False
    """True: from a blob that was there before our first start, or a state that no complete sweep had off."""
    on_since: Utc | None = None
    """Of a state: the first sweep that saw it on. None: this read is the first."""
    off_before: Utc | None = None
    """Of a state: the last complete sweep that had it off. The bypass began after it, and not later than the read."""
    listed_once: bool = False
    """True: reported in the first sweep's summary; no notification for this finding alone."""
    was_covered: bool = False
    """True: the allowlist covered it at the last sweep, and does not any more."""
    claimed_at: Utc | None = None
    """Of a hint: when it happened, as the alert has it."""
    sender: str = ""
    """Of a hint: who sent the alert."""
    link: str | None = None
    """Of a hint: where the sender has more."""
    received_at: Utc
    available_at: Utc | None = None
    """When the source offered it (contentCreated of the blob, the time of the event)."""
    evidence: Evidence | None = None
    state: FindingState = FindingState.UNDECIDED
    checks: tuple[Check, ...] = ()
    confirmed_by: str | None = None
    """The person who named the account."""
    next_at: Utc | None = None
    """An undecided finding is not examined before this time."""
    asks_failed: int = 0
    turns_missed: int = 0
    """Of a hint: how often there was no question left for it in the hour."""
    verdict: str = ""
    reason: str = ""
    incident_id: str | None = None

    @property
    def place(self) -> str:
        """Records that decide nothing are not loaded with the case, but read in batches."""
        return f"later-{self.row_key}" if self.decides_nothing else super().place

    @property
    def decides_nothing(self) -> bool:
        """Return True for a record of *off* or of a failed attempt. Accounts that a sweep omits do not count."""
        unlisted = self.source is Source.SWEEP and self.switch is Switch.OFF
        return not unlisted and (self.switch is Switch.OFF or self.outcome is Outcome.FAILED)

    @property
    def record_id(self) -> str:
        """The id without what a later copy of the same record adds."""
        return self.id.removesuffix(WHOLE)

    @property
    def dated_at(self) -> Utc:
        """The time that the record states: the same for every copy, and later than the receipt if a clock is wrong."""
        return self.stated_at or self.effective_at

    @property
    def proves_on(self) -> bool:
        """True where the record alone says that the bypass was switched on."""
        return self.switch is Switch.ON and self.outcome is Outcome.SUCCESS

    @property
    def seen_on(self) -> bool:
        """True when Exchange, asked about this finding, reported the bypass on."""
        return any(check.bypass_on for check in self.checks)

    @property
    def fingerprint(self) -> str:
        """A digest of what the source reported, the same for every copy with the same content."""
        received = {"received_at", "available_at", "evidence"} | ({"effective_at"} if self.stated_at else set())
        content = self.model_dump_json(exclude=received, exclude_defaults=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def names(self) -> tuple[str, ...]:
        """The distinct names that the source gives the target, compared without case."""
        texts = (self.object_id_text.strip(), self.identity_text.strip())
        return tuple({text.casefold(): text for text in texts if text}.values())


WHOLE = "-whole"
"""Ends the id of a finding from a later copy of its record."""


def strengthened(known: Finding, later: Finding) -> Finding | None:
    """Return a separate finding if a later copy proves a bypass that the first did not; else None.

    The later copy proves it alone, or where both agree and each says what the other leaves open.
    """
    switches = {known.switch, later.switch} - {Switch.UNKNOWN}
    outcomes = {known.outcome, later.outcome} - {Outcome.UNKNOWN}
    together = switches == {Switch.ON} and outcomes == {Outcome.SUCCESS}
    if known.proves_on or not (later.proves_on or together):
        return None
    proof = {"id": f"{later.id}{WHOLE}", "switch": Switch.ON, "outcome": Outcome.SUCCESS}
    return later.model_copy(update=proof)


class Unrecorded(Row):
    """Loaded while records that decide nothing wait: without it, nobody looks for them.

    Each such record replaces it. ``etag`` is the service's, so that it is deleted only as it was read.
    """

    kind: ClassVar[str] = "unrecorded"
    key: ClassVar[str] = "unrecorded"
    newest: str
    """The id of the record that was added last."""
    etag: str = Field(default="", exclude=True)


class Alone(Row):
    """A decided finding of no incident. It becomes evidence when an incident about its time is opened."""

    kind: ClassVar[str] = "alone"
    key: ClassVar[str] = "alone-{row.finding.effective_at:%Y%m%dT%H%M%S}-{row.finding.id}"
    finding: Finding

    @property
    def place(self) -> str:
        """Never loaded with the case; by time, so that those about an episode are one range."""
        return self.row_key
