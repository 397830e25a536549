"""One episode of one target, and what people decide about it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from bypass_responder.model.account import Account
from bypass_responder.model.base import Row, Utc
from bypass_responder.model.change import Actor


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
    shown: tuple[str, ...] = ()
    """The ids of the findings that the person was shown who ended it. What came to light later is decided anew."""
    contained_told: bool = False


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
