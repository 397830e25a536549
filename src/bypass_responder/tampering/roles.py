"""Rights: the right to set bypasses given to somebody, and the responder's own rights taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.operation import BYPASS_OPERATION, folded
from bypass_responder.tampering.match import Match, given, last_part, listed, object_of

if TYPE_CHECKING:
    from bypass_responder.model.record import AuditRecord
    from bypass_responder.tampering.match import Own

BYPASS_ROLE = "Audit Logs"
"""The built-in role that contains the bypass cmdlet."""
BYPASS_GROUPS = ("Organization Management", "Compliance Management", "Records Management")
"""The built-in role groups that have it."""
PERHAPS_US = "It may be the worker itself: EXCHANGE_WORKER_IDS does not say which ids are its own"
_GIVEN_TO = ("User", "SecurityGroup", "App", "Computer", "Policy")


def precursor(record: AuditRecord, own: Own) -> Match | None:
    """Match a role that can set bypasses and is given to somebody, or made.

    Our own installation does not count.
    """
    match folded(record.operation):
        case "newrolegroup":
            return _new_group(record, own)
        case "newmanagementroleassignment":
            return _assignment(record, own)
        case "newmanagementrole":
            return _new_role(record, own)
        case "addmanagementroleentry":
            return _entry(record)
        case "addrolegroupmember" | "updaterolegroupmember":
            return _members(record, own)
    return None


def _gives(role: str, own: Own) -> bool:
    return own.gives(role) or folded(last_part(role)) == folded(BYPASS_ROLE)


def _new_group(record: AuditRecord, own: Own) -> Match | None:
    """Match a role group with such a role.

    One under our name only if it has members, or a role that is not ours.
    """
    found = _roles(record, "Roles", own, of="Name")
    if found is None or found.extent:
        return found
    return None if all(own.holds(found.target, role) for role in found.value.split(", ")) else found


def _roles(record: AuditRecord, parameter: str, own: Own, *, of: str) -> Match | None:
    roles = [role for role in listed(given(record, parameter) or "") if _gives(role, own)]
    members = given(record, "Members")
    extent = f"members: {members}" if members else ""
    return Match(parameter, ", ".join(roles), given(record, of) or "", extent) if roles else None


def _assignment(record: AuditRecord, own: Own) -> Match | None:
    role = given(record, "Role") or ""
    holders = {name: value for name in _GIVEN_TO if (value := given(record, name))}
    ours = [*holders] == ["SecurityGroup"] and own.holds(holders["SecurityGroup"], role)
    if ours or not _gives(role, own):
        return None
    to = ", ".join(f"{name} {value}" for name, value in holders.items())
    return Match("Role", role, given(record, "Name") or "", f"to {to}")


def _new_role(record: AuditRecord, own: Own) -> Match | None:
    if own.makes(given(record, "Name") or "", given(record, "Parent") or ""):
        return None
    cmdlets = given(record, "EnabledCmdlets")
    if cmdlets is not None and folded(BYPASS_OPERATION) not in map(folded, listed(cmdlets)):
        return None
    return _roles(record, "Parent", own, of="Name")


def _entry(record: AuditRecord) -> Match | None:
    entry = given(record, "Identity") or ""
    named = folded(last_part(entry)) == folded(BYPASS_OPERATION)
    return Match("Identity", entry, entry) if named else None


def _members(record: AuditRecord, own: Own) -> Match | None:
    group = object_of(record)
    built_in = folded(last_part(group)) in map(folded, BYPASS_GROUPS)
    parameter = "Members" if given(record, "Members") else "Member"
    members = [each for each in listed(given(record, parameter) or "") if built_in or not own.is_us(each)]
    if not members or not (built_in or own.is_group(group)):
        return None
    perhaps_us = not built_in and not own.ids and any(map(guid_or_none, members))
    return Match(parameter, ", ".join(members), group, PERHAPS_US if perhaps_us else "")


def responder_removed(record: AuditRecord, own: Own) -> Match | None:
    """Match the removal of our role group, membership, role assignment or service principal."""
    name = object_of(record)
    match folded(record.operation):
        case "removerolegroup":
            return Match("Identity", name, name) if own.is_group(name) else None
        case "removerolegroupmember":
            return _lost_member(record, name, own)
        case "updaterolegroupmember":
            return _replaced(record, name, own)
        case "removemanagementroleassignment" | "removeserviceprincipal":
            return Match("Identity", name, name) if own.resembles_us(name) else None
        case "removeapproleassignmentfromserviceprincipal.":
            return Match(target=record.object_id or "") if own.has_id(record.raw) else None
    return None


def _lost_member(record: AuditRecord, group: str, own: Own) -> Match | None:
    """Match one of us; where our ids are unknown, anyone."""
    member = given(record, "Member") or ""
    ours = own.resembles_us(member) or not own.ids
    return Match("Member", member, group) if own.is_group(group) and ours else None


def _replaced(record: AuditRecord, group: str, own: Own) -> Match | None:
    members = given(record, "Members") or ""
    gone = own.is_group(group) and not any(map(own.is_us, listed(members)))
    return Match("Members", members, group) if gone else None
