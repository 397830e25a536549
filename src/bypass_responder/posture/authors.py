"""Who changed what differs from the read before, as far as records of the audit log say so. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import guid_or_none, moment
from bypass_responder.model.technique import Technique
from bypass_responder.tampering.mailbox import lost_in
from bypass_responder.tampering.match import last_part

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bypass_responder.model.health import Tampering
    from bypass_responder.posture.drift import Change
    from bypass_responder.posture.mailbox import Mailbox

_PROPERTY = {Technique.AGE_LIMIT: "AuditLogAgeLimit", Technique.AUDIT_ENABLED: "AuditEnabled"}


class Authors:
    """Who changed a property of a mailbox last."""

    def __init__(self, records: Iterable[Tampering]) -> None:
        """Take the records of the time between two reads."""
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
        """Return the changes with who made each, where a record says so."""
        return tuple(self._named(mailbox, each) for each in changed) if self._known else changed

    def _named(self, mailbox: Mailbox, change: Change) -> Change:
        """Return the change with the author of the last record, unless a later one may be of this mailbox as well."""
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
    """Return the properties that a record changes. A list of its own takes the logon type out of DefaultAuditSet."""
    if record.technique is Technique.ACTION_LIST:
        return (*lost_in(record.extent), "DefaultAuditSet")
    return (_PROPERTY[record.technique],) if record.technique in _PROPERTY else ()
