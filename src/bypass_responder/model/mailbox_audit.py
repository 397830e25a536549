"""What a mailbox audits, as Exchange has it, and what may be changed of it.

A row of ``read_mailboxes`` and the before and after of ``apply_mailbox`` have the same settings.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.message import Guid

Action = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,64}$")]
"""An audited action such as MailItemsAccessed. Microsoft adds new ones."""


class LogonType(StrEnum):
    """As what somebody acts in a mailbox."""

    ADMIN = "Admin"
    DELEGATE = "Delegate"
    OWNER = "Owner"


class AuditSettings(Value):
    """The Audit* properties of one mailbox. What Exchange did not return is None, or an empty list."""

    enabled: bool | None = None
    age_limit: str | None = None
    """AuditLogAgeLimit as Exchange writes it: ``90.00:00:00`` is 90 days."""
    default_set: tuple[str, ...] = ()
    """DefaultAuditSet: the logon types whose actions Microsoft maintains. The others are pinned."""
    admin: tuple[str, ...] = ()
    delegate: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()

    def actions(self, logon: LogonType) -> tuple[str, ...]:
        """Return the audited actions of a logon type."""
        return {LogonType.ADMIN: self.admin, LogonType.DELEGATE: self.delegate, LogonType.OWNER: self.owner}[logon]

    def maintains(self, logon: LogonType) -> bool:
        """Return True when Microsoft maintains the actions of a logon type."""
        return logon.casefold() in self._default_set()

    def same_as(self, other: AuditSettings) -> bool:
        """Return True for the same settings, whatever the order and case of the lists.

        The actions of a logon type in both default sets are Microsoft's and not compared, as the worker does it.
        """
        kept = self._default_set() & other._default_set()
        return self._compared(kept) == other._compared(kept)

    def changed_by(self, change: AuditChange) -> AuditSettings:
        """Return the settings after a change.

        A logon type that returns to its default set has an empty list here.
        """
        lists: dict[str, tuple[str, ...]] = {}
        maintained: list[str] = []
        for logon in LogonType:
            name, now = logon.lower(), self.actions(logon)
            known = {action.casefold() for action in now}
            added = tuple(action for action in getattr(change, name) if action.casefold() not in known)
            if logon in change.default_set or (self.maintains(logon) and not added):
                maintained.append(logon.value)
                lists[name] = now if self.maintains(logon) else ()
            else:
                lists[name] = now + added
        return AuditSettings(
            enabled=True if change.enable else self.enabled,
            age_limit=f"{change.age_limit_days}.00:00:00" if change.age_limit_days else self.age_limit,
            default_set=tuple(maintained),
            **lists,
        )

    def _default_set(self) -> frozenset[str]:
        return frozenset(map(str.casefold, self.default_set))

    def _compared(self, kept: frozenset[str]) -> tuple[object, ...]:
        lists = (self.actions(logon) if logon.casefold() not in kept else () for logon in LogonType)
        return (
            self.enabled,
            self.age_limit,
            self._default_set(),
            *(frozenset(map(str.casefold, each)) for each in lists),
        )


class MailboxRow(Value):
    """One line of a shard's blob.

    Texts are as Exchange has them; identity is ``object_id``, never a name.
    """

    object_id: Guid | None
    """ExternalDirectoryObjectId; None where the mailbox has none."""
    exchange_guid: Guid | None
    upn: str = ""
    address: str = ""
    """PrimarySmtpAddress."""
    display_name: str = ""
    type: str = ""
    """RecipientTypeDetails, such as SharedMailbox."""
    created_at: Utc | None = None
    capabilities: tuple[str, ...] = ()
    """PersistedCapabilities: M365Auditing or BPOS_S_EquivioAnalytics stand for Audit (Premium)."""
    audit: AuditSettings


class AuditChange(Value):
    """What ``apply_mailbox`` sets. It only adds; what it leaves out stays."""

    enable: Literal[True] | None = None
    age_limit_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    """Longer than before."""
    default_set: tuple[LogonType, ...] = ()
    """Logon types that return to Microsoft's default set: their actions are maintained again."""
    admin: tuple[Action, ...] = ()
    """Actions that are added to the list. It pins the logon type."""
    delegate: tuple[Action, ...] = ()
    owner: tuple[Action, ...] = ()

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not any(self.model_dump().values()):
            msg = "a change sets at least one thing"
            raise ValueError(msg)
        added = {LogonType.ADMIN: self.admin, LogonType.DELEGATE: self.delegate, LogonType.OWNER: self.owner}
        if any(added[logon] for logon in self.default_set):
            msg = "a logon type gets its default set or additional actions, not both"
            raise ValueError(msg)
        return self
