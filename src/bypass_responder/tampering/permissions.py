"""Permissions that were granted and removed: what records say of them. Pure."""

from __future__ import annotations

from datetime import timedelta
from itertools import accumulate, product, takewhile
from typing import TYPE_CHECKING, Any

from bypass_responder.model.base import EARLIEST, record_key
from bypass_responder.model.health import LONGEST_TEXT
from bypass_responder.model.operation import CANONICAL, PERMISSION_OPERATIONS, folded, truth
from bypass_responder.model.permission_change import PermissionChange
from bypass_responder.tampering.match import given, last_part, listed, object_of

if TYPE_CHECKING:
    from bypass_responder.model.change import Actor
    from bypass_responder.model.record import AuditRecord

WITHIN = timedelta(days=7)
"""A grant that is taken away so soon may have been for one look."""
KEPT = timedelta(days=30)
"""How long a change is kept."""
FOLDER, MEMBER, OWNER = "folder", "member", "Owner"
_MOST_RIGHTS = 50
_LIST_CHARACTERS = 20_000
"""Of the names of a list. Who comes after them is counted only."""
_READ = {folded(name) for name in PERMISSION_OPERATIONS}


def permission_changes(record: AuditRecord, actor: Actor) -> list[PermissionChange]:
    """Return a change for each right that a record names, none for another operation.

    A list of trustees is one change.
    A denial takes away; the removal of a denial is none.
    """
    if folded(record.operation) not in _READ:
        return []
    operation = CANONICAL[folded(record.operation)]
    verb, _, noun = operation.partition("-")
    denies = bool(truth(given(record, "Deny") or ""))
    if denies and verb == "Remove":
        return []
    rights = _rights(record)
    common: dict[str, Any] = {
        "record_id": record_key(record.id),
        "occurred_at": max(record.creation_time, EARLIEST),
        "operation": operation,
        "granted": verb != "Remove" and not denies and [each.casefold() for each in rights] != ["none"],
        "target": _target(record, noun)[:LONGEST_TEXT],
        "actor": actor,
    }
    if (whole := _whole(record, operation)) is not None:
        return [PermissionChange(**common | whole)]
    kinds = [(FOLDER, ", ".join(rights))] if noun == "MailboxFolderPermission" else [(each, "") for each in rights]
    if noun.startswith("RoleGroup"):
        kinds = [(MEMBER, "")]
    return [
        PermissionChange(**common, right=right[:LONGEST_TEXT], detail=detail[:LONGEST_TEXT], **trustee)
        for trustee, (right, detail) in product(_trustee(record), kinds[:_MOST_RIGHTS])
    ]


def _whole(record: AuditRecord, operation: str) -> dict[str, Any] | None:
    """Return the fields of a change that lists everybody who has a right from now on; None for another."""
    if operation == "Remove-RoleGroup":
        return {"right": MEMBER, "parameter": "Identity", "whole": True}
    if operation == "Remove-MailboxPermission" and truth(given(record, "ResetDefault") or ""):
        return {"right": "", "parameter": "ResetDefault", "whole": True}
    if operation == "Add-MailboxPermission" and (owner := last_part(given(record, "Owner") or "")):
        return {"right": OWNER, "parameter": "Owner", "whole": True, "trustees": (owner[:LONGEST_TEXT],)}
    if operation in {"New-RoleGroup", "Update-RoleGroupMember"}:
        return _members(record) if operation[0] == "U" or given(record, "Members") else None
    return None


def _members(record: AuditRecord) -> dict[str, Any]:
    named = map(last_part, listed(given(record, "Members") or ""))
    names = [name[:LONGEST_TEXT] for name in named if name]
    lengths = accumulate(map(len, names))
    kept = names[: sum(1 for _ in takewhile(lambda total: total <= _LIST_CHARACTERS, lengths))]
    unlisted = len(names) - len(kept)
    fields = {"right": MEMBER, "parameter": "Members", "trustees": tuple(kept)}
    return fields | {"unlisted": unlisted, "whole": not unlisted}


def _rights(record: AuditRecord) -> list[str]:
    texts = listed(given(record, "AccessRights") or "")
    return list(dict.fromkeys(right for text in texts if (right := text.strip("{} "))))


def _target(record: AuditRecord, noun: str) -> str:
    """Return the object as Exchange names it, the same for any of the names that were typed."""
    name = (record.object_id or object_of(record) or given(record, "Name") or "").strip()
    if noun != "MailboxFolderPermission":
        return last_part(name)
    mailbox, _, folder = name.partition(":")
    return f"{last_part(mailbox)}:\\{folder.lstrip(chr(92))}"


def _trustee(record: AuditRecord) -> list[dict[str, str]]:
    """Return the trustee that the record names, as fields; at most one."""
    for parameter in ("User", "Trustee", "Member"):
        if name := last_part(given(record, parameter) or ""):
            return [{"parameter": parameter, "trustee": name[:LONGEST_TEXT]}]
    return []
