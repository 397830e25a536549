"""One episode of one target, and what people decide about it."""

from __future__ import annotations

import hashlib
from typing import ClassVar, Literal

from pydantic import Field

from bypass_responder.model.account import Account
from bypass_responder.model.base import Row, Stored, Utc
from bypass_responder.model.change import Actor, Switch
from bypass_responder.model.decision_message import Author, Channel, DecisionKind, named
from bypass_responder.model.incident_status import IncidentStatus


class Known(Stored):
    """What the person who ended an incident had been shown. Later evidence is decided again."""

    since: Utc
    """The time of the earliest finding."""
    events: tuple[str, ...] = ()
    """One digest for each finding: see ``case.evidence.digest_of``."""
    actors: tuple[str, ...] = ()


class Candidate(Stored):
    """An account that an incident or a record in it may be about, and what Exchange reported of it."""

    object_id: str
    name: str
    bypass_on: bool | None = None
    checked_at: Utc | None = None
    """None: Exchange has not answered yet."""
    asks_failed: int = 0
    ask_at: Utc | None = None
    """When it is asked again, after a question that failed."""

    @property
    def ruled_out(self) -> bool:
        """True when Exchange has answered, and its bypass is not on."""
        return self.checked_at is not None and not self.bypass_on

    @property
    def unlikely(self) -> tuple[bool, bool]:
        """How unlikely it is the account that is meant: bypassed ones sort first, then those not checked yet."""
        return self.bypass_on is not True, self.checked_at is not None

    @property
    def in_exchange(self) -> str:
        """What Exchange reported of it."""
        state = {True: "bypass on", False: "bypass off", None: "not found"}[self.bypass_on]
        if self.checked_at:
            return state
        return "Exchange could not be asked" if self.asks_failed else "not checked yet"

    def __str__(self) -> str:
        """For people."""
        return f"{self.name} ({self.in_exchange})"


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
    actor_ids: dict[str, str] = Field(default_factory=dict)
    """Object ids by user principal name, of actors whom the records name by that only, as first looked up."""
    names: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    blind_from: Utc | None = None
    blind_from_proven: bool = True
    """False: the true start is unknown and lies before ``blind_from``."""
    restored_at: Utc | None = None
    refers_to: str | None = None
    about_actor: bool = False
    """True: the account ran the cmdlet. Not an episode of this account, and never its active incident."""
    flapping: bool = False
    """True: switched on again after it was off, so the actor still has the right to do it."""
    closed_at: Utc | None = None
    closed_by: str | None = None
    candidates: tuple[Candidate, ...] = ()
    """The accounts that the names of its unresolved findings stand for, besides its own."""
    known: Known | None = None
    contained_told: bool = False
    followed: Utc | None = None
    """When the episode before this one ended."""
    last_evidence_at: Utc | None = None
    last_on_at: Utc | None = None
    """The latest time at which it was proven on."""
    changes: tuple[tuple[Utc, Switch], ...] = ()
    """Of the first records of *on* and *off*, by time: whether it flaps."""
    filed_on_until: Utc | None = None
    """The latest record of *on* that is no longer loaded although the episode had not ended."""
    waits_since: Utc | None = None
    """Since when it has been held, failed or contained; None before."""
    listed_once: bool = False
    """True: only the first sweep's notification lists it, and reminders name it together with the others."""
    reminded: int = 0
    """Reminders that nobody has acknowledged it."""
    acknowledged_at: Utc | None = None
    acknowledged_by: str = ""
    """The person who has it now, by name."""
    actors_counted: int = 0
    """Actors whose other accounts were counted."""
    many_targets: bool = False
    """True: one of its actors has hidden several accounts within a day."""
    by_administrator: bool = False
    """True: one of its actors held an Entra role. Most who may run the cmdlet hold only one of Exchange."""
    listed: str = ""
    """Digest of the entry that the index has."""

    @property
    def raised(self) -> str:
        """Why its notifications are more than critical; empty when they are not."""
        if self.many_targets:
            return "the actor has hidden several accounts within a day"
        return "the actor is an administrator of the directory" if self.by_administrator else ""


class PersonDecision(Row):
    """What a person decided and what came of it: the record under the id of the message, never a request.

    The response log has the digest of the row; ``log verify`` names a row that no line of the log covers.
    """

    kind: ClassVar[str] = "person"
    key: ClassVar[str] = "person-{row.id}"
    id: str
    """Of the message. A message with this id is not carried out again."""
    incident_id: str
    """Empty for a decision about a warning or an allowlist entry."""
    verb: DecisionKind
    author: Author
    channel: Channel
    reason: str
    account: str | None = None
    """With approve: the object id that a person gives to an unresolved target."""
    warning: str | None = None
    """With accept_warning: the text of the warning."""
    entry_sha256: str | None = None
    """With approve_entry: of the allowlist row that was approved."""
    shown: tuple[str, ...] = ()
    """The ids of the findings that the person was shown."""
    incidents: tuple[str, ...] = ()
    """The ids of the account's incidents that the person was shown."""
    sent_at: Utc
    at: Utc
    """When the responder judged it."""
    outcome: Literal["carried_out", "refused"]
    why: str = ""
    """The reason of a refusal, or what the decision leaves as it is."""

    @property
    def who(self) -> str:
        """The author for the response log, marked where nobody has verified them."""
        return named(self.author, self.channel)

    def digest(self) -> str:
        """SHA-256 of the row, without fields that have their default: a later version may add some."""
        return hashlib.sha256(self.model_dump_json(exclude_defaults=True).encode()).hexdigest()
