"""One episode of one target, and what people decide about it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from bypass_responder.model.account import Account
from bypass_responder.model.base import Row, Stored, Utc
from bypass_responder.model.change import Actor, Switch


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


class Known(Stored):
    """What the person who ended an incident had been shown of it. What came to light later is decided anew."""

    since: Utc
    """The time of the earliest finding."""
    events: tuple[str, ...] = ()
    """One digest for each finding: see ``case.evidence.digest_of``."""
    actors: tuple[str, ...] = ()


class Incident(Row):
    """One episode of one target: from the bypass to auditing proven restored, until a person closes it."""

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
    flapping: bool = False
    """True: switched on again after it was off, so the actor still has the right to do it."""
    closed_at: Utc | None = None
    closed_by: str | None = None
    known: Known | None = None
    contained_told: bool = False
    followed: Utc | None = None
    """When the episode before this one ended."""
    last_evidence_at: Utc | None = None
    changes: tuple[tuple[Utc, Switch], ...] = ()
    """Of the first records of *on* and *off*, by time: whether it flaps."""
    filed_on_until: Utc | None = None
    """The latest record of *on* that is no longer loaded although the episode had not ended."""
    listed: str = ""
    """Digest of the entry that the index has."""


class PersonDecision(Row):
    """What a person decided, written by bypassctl and carried out by ``resume_responses``."""

    kind: ClassVar[str] = "person"
    key: ClassVar[str] = "person-{row.incident_id}-{row.at:%Y%m%dT%H%M%S%f}-{row.verb}"
    incident_id: str
    verb: Literal["approve", "dismiss", "release"]
    who: str
    reason: str
    at: Utc
    account: str | None = None
    """With approve: the object id that a person gives to an unresolved target."""
    shown: tuple[str, ...] = ()
    """The ids of the findings that the person was shown."""
    incidents: tuple[str, ...] = ()
    """The ids of the account's incidents that nobody had ended. By id, since clocks differ."""
    done: bool = False
