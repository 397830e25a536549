"""Who changed what differs from the read before, as far as records of the audit log say so. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import moment
from bypass_responder.model.technique import Technique
from bypass_responder.tampering.mailbox import lost_in
from bypass_responder.tampering.match import last_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.model.health import Tampering
    from bypass_responder.posture.drift import Change
    from bypass_responder.posture.mailbox import Mailbox

_PROPERTY = {Technique.AGE_LIMIT: "AuditLogAgeLimit", Technique.AUDIT_ENABLED: "AuditEnabled"}


class Authors:
    """Who changed a property of a mailbox last."""

    def __init__(self, records: Iterable[Tampering]) -> None:
        """Take the records of the time between two reads."""
        self._known: dict[tuple[str, str], str] = {}
        for record in sorted(records, key=lambda each: each.occurred_at):
            name = last_part(record.target).casefold()
            if name and record.took_effect:
                by = f"{record.actor} at {moment(record.occurred_at)}"
                self._known |= dict.fromkeys(((name, each) for each in _properties(record)), by)

    def of(self, mailbox: Mailbox, changed: tuple[Change, ...]) -> tuple[Change, ...]:
        """Return the changes with who made each, where one record says so."""
        return tuple(self._named(mailbox, each) for each in changed) if self._known else changed

    def _named(self, mailbox: Mailbox, change: Change) -> Change:
        keys = ((name, change.property) for name in mailbox.names)
        by = {self._known[key] for key in keys if key in self._known}
        return change._replace(by=by.pop()) if len(by) == 1 else change


def _properties(record: Tampering) -> tuple[str, ...]:
    """Return the properties that a record changes. A list of its own takes the logon type out of DefaultAuditSet."""
    if record.technique is Technique.ACTION_LIST:
        return (*lost_in(record.extent), "DefaultAuditSet")
    return (_PROPERTY[record.technique],) if record.technique in _PROPERTY else ()
