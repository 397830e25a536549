"""Who changed what differs from the read before, as far as records of the audit log say so. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bypass_responder.model.base import moment
from bypass_responder.model.technique import Technique
from bypass_responder.tampering.mailbox import lost_in
from bypass_responder.tampering.match import last_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.model.health import Tampering
    from bypass_responder.posture.comparison import Comparison, MailboxPosture

_PROPERTY = {Technique.AGE_LIMIT: "AuditLogAgeLimit", Technique.AUDIT_ENABLED: "AuditEnabled"}
Authors = dict[tuple[str, str], str]
"""By a name of the mailbox and a property, who changed it last."""


def with_authors(found: Comparison, records: Iterable[Tampering]) -> Comparison:
    """Return the comparison with who changed each property. ``records``: of the time between the two reads."""
    known = _authors(records)
    if not known:
        return found
    rows = tuple(_named(row, known) if row.changed else row for row in found.rows)
    return replace(found, rows=rows)


def _authors(records: Iterable[Tampering]) -> Authors:
    found: Authors = {}
    for record in sorted(records, key=lambda each: each.occurred_at):
        name = last_part(record.target).casefold()
        if name and record.took_effect:
            by = f"{record.actor} at {moment(record.occurred_at)}"
            found |= dict.fromkeys(((name, each) for each in _properties(record)), by)
    return found


def _properties(record: Tampering) -> tuple[str, ...]:
    """Return the properties that a record changes. A list of its own takes the logon type out of DefaultAuditSet."""
    if record.technique is Technique.ACTION_LIST:
        return (*lost_in(record.extent), "DefaultAuditSet")
    return (_PROPERTY[record.technique],) if record.technique in _PROPERTY else ()


def _named(row: MailboxPosture, known: Authors) -> MailboxPosture:
    changed = []
    for change in row.changed:
        by = {known[name, change.property] for name in row.mailbox.names if (name, change.property) in known}
        changed.append(change._replace(by=by.pop()) if len(by) == 1 else change)
    return row._replace(changed=tuple(changed))
