"""A message to people, in the outbox."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from bypass_responder.model.base import Row, Utc


class Severity(StrEnum):
    """How soon a person should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


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
    sent_at: Utc | None = None
    attempts: int = 0
    next_at: Utc | None = None
    last_error: str = ""
