"""Whether a Set-Mailbox audit record shows what a plan, or its undo, asked of a mailbox. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.model.technique import Technique
from bypass_responder.posture.age_limit import days_of
from bypass_responder.tampering.family import ways_of
from bypass_responder.tampering.mailbox import lost_in
from bypass_responder.tampering.match import Own, object_of

if TYPE_CHECKING:
    from bypass_responder.model.mailbox_audit import AuditSettings
    from bypass_responder.model.plan_run import MailboxChange
    from bypass_responder.model.record import AuditRecord
    from bypass_responder.tampering.match import Match

_NOBODY = Own()


def asks_for(change: MailboxChange, record: AuditRecord) -> bool:
    """Return True when whatever the record weakens is as the change wants it.

    The worker names a mailbox by its Exchange Guid, and nothing else: a name can be given to another mailbox.
    """
    if change.exchange_guid is None or guid_or_none(object_of(record)) != change.exchange_guid:
        return False
    found = [(technique, way.match(record, _NOBODY)) for technique, way in ways_of(record.operation)]
    return any(
        all(_is_wanted(technique, match, wanted) for technique, match in found if match) for wanted in change.asked_for
    )


def _is_wanted(technique: Technique, match: Match, wanted: AuditSettings) -> bool:
    match technique:
        case Technique.ACTION_LIST:
            lost = lost_in(match.extent)
            return not any(_audits(wanted, logon, lost.get(f"Audit{logon}", frozenset())) for logon in LogonType)
        case Technique.AGE_LIMIT:
            return days_of(wanted.age_limit) is not None and days_of(match.value) == days_of(wanted.age_limit)
        case Technique.AUDIT_ENABLED:
            return wanted.enabled is False
    return False


def _audits(wanted: AuditSettings, logon: LogonType, lost: frozenset[str]) -> bool:
    """Return True when one of the lost actions is wanted.

    A default set is Microsoft's, and its list may be unknown.
    """
    if logon.casefold() in map(str.casefold, wanted.default_set):
        return bool(lost)
    kept = {action.casefold() for action in wanted.actions(logon)}
    return any(action.casefold() in kept for action in lost)
