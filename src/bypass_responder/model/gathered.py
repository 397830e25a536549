"""The rows of the evidence run: a plan for each incident, and its questions with their answers."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from bypass_responder.model.base import Stored, Utc
from bypass_responder.model.finding import Evidence
from bypass_responder.model.question import AskedAccount, Conclusive, Role


class Round(StrEnum):
    """When the sources are asked: records arrive late, so each round asks all of them again."""

    OPENED = "opened"
    RESTORED = "restored"
    LATE = "late"
    """A day after auditing was restored."""


def inquiry_key(round_: Round, source: str, account: AskedAccount) -> str:
    """Return what identifies a question within its incident."""
    digest = hashlib.sha256(account.key.encode()).hexdigest()[:12]
    return f"{round_}-{source}-{digest}"


class EvidencePlan(Stored):
    """What the evidence run has to do for one incident. ``etag`` is the row's."""

    incident_id: str
    target: str
    opened_at: Utc
    next_at: Utc | None
    """When it is due; None: nothing is left to do."""
    round: Round = Round.OPENED
    began_at: Utc
    """When this round began."""
    complete: bool = False
    """True: every question of this round is answered, and the response log has it."""
    notified: tuple[str, ...] = ()
    """Digests of the notable items of which people were notified."""
    etag: str | None = None


class Inquiry(Stored):
    """One question of one round: never changed any more once it has an answer. ``etag`` is the row's."""

    incident_id: str
    round: Round
    source: str
    role: Role
    account: AskedAccount
    next_at: Utc
    """When it may be asked; of no meaning once it has an answer."""
    first_asked_at: Utc | None = None
    """When the source began to work on it."""
    unfinished: int = 0
    """Asks in a row whose end was not recorded: the process ended."""
    failed: int = 0
    """Asks that failed in a row."""
    memo: str | None = None
    """What the source gave back to go on with."""
    problem: str = ""
    """Why the last ask failed."""
    query: str = ""
    """The question in words."""
    answer: Conclusive | None = None
    answered_at: Utc | None = None
    raw: Evidence | None = None
    """The records as a blob, without subjects and bodies."""
    etag: str | None = None

    @property
    def key(self) -> str:
        """Identifies it within its incident."""
        return inquiry_key(self.round, self.source, self.account)

    def digest(self) -> str:
        """SHA-256 of question and answer: what the response log covers."""
        content = self.model_dump_json(exclude={"etag", "memo", "next_at", "problem"}, exclude_defaults=True)
        return hashlib.sha256(content.encode()).hexdigest()
