"""A message to people, in the outbox."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from bypass_responder.model.base import Row, Stored, Utc

EVERYBODY = "*"


class Severity(StrEnum):
    """How soon a person should look. The order is that of the severity."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    EMERGENCY = "emergency"
    """More than critical: nobody has answered, or the actor is an administrator or has hidden several accounts."""

    @property
    def rank(self) -> int:
        """Return the place in the order, 0 for the lowest."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Delivery(Stored):
    """How far the delivery to one receiver is."""

    attempts: int = 0
    next_at: Utc | None = None
    """After a refusal: not before this time."""
    sent_at: Utc | None = None
    last_error: str = ""


class Notification(Row):
    """One message in the outbox. ``id`` is deterministic, so that each fact is notified once."""

    kind: ClassVar[str] = "notification"
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
    commands: tuple[str, ...] = ()
    """Commands that ``left_to_do`` names, each as it can be pasted into a shell."""
    to: str = ""
    """Empty: to each receiver by its minimum severity. ``EVERYBODY``, or the name of one receiver, whatever that is."""
    created_at: Utc
    deliveries: dict[str, Delivery] = Field(default_factory=dict)
    """By receiver."""
    sent_at: Utc | None = None
    """When the last receiver had accepted it."""

    def is_for(self, receiver: str, minimum: Severity) -> bool:
        """Return True when the receiver, which takes notifications from ``minimum`` on, is to get it."""
        return self.to in {receiver, EVERYBODY} if self.to else self.severity.rank >= minimum.rank

    def delivery(self, receiver: str) -> Delivery:
        """Return the delivery to one receiver, or a fresh one."""
        return self.deliveries.get(receiver) or Delivery()
