"""Rows of the daily query, and audit records, as what others than the owner did in a mailbox. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bypass_responder.errors import InputError
from bypass_responder.model.base import guid_or_none, whole_text
from bypass_responder.model.mailbox_access import AccessLogon, MailboxAccess, merged
from bypass_responder.sensing.records.moments import read_moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

LONGEST = 256
"""Characters of a name."""
_LOGONS = {
    **dict.fromkeys(("1", "admin", "6", "delegatedadmin"), AccessLogon.ADMIN),
    **dict.fromkeys(("2", "delegated", "delegate"), AccessLogon.DELEGATE),
}
_SERVICE = frozenset({"3", "transport", "4", "systemservice"})
"""Exchange itself: transport, and the service's own assistants."""


def logon_of(logon_type: str, *, same: bool | None, user: str, mailbox: str) -> AccessLogon | None:
    """Return as what somebody acted in another's mailbox; None for its owner, and for Exchange itself.

    ``same``: whether the user's and the owner's security ids are equal; None where one of them is missing.
    """
    kind = logon_type.strip().casefold()
    if kind in _SERVICE:
        return None
    if found := _LOGONS.get(kind):
        return found
    own = same if same is not None else user.casefold() == mailbox.casefold()
    return None if own else AccessLogon.OTHER


def counted_access(row: Mapping[str, Any], day: date, object_ids: Mapping[str, str]) -> MailboxAccess | None:
    """Return a row of the query; None for the owner's.

    Raises InputError for one without mailbox, count or time.
    ``object_ids``: of the owners, by user principal name.
    """
    cells = {name.casefold(): cell for name, cell in row.items()}
    mailbox, user = _text(cells.get("mailbox")).lower(), _text(cells.get("userid")).lower()
    same = {"yes": True, "no": False}.get(_text(cells.get("same")))
    logon = logon_of(_text(cells.get("logontype")), same=same, user=user, mailbox=mailbox)
    if logon is None:
        return None
    operation = _text(cells.get("actiontype"))
    if not mailbox or not operation:
        raise InputError("missing_field", "a row of mailbox access has no mailbox, or no operation")
    return MailboxAccess(
        day=day,
        mailbox=mailbox,
        mailbox_id=_text(cells.get("mailboxid")).lower(),
        object_id=object_ids.get(mailbox, ""),
        actor=user,
        actor_id=guid_or_none(_text(cells.get("actorid"))) or "",
        app_id=_text(cells.get("appid")).lower(),
        operation=operation,
        logon=logon,
        count=_count(cells.get("count")),
        first=_moment(cells.get("first")),
        last=_moment(cells.get("last")),
        clients=_texts(cells.get("clients")),
        addresses=_texts(cells.get("addresses")),
    )


def read_rows(
    answered: Iterable[Mapping[str, Any]], day: date, object_ids: Mapping[str, str]
) -> tuple[list[MailboxAccess], int]:
    """Return what others than the owners did, and how many rows could not be read."""
    found, unreadable = [], 0
    for each in answered:
        try:
            row = counted_access(each, day, object_ids)
        except InputError:
            unreadable += 1
        else:
            found += [row] if row else []
    return combined(found), unreadable


def combined(rows: Iterable[MailboxAccess]) -> list[MailboxAccess]:
    """Return one row for each actor, mailbox, operation and logon type, where a day was read in parts."""
    found: dict[str, MailboxAccess] = {}
    for row in rows:
        known = found.get(row.digest)
        found[row.digest] = known.plus(row) if known else row
    return list(found.values())


def _text(given: object) -> str:
    return whole_text(str(given)).strip()[:LONGEST] if given is not None else ""


def _texts(given: object) -> tuple[str, ...]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            given = [given]
    return merged((), tuple(map(_text, given))) if isinstance(given, list) else ()


def _count(given: object) -> int:
    try:
        return max(1, int(str(given)))
    except ValueError:
        raise InputError("wrong_type", f"the number of records is {given!r:.40}") from None


def _moment(given: object) -> datetime:
    if not isinstance(given, str):
        raise InputError("missing_field", "a row of mailbox access has no time")
    return read_moment(given).at
