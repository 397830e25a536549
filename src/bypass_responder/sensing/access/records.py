"""Audit records of a mailbox, counted as hunting counts its rows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bypass_responder.errors import InputError
from bypass_responder.sensing.access.rows import combined, counted_access
from bypass_responder.sensing.records.moments import read_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bypass_responder.model.mailbox_access import MailboxAccess


def accesses_of(records: Iterable[Mapping[str, Any]], mailbox: str, object_id: str) -> tuple[list[MailboxAccess], int]:
    """Return what others than the owner did in a mailbox (user principal name).

    Also how many records are unreadable.
    A search by a name also finds what the owner did elsewhere: records of other mailboxes are left out.
    """
    found, unreadable = [], 0
    for record in records:
        if str(record.get("MailboxOwnerUPN") or "").lower() != mailbox:
            continue
        try:
            day = read_moment(str(record.get("CreationTime"))).at.date()
            row = counted_access(_as_row(record), day, {mailbox: object_id})
        except InputError:
            unreadable += 1
        else:
            found += [row] if row else []
    return combined(found), unreadable


def _as_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with the columns of the query."""
    owner, user = (str(record.get(name) or "").casefold() for name in ("MailboxOwnerSid", "LogonUserSid"))
    return {
        "Mailbox": record.get("MailboxOwnerUPN"),
        "MailboxId": record.get("MailboxGuid"),
        "UserId": record.get("UserId"),
        "ActorId": record.get("TokenObjectId"),
        "AppId": record.get("ClientAppId") or record.get("AppId"),
        "LogonType": record.get("LogonType"),
        "Same": ("yes" if owner == user else "no") if owner and user else "",
        "ActionType": record.get("Operation"),
        "Count": 1,
        "First": record.get("CreationTime"),
        "Last": record.get("CreationTime"),
        "Clients": record.get("ClientInfoString"),
        "Addresses": record.get("ClientIPAddress") or record.get("ClientIP"),
    }
