"""Counts of mailbox records: what the responder's daily query asks advanced hunting to summarize."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.tenant.hunting_rows import HuntingRow

_MAILBOXES = re.compile(r"Mailbox in \(([^)]*)\)")
MOST_NAMED = 5


def mailboxes_of(query: str) -> set[str] | None:
    """Return the mailboxes whose records a query counts; None for a query that counts nothing."""
    found = _MAILBOXES.search(query)
    return {word.strip(' "') for word in found[1].split(",")} if found and "summarize" in query else None


def counted(rows: Iterable[HuntingRow], mailboxes: set[str]) -> list[dict[str, Any]]:
    """Return one row for each mailbox, actor, logon type and operation, as the service counts them."""
    groups: dict[tuple[str, ...], list[HuntingRow]] = {}
    for row in rows:
        key = _key(row)
        if key["Mailbox"] in mailboxes:
            groups.setdefault(tuple(key.values()), []).append(row)
    return [_key(group[0]) | _counts(group) for _, group in sorted(groups.items())]


def _key(row: HuntingRow) -> dict[str, str]:
    record = row.cells["RawEventData"]
    owner, user = _text(record, "MailboxOwnerSid"), _text(record, "LogonUserSid")
    same = "yes" if owner.casefold() == user.casefold() else "no"
    return {
        "Mailbox": _text(record, "MailboxOwnerUPN").lower(),
        "MailboxId": _text(record, "MailboxGuid").lower(),
        "UserId": _text(record, "UserId").lower(),
        "ActorId": str(row.cells.get("AccountObjectId") or "").lower(),
        "AppId": (_text(record, "ClientAppId") or _text(record, "AppId")).lower(),
        "LogonType": _text(record, "LogonType"),
        "Same": same if owner and user else "",
        "ActionType": str(row.cells.get("ActionType")),
    }


def _counts(group: list[HuntingRow]) -> dict[str, Any]:
    records = [row.cells["RawEventData"] for row in group]
    times = sorted(str(row.cells["Timestamp"]) for row in group)
    return {
        "Count": len(group),
        "First": times[0],
        "Last": times[-1],
        "Clients": _set(_text(each, "ClientInfoString") for each in records),
        "Addresses": _set(_text(each, "ClientIPAddress") for each in records),
    }


def _set(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, texts)))[:MOST_NAMED]


def _text(record: dict[str, Any], name: str) -> str:
    found = record.get(name)
    return "" if found is None else str(found)
