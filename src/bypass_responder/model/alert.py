"""An alert from a SIEM or Defender, through Event Grid: an untrusted hint that Exchange must confirm."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.message import Guid
from bypass_responder.model.record import AuditRecord

LONGEST_TEXT = 512
"""Characters of an actor or a source: they are for people."""

_ANY = r"[^\x00-\x1f\x7f-\x9f]"
_TARGET = rf"^{_ANY}*[^\s\x00-\x1f\x7f-\x9f]{_ANY}*$"
"""No control character, and not only spaces."""
_HTTPS = r"^https://[A-Za-z0-9.-]+(:[0-9]+)?([/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?$"
"""No name and password before the host, and no character that would end a link in a page."""


class Hint(Value):
    """A claim that an account is bypassed: the minimal form of an alert's data. Ignores other fields."""

    model_config = ConfigDict(extra="ignore", validate_by_name=True)

    tenant_id: Guid = Field(alias="tenantId")
    target: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1024, pattern=_TARGET)]
    """The account: object id, user principal name or Exchange name. Text, whatever it looks like."""
    actor: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] | None = None
    """Who ran the cmdlet."""
    occurred_at: Utc | None = Field(default=None, alias="occurredAt")
    link: Annotated[str, StringConstraints(max_length=2048, pattern=_HTTPS)] | None = None
    """Where the sender has more."""


class Alert(Value):
    """One event. It carries audit records or, in the minimal form, a hint; never both, never neither."""

    id: str
    """32 hexadecimal digits, the same for the same event however often it is delivered."""
    source: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
    """Who sent it, in the event's own words, printable. Empty when it does not say."""
    sent_at: Utc | None
    """The event's own time."""
    records: tuple[AuditRecord, ...] = ()
    hints: tuple[Hint, ...] = ()
    raw: str
    """The whole event as it came in."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if bool(self.records) == bool(self.hints):
            msg = "an alert carries either records or hints"
            raise ValueError(msg)
        return self
