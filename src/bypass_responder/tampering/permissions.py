"""Permissions that were granted and removed: what records say of them, and what was given only for a while. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.model.base import EARLIEST, record_key
from bypass_responder.model.health import LONGEST_TEXT
from bypass_responder.model.operation import CANONICAL, PERMISSION_OPERATIONS, folded, truth
from bypass_responder.model.permission_change import PermissionChange
from bypass_responder.tampering.match import given, last_part, listed, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bypass_responder.model.change import Actor
    from bypass_responder.model.record import AuditRecord

WITHIN = timedelta(days=7)
"""A grant that is taken away so soon may have been for one look."""
KEPT = timedelta(days=30)
"""How long a change is kept."""
FOLDER, MEMBER = "folder", "member"
_IN_FOLDER = ":\\"
_READ = {folded(name) for name in PERMISSION_OPERATIONS}


class Removed(NamedTuple):
    """A permission that was taken away soon after it was given."""

    grant: PermissionChange
    removal: PermissionChange


def permission_changes(record: AuditRecord, actor: Actor) -> list[PermissionChange]:
    """Return a change for each right and trustee that a record names; none for another operation, and for a denial."""
    if folded(record.operation) not in _READ or truth(given(record, "Deny") or ""):
        return []
    operation = CANONICAL[folded(record.operation)]
    verb, _, noun = operation.partition("-")
    rights = _rights(record)
    granted = verb != "Remove" and [each.casefold() for each in rights] != ["none"]
    kinds = [(FOLDER, ", ".join(rights))] if noun == "MailboxFolderPermission" else [(each, "") for each in rights]
    if noun.startswith("RoleGroup"):
        kinds = [(MEMBER, "")]
    return [
        PermissionChange(
            record_id=record_key(record.id),
            occurred_at=max(record.creation_time, EARLIEST),
            operation=operation,
            granted=granted,
            right=right[:LONGEST_TEXT],
            detail=detail[:LONGEST_TEXT],
            target=_target(record)[:LONGEST_TEXT],
            parameter=parameter,
            trustee=trustee[:LONGEST_TEXT],
            actor=actor,
        )
        for parameter, trustee in _trustees(record)
        for right, detail in kinds
    ]


def _rights(record: AuditRecord) -> list[str]:
    texts = listed(given(record, "AccessRights") or "")
    return [right for text in texts if (right := text.strip("{} "))]


def _target(record: AuditRecord) -> str:
    """Return the object as Exchange names it, which two commands share; what was typed may be any of its names."""
    name = record.object_id or object_of(record) or given(record, "Name") or ""
    mailbox, colon, folder = name.strip().partition(_IN_FOLDER)
    return last_part(mailbox) + colon + folder


def _trustees(record: AuditRecord) -> Iterator[tuple[str, str]]:
    for parameter in ("User", "Trustee", "Member"):
        if name := last_part(given(record, parameter) or ""):
            yield parameter, name
    for name in listed(given(record, "Members") or ""):
        yield "Members", last_part(name)


def removed_soon(changes: Iterable[PermissionChange]) -> list[Removed]:
    """Return each removal within ``WITHIN`` of a grant of the same, whatever the order, with the last grant before."""
    grants: dict[str, list[PermissionChange]] = {}
    removals = []
    for change in sorted(changes, key=_order):
        if change.granted:
            grants.setdefault(change.pair, []).append(change)
        else:
            removals.append(change)
    found = []
    for removal in removals:
        begin = removal.occurred_at - WITHIN
        before = [each for each in grants.get(removal.pair, ()) if begin <= each.occurred_at <= removal.occurred_at]
        found += [Removed(before[-1], removal)] if before else []
    return found


def _order(change: PermissionChange) -> tuple[object, ...]:
    return change.occurred_at, change.record_id
