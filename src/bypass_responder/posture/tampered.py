"""Whether a change of a mailbox is still in effect, from a read of all mailboxes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.health import LONGEST_TEXT
from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.model.read_back import Persists, ReadBack
from bypass_responder.model.technique import Technique
from bypass_responder.posture.age_limit import days_of, in_words
from bypass_responder.posture.baseline import License
from bypass_responder.tampering.mailbox import DEFAULT_DAYS, lost_in
from bypass_responder.tampering.match import last_part

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bypass_responder.model.health import Tampering
    from bypass_responder.posture.mailbox import Mailbox

OF_MAILBOXES = frozenset({Technique.ACTION_LIST, Technique.AGE_LIMIT, Technique.AUDIT_ENABLED, Technique.LICENSE})
"""The rows of the family whose state a mailbox has."""
Found = tuple[bool | None, str]
"""Whether it is still in effect, None where that was not read; and what was."""


def read_backs(
    changes: Sequence[Tampering], mailboxes: Iterable[Mailbox], read_at: datetime, *, partial: bool
) -> dict[str, ReadBack]:
    """Return what a read showed of the changes before it, by their ids.

    A mailbox is found by an id or an address.
    """
    due = [row for row in changes if row.technique in OF_MAILBOXES and row.took_effect and row.occurred_at < read_at]
    wanted: dict[str, list[Mailbox]] = {name: [] for row in due for name in _names(row)}
    for mailbox in mailboxes if wanted else ():
        for name in mailbox.names:
            if name in wanted:
                wanted[name].append(mailbox)
    return {row.id: _read_back(row, [wanted[name] for name in _names(row)], read_at, partial=partial) for row in due}


def _names(row: Tampering) -> tuple[str, str]:
    """Return the object as the service names it, and as typed: an address may belong to another by now."""
    named = last_part(row.object_id_text).casefold()
    return named, last_part(row.target).casefold()


def _read_back(row: Tampering, found: Sequence[Sequence[Mailbox]], read_at: datetime, *, partial: bool) -> ReadBack:
    by_service, typed = found
    one = by_service or typed
    if len(one) != 1:
        named = f"{len(one) or 'no'} mailbox{'es' if one else ''} with this id, user principal name or address"
        why = f"the read, which was partial, has {named}" if partial else f"found {named}"
        return ReadBack(state=Persists.UNKNOWN, read_at=read_at, detail=why)
    if any(each.names != one[0].names for each in typed):
        why = f"the record names {row.object_id_text} and {row.target}, which belong to different mailboxes"
        return ReadBack(state=Persists.UNKNOWN, read_at=read_at, detail=why[:LONGEST_TEXT])
    still, detail = _judge(row, one[0])
    if still is False and not by_service and row.object_id_text and guid_or_none(row.target) is None:
        still, detail = (
            None,
            f"of {row.target} {detail}, but the record is of {row.object_id_text}, which was not found",
        )
    state = {True: Persists.STILL_SO, False: Persists.UNDONE, None: Persists.UNKNOWN}[still]
    return ReadBack(state=state, read_at=read_at, detail=detail)


def _judge(row: Tampering, mailbox: Mailbox) -> Found:
    audit = mailbox.audit
    match row.technique:
        case Technique.ACTION_LIST:
            return _of_lists(row, mailbox)
        case Technique.AGE_LIMIT:
            days = days_of(audit.age_limit)
            return None if days is None else days < DEFAULT_DAYS, f"AuditLogAgeLimit is {in_words(audit.age_limit)}"
        case Technique.AUDIT_ENABLED:
            value = "not read" if audit.enabled is None else audit.enabled
            return None if audit.enabled is None else not audit.enabled, f"AuditEnabled is {value}"
    is_premium = {License.PREMIUM: True, License.STANDARD: False}.get(mailbox.license)
    has = {True: "has", False: "does not have", None: "has no capabilities that show whether it has"}[is_premium]
    return None if is_premium is None else not is_premium, f"the mailbox {has} Audit (Premium)"


def _of_lists(row: Tampering, mailbox: Mailbox) -> Found:
    missing, unread = [], []
    for logon in LogonType:
        lost = lost_of(row).get(f"Audit{logon}", frozenset())
        actions = mailbox.audit.actions(logon)
        if lost and actions is None:
            unread.append(f"Audit{logon}")
        kept = {action.casefold() for action in actions or ()}
        if gone := sorted(action for action in lost if action.casefold() not in kept and actions is not None):
            missing.append(f"Audit{logon} lacks {', '.join(gone)}")
    if missing:
        return True, "; ".join(missing)
    if is_cut(row):
        return None, "the change took out more actions than are kept of its record; those that are kept are back"
    return (None, f"{', '.join(unread)} was not read") if unread else (False, "the actions are in the lists again")


def lost_of(row: Tampering) -> dict[str, frozenset[str]]:
    """Return the lost actions. Of a text that was cut, the last name may be a part of one."""
    return lost_in(row.extent.rpartition(", ")[0] if is_cut(row) else row.extent)


def is_cut(row: Tampering) -> bool:
    """Return True where the extent was too long to keep, so that there are more lost actions."""
    return len(row.extent) >= LONGEST_TEXT
