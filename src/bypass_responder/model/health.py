"""The tenant's own case: health alerts, and evidence of tampering with auditing."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from bypass_responder.model.base import Row, Utc
from bypass_responder.model.change import Actor, Outcome
from bypass_responder.model.finding import Evidence, Source
from bypass_responder.model.notification import Severity
from bypass_responder.model.read_back import ReadBack
from bypass_responder.model.technique import Technique

LONGEST_TEXT = 512
"""Of a text of a tampering row; a longer one is cut."""
_LAST_SECOND = 9_999_999_999


class HealthAlert(Row):
    """A condition that blinds the responder, or that an attacker would cause. In the tenant's own case."""

    kind: ClassVar[str] = "alert"
    id: str
    severity: Severity
    detail: str
    advice: str
    since: Utc
    seen_at: Utc | None = None
    """When it was last seen to be so; None: not since it was raised."""
    recovered_at: Utc | None = None
    episode: int = 1
    notified: dict[str, bool] = Field(default_factory=dict)
    """Of an alert about several accounts: each of them, and whether people were notified of it."""
    notified_at: Utc | None = None
    """Of such an alert: the last notification."""

    @property
    def ongoing(self) -> bool:
        """True while it is not over."""
        return self.recovered_at is None


def newest_first(at: datetime) -> str:
    """Return a text that sorts later times first, to the second."""
    return f"{_LAST_SECOND - int(at.timestamp()):010d}"


def _of_switch(row: dict[str, Any]) -> Technique:
    """Return the technique of a row from a version that knew only the organization's switches."""
    disabled = row.get("parameter") == "AuditDisabled"
    return Technique.ORGANIZATION_OFF if disabled else Technique.UNIFIED_LOG_OFF


class Tampering(Row):
    """Evidence that auditing was weakened otherwise than by a bypass, or a switch of it restored.

    In the tenant's case.
    See ``AuditTampering`` for the fields.
    """

    kind: ClassVar[str] = "tampering"
    id: str
    source: Source = Source.FEED
    """A hint: an alert reports it, and nothing has confirmed it."""
    occurred_at: Utc
    received_at: Utc | None = None
    operation: str
    parameter: str
    technique: Technique = Field(default_factory=_of_switch)
    value: str
    target: str = ""
    object_id_text: str = ""
    extent: str = ""
    weakens: bool
    outcome: Outcome
    actor: Actor
    evidence: Evidence
    read_back: ReadBack | None = None
    """Whether it is still in effect: of a mailbox stored with each daily read, otherwise from other rows."""

    @property
    def took_effect(self) -> bool:
        """True when auditing is weaker by it: the value weakens, and the change did not fail."""
        return self.weakens and self.outcome is not Outcome.FAILED

    @property
    def change(self) -> str:
        """The command with the parameter that matters, for people."""
        return f"{self.operation} -{self.parameter} {self.value}" if self.parameter else self.operation

    @property
    def object_names(self) -> frozenset[str]:
        """What the record calls its object, without case."""
        return frozenset(name.casefold() for name in (self.target, self.object_id_text) if name)

    @property
    def place(self) -> str:
        """Never loaded with the case; by time, so that the newest are one range."""
        return f"tampering-{newest_first(self.occurred_at)}-{self.id}"
