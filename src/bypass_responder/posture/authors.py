"""Who changed what differs from the read before, as far as records of the audit log say so. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.model.base import guid_or_none, moment
from bypass_responder.model.technique import Technique
from bypass_responder.posture.mailbox import settings_of
from bypass_responder.tampering.mailbox import lost_in
from bypass_responder.tampering.match import last_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bypass_responder.model.health import Tampering
    from bypass_responder.model.mailbox_audit import AuditSettings
    from bypass_responder.posture.drift import Change
    from bypass_responder.posture.mailbox import Mailbox

_PROPERTY = {Technique.AGE_LIMIT: "AuditLogAgeLimit", Technique.AUDIT_ENABLED: "AuditEnabled"}


class PlannedSettings(NamedTuple):
    """With what a plan, or the undo of one, left a mailbox."""

    settings: AuditSettings
    """As read back."""
    by: str
    """The run, for people."""


class Authors:
    """Who changed a property of a mailbox last."""

    def __init__(self, records: Iterable[Tampering], planned: Mapping[str, PlannedSettings]) -> None:
        """Take the records of the time between two reads, and what our own runs set in it, by object id."""
        self._planned = planned
        self._known: dict[tuple[str, str], tuple[datetime, str]] = {}
        self._of_anyone: dict[str, datetime] = {}
        for record in sorted(records, key=lambda each: each.occurred_at):
            if not record.took_effect:
                continue
            at, names, properties = record.occurred_at, _names(record), _properties(record)
            by = f"{record.actor} at {moment(at)}"
            self._known |= dict.fromkeys(((name, each) for name in names for each in properties), (at, by))
            if not any(guid_or_none(name) or "@" in name for name in names):
                self._of_anyone |= dict.fromkeys(properties, at)

    def of(self, mailbox: Mailbox, changed: tuple[Change, ...]) -> tuple[Change, ...]:
        """Return the changes with who made each, where a record or a run says so."""
        own = self._planned.get(mailbox.object_id or "")
        if own is not None and settings_of(mailbox.audit).same_as(own.settings):
            return tuple(each._replace(by=own.by, planned=True) for each in changed)
        return tuple(self._named(mailbox, each) for each in changed) if self._known else changed

    def _named(self, mailbox: Mailbox, change: Change) -> Change:
        """Return the change with the last record's author, unless a later record may be of this mailbox too."""
        keys = ((name, change.property) for name in mailbox.names)
        last = max((self._known[key] for key in keys if key in self._known), default=None)
        unclear = self._of_anyone.get(change.property)
        if last is None or (unclear is not None and unclear >= last[0]):
            return change
        return change._replace(by=last[1])


def _names(record: Tampering) -> set[str]:
    """Return what a record calls its mailbox: the id that the service gives it, else also what was typed.

    Neither an id nor an address, such as an alias, is of no known mailbox.
    """
    named = last_part(record.object_id_text).casefold()
    return {named} if guid_or_none(named) else {named, last_part(record.target).casefold()} - {""}


def _properties(record: Tampering) -> tuple[str, ...]:
    """Return the properties that a record changes.

    A custom list takes the logon type out of DefaultAuditSet.
    """
    if record.technique is Technique.ACTION_LIST:
        return (*lost_in(record.extent), "DefaultAuditSet")
    return (_PROPERTY[record.technique],) if record.technique in _PROPERTY else ()
