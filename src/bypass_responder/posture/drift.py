"""What changed of a mailbox's settings since the read before. Pure."""

from __future__ import annotations

from typing import NamedTuple

from bypass_responder.posture.mailbox import Audit

NAMES = {
    "enabled": "AuditEnabled",
    "age_limit": "AuditLogAgeLimit",
    "default_set": "DefaultAuditSet",
    "admin": "AuditAdmin",
    "delegate": "AuditDelegate",
    "owner": "AuditOwner",
}
"""Field to the property of Exchange."""


class Change(NamedTuple):
    """One property that is not as it was."""

    property: str
    text: str
    """Before and after; of a list, what was removed (-) and added (+)."""
    by: str = ""
    """Who changed it, and when; empty where no record says so."""
    planned: bool = False
    """True: a plan, or the undo of one, left the mailbox with these settings."""

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.property} {self.text}{f', by {self.by}' if self.by else ''}"


def changes(before: Audit, after: Audit) -> tuple[Change, ...]:
    """Return the properties that differ.

    The order and letter case of a list do not matter; nor does one not read.
    """
    if before is after or before == after:
        return ()
    return tuple(
        _change(NAMES[field], old, new)
        for field, old, new in zip(Audit._fields, before, after, strict=True)
        if old is not None and new is not None and _folded(old) != _folded(new)
    )


def _folded(value: object) -> object:
    return frozenset(map(str.casefold, value)) if isinstance(value, tuple) else value


def _change(name: str, old: object, new: object) -> Change:
    if not isinstance(old, tuple) or not isinstance(new, tuple):
        return Change(name, f"{old} → {new}")
    there, now = {word.casefold() for word in old}, {word.casefold() for word in new}
    removed = sorted(f"-{word}" for word in old if word.casefold() not in now)
    added = sorted(f"+{word}" for word in new if word.casefold() not in there)
    return Change(name, ", ".join((*removed, *added)))
