"""The result of detection for one record."""

from __future__ import annotations

from enum import StrEnum

from bypass_responder.model.base import Stored, Utc, Value


class Switch(StrEnum):
    """The value that the cmdlet was given."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """Whether the cmdlet did it. A missing ResultStatus is unknown."""

    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Actor(Stored):
    """Who ran the cmdlet, in the record's own words."""

    user_id: str | None = None
    object_id: str | None = None
    """TokenObjectId: the caller's Entra object id, where the record has it."""
    app_id: str | None = None
    client_ip: str | None = None
    user_type: str | None = None

    def __str__(self) -> str:
        """The best name there is for people."""
        return self.user_id or self.object_id or self.app_id or "unknown"


class BypassChange(Value):
    """One audit record of a bypass switched on or off, or of an attempt."""

    record_id: str
    occurred_at: Utc
    switch: Switch
    outcome: Outcome
    object_id_text: str
    """``ObjectId`` of the record, the Exchange Name; empty when the record has none."""
    identity_text: str
    """``Parameters.Identity``, as the caller typed it; empty when the record has none."""
    organization_id: str
    actor: Actor
    raw: str
    note: str = ""
    """``AuditRecord.note``."""


class AuditTampering(Value):
    """A change of an organization-wide audit switch: evidence, never a BypassChange.

    ``operation`` and ``parameter`` are canonical names (``Set-OrganizationConfig`` / ``AuditDisabled``,
    ``Set-AdminAuditLogConfig`` / ``UnifiedAuditLogIngestionEnabled``); ``value`` is the text given.
    ``weakens`` is True when the value switches auditing off.
    """

    record_id: str
    occurred_at: Utc
    operation: str
    parameter: str
    value: str
    weakens: bool
    outcome: Outcome
    organization_id: str
    actor: Actor
    raw: str
    note: str = ""
    """``AuditRecord.note``."""
