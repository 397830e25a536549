"""A message to people, in the outbox."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from bypass_responder.model.base import Row, Stored, Utc


class Severity(StrEnum):
    """How soon a person should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


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
    created_at: Utc
    deliveries: dict[str, Delivery] = Field(default_factory=dict)
    """By receiver."""
    sent_at: Utc | None = None
    """When the last receiver had accepted it."""

    def delivery(self, receiver: str) -> Delivery:
        """Return the delivery to one receiver, or a fresh one."""
        return self.deliveries.get(receiver) or Delivery()
