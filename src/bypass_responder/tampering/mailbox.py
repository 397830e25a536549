"""One mailbox audited less: shorter action lists, auditing off, entries kept for a shorter time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bypass_responder.model.operation import truth
from bypass_responder.tampering.match import Match, given, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bypass_responder.model.record import AuditRecord
    from bypass_responder.tampering.match import Own

_EVERYBODY = frozenset(
    {"ApplyRecord", "HardDelete", "MailItemsAccessed", "MoveToDeletedItems", "SoftDelete", "Update"}
    | {"UpdateFolderPermissions", "UpdateInboxRules"}
)
_OTHERS = frozenset({"Create", "SendAs", "SendOnBehalf"})
_NOT_DELEGATES = frozenset({"Send", "UpdateCalendarDelegation"})
DEFAULT_ACTIONS = {
    "AuditAdmin": _EVERYBODY | _OTHERS | _NOT_DELEGATES,
    "AuditDelegate": _EVERYBODY | _OTHERS,
    "AuditOwner": _EVERYBODY | _NOT_DELEGATES,
}
"""Microsoft's default actions for each parameter, as documented in 2026-11."""
DEFAULT_DAYS = 90
"""Microsoft's default AuditLogAgeLimit."""
_ACTION = re.compile(r"(?:([+-])\s*)?(\w+)")
_KEYS = re.compile(r"\b(Add|Remove)\b[\"']?\s*[=:]", re.IGNORECASE)
_SIGNS = {"add": "+", "remove": "-"}
_TIME_SPAN = re.compile(r"\s*(?:(\d{1,6})\.)?(\d{1,2}):\d{2}:\d{2}(?:\.\d+)?\s*\Z|\s*(\d{1,6})\s*\Z")


def action_list(record: AuditRecord, _: Own) -> Match | None:
    """Match a list that loses actions: taken out of it, or missing in a list that replaces it."""
    lost = {name: missing for name in DEFAULT_ACTIONS if (missing := _lost(name, given(record, name)))}
    if not lost:
        return None
    extent = "; ".join(f"{name} without {', '.join(sorted(missing))}" for name, missing in lost.items())
    first = next(iter(lost))
    return Match(first, given(record, first) or "", target=object_of(record), extent=extent)


def _lost(parameter: str, text: str | None) -> frozenset[str]:
    """Return the actions that are no longer audited.

    A record of a replacement does not have the list before it.
    """
    if text is None:
        return frozenset()
    actions = list(_actions(text))
    if any(sign for sign, _ in actions):
        added = {action.casefold() for sign, action in actions if sign == "+"}
        return frozenset(action for sign, action in actions if sign == "-" and action.casefold() not in added)
    kept = {action.casefold() for _, action in actions}
    return frozenset(action for action in DEFAULT_ACTIONS[parameter] if action.casefold() not in kept)


def _actions(text: str) -> Iterator[tuple[str, str]]:
    """Yield each action with its sign, empty in a list that replaces the one before.

    As records and shells write it: ``+a;-b``, ``{a, b}``, ``a b``, JSON, and ``@{Add="a"; Remove="b"}``.
    """
    _, *keyed = _KEYS.split(text)
    for key, actions in zip(keyed[::2], keyed[1::2], strict=True):
        yield from ((_SIGNS[key.casefold()], action) for _, action in _ACTION.findall(actions))
    if not keyed:
        yield from _ACTION.findall(text)


def lost_in(extent: str) -> dict[str, frozenset[str]]:
    """Return the lost actions by parameter, from the extent of a match."""
    parts = (part.partition(" without ") for part in extent.split("; ") if part)
    return {name: frozenset(filter(None, actions.split(", "))) for name, _, actions in parts}


def audit_enabled(record: AuditRecord, _: Own) -> Match | None:
    """Match ``AuditEnabled`` set to false."""
    value = given(record, "AuditEnabled")
    off = value is not None and truth(value) is False
    return Match("AuditEnabled", value or "", target=object_of(record)) if off else None


def age_limit(record: AuditRecord, _: Own) -> Match | None:
    """Match a limit below the default: the record does not have the one before it."""
    value = given(record, "AuditLogAgeLimit") or ""
    days = _days(value)
    if days is None or days >= DEFAULT_DAYS:
        return None
    return Match("AuditLogAgeLimit", value, target=object_of(record), extent=f"{days} days, default {DEFAULT_DAYS}")


def _days(text: str) -> int | None:
    """Return the whole days of a .NET time span (``1.00:00:00``) or of a number; None for another text."""
    found = _TIME_SPAN.match(text)
    if found is None:
        return None
    days, hours, bare = found.groups()
    return int(bare) if bare else int(days or 0) + int(hours) // 24
