"""The result of detection for one record."""

from __future__ import annotations

from enum import StrEnum

from bypass_responder.model.base import Stored, Utc, Value
from bypass_responder.model.technique import Technique


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


class ActorKind(StrEnum):
    """What ran the cmdlet, as far as the record shows it. The text is for people."""

    ADMINISTRATOR = "administrator"
    PERSON = "person"
    APPLICATION = "application"
    PARTNER = "partner"
    MICROSOFT = "Microsoft service"
    UNKNOWN = "unknown kind"


_KINDS = {
    **dict.fromkeys(("2", "admin"), ActorKind.ADMINISTRATOR),
    **dict.fromkeys(("3", "dcadmin", "4", "system"), ActorKind.MICROSOFT),
    **dict.fromkeys(("5", "application", "6", "serviceprincipal"), ActorKind.APPLICATION),
    **dict.fromkeys(("9", "partnertechnician"), ActorKind.PARTNER),
    **dict.fromkeys(("0", "regular", "10", "guest"), ActorKind.PERSON),
}
"""UserType of an audit record, as a number or as a word."""
LONGEST_NAME = 200
"""Characters of a name in a sentence: a record may give any number."""
_SERVICES = ("nt authority\\", "nt service\\")


class Actor(Stored):
    """Who ran the cmdlet, in the record's own words."""

    user_id: str | None = None
    object_id: str | None = None
    """TokenObjectId: the caller's Entra object id, where the record has it."""
    app_id: str | None = None
    client_ip: str | None = None
    user_type: str | None = None
    external: bool = False
    """ExternalAccess: run from outside the organization, by a partner or by Microsoft."""

    @property
    def kind(self) -> ActorKind:
        """What it is. A name of Windows' own services is Microsoft's, whatever the type says."""
        name = (self.user_id or "").casefold()
        if name.startswith(_SERVICES):
            return ActorKind.MICROSOFT
        if self.external:
            return ActorKind.PARTNER if "@" in name else ActorKind.MICROSOFT
        if name.startswith("serviceprincipal_"):
            return ActorKind.APPLICATION
        return _KINDS.get((self.user_type or "").casefold(), ActorKind.PERSON if "@" in name else ActorKind.UNKNOWN)

    @property
    def ids(self) -> frozenset[str]:
        """Its ids in Entra, as far as the record has them."""
        return frozenset(each for each in (self.app_id, self.object_id) if each)

    @property
    def names(self) -> frozenset[str]:
        """What identifies it, without case. An application id does not: everyone's PowerShell has the same."""
        return frozenset(name.casefold() for name in (self.object_id, self.user_id) if name)

    def may_be(self, ids: frozenset[str]) -> bool:
        """Return True for one of the ids; if none can be compared, for anything without a person's name."""
        return bool(self.ids & ids) if ids and self.ids else "@" not in (self.user_id or "")

    @property
    def described(self) -> str:
        """The name with what is known of it: kind and address."""
        if str(self) == "unknown":
            return "somebody whom no audit record names"
        known = [self.kind.value] if self.kind is not ActorKind.UNKNOWN else []
        known.append(f"from {self.client_ip}" if self.client_ip else "no address recorded")
        return f"{str(self)[:LONGEST_NAME]} ({', '.join(known)})"

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
    """A change that weakens auditing in another way than a bypass, or restores an organization's switch.

    Evidence, never a BypassChange.
    """

    record_id: str
    occurred_at: Utc
    technique: Technique
    operation: str
    """The canonical name, such as ``Set-OrganizationConfig``."""
    parameter: str
    """The parameter that matters most, by its canonical name; empty where there is none."""
    value: str
    """The text given for it."""
    target: str = ""
    """The mailbox, account, role or policy, as it was typed; empty for the whole organization."""
    object_id_text: str = ""
    """``ObjectId`` of the record: the same object, as the service names it."""
    extent: str = ""
    """What is lost, as far as the record shows it."""
    weakens: bool
    """False for a value that switches auditing on."""
    outcome: Outcome
    organization_id: str
    actor: Actor
    raw: str
    note: str = ""
    """``AuditRecord.note``."""

    @property
    def took_effect(self) -> bool:
        """True when auditing is weaker by it: the value weakens, and the change did not fail."""
        return self.weakens and self.outcome is not Outcome.FAILED
