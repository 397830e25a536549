"""Rights: the right to set bypasses given to somebody, and the responder's own rights taken away."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.operation import BYPASS_OPERATION, folded
from bypass_responder.tampering.match import Match, given, last_part, listed, named

if TYPE_CHECKING:
    from collections.abc import Callable

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
    role = _role_given(record)
    holders = {name: value for name in _GIVEN_TO if (value := given(record, name))}
    ours = [*holders] == ["SecurityGroup"] and own.holds(holders["SecurityGroup"], role)
    if ours or not _gives(role, own):
        return None
    to = ", ".join(f"{name} {value}" for name, value in holders.items())
    return Match("Role", role, given(record, "Name") or "", f"to {to}")


def _role_given(record: AuditRecord) -> str:
    """Return the role; where it was typed as an id, what names it: the assignment, ``ROLE-HOLDER`` by default."""
    role = given(record, "Role") or ""
    if guid_or_none(role) is None:
        return role
    assignment = last_part(record.object_id or given(record, "Name") or "")
    return BYPASS_ROLE if _assigns_bypass(assignment) else assignment


def _assigns_bypass(assignment: str) -> bool:
    return last_part(assignment).casefold().startswith(f"{BYPASS_ROLE}-".casefold())


def _new_role(record: AuditRecord, own: Own) -> Match | None:
    if own.makes(given(record, "Name") or "", given(record, "Parent") or ""):
        return None
    cmdlets = given(record, "EnabledCmdlets")
    if cmdlets is not None and folded(BYPASS_OPERATION) not in map(folded, listed(cmdlets)):
        return None
    return _roles(record, "Parent", own, of="Name")


def _entry(record: AuditRecord) -> Match | None:
    r"""Match an entry that is, or by a wildcard includes, the cmdlet that sets bypasses.

    It is named as ``ROLE\CMDLET``, or as the entry of the parent and the role that gets it.
    """
    parent = given(record, "ParentRoleEntry") or ""
    role = given(record, "Role")
    if role and _is_bypass(last_part(parent)):
        return Match("ParentRoleEntry", parent, f"{role}\\{last_part(parent)}")
    entry = named(record, lambda name: _is_bypass(last_part(name)))
    return Match("Identity", entry, entry) if entry else None


def _is_bypass(cmdlet: str) -> bool:
    return fnmatchcase(folded(BYPASS_OPERATION), folded(cmdlet))


def _members(record: AuditRecord, own: Own) -> Match | None:
    built_in = named(record, _is_built_in)
    group = built_in or named(record, own.is_group)
    if group is None:
        return None
    parameter = "Members" if given(record, "Members") else "Member"
    members = [each for each in listed(given(record, parameter) or "") if built_in or not own.is_us(each)]
    if not members:
        return None
    perhaps_us = not built_in and not own.ids and any(map(guid_or_none, members))
    return Match(parameter, ", ".join(members), group, PERHAPS_US if perhaps_us else "")


def _is_built_in(group: str) -> bool:
    return folded(last_part(group)) in map(folded, BYPASS_GROUPS)


def responder_removed(record: AuditRecord, own: Own) -> Match | None:
    """Match the removal of our role group, membership, role assignment or service principal."""
    match folded(record.operation):
        case "removerolegroup":
            return _gone(record, own.is_group)
        case "removerolegroupmember":
            return _lost_member(record, own)
        case "updaterolegroupmember":
            return _replaced(record, own)
        case "removemanagementroleassignment" | "removeserviceprincipal":
            return _gone(record, own.resembles_us)
        case "removeapproleassignmentfromserviceprincipal.":
            return Match(target=record.object_id or "") if own.has_id(record.raw) else None
    return None


def _gone(record: AuditRecord, is_ours: Callable[[str], bool]) -> Match | None:
    name = named(record, is_ours)
    return Match("Identity", name, name) if name else None


def _lost_member(record: AuditRecord, own: Own) -> Match | None:
    """Match one of us; where our ids are unknown, anyone."""
    group, member = named(record, own.is_group), given(record, "Member") or ""
    ours = own.resembles_us(member) or not own.ids
    return Match("Member", member, group) if group and ours else None


def _replaced(record: AuditRecord, own: Own) -> Match | None:
    group, members = named(record, own.is_group), given(record, "Members") or ""
    gone = not any(map(own.is_us, listed(members)))
    return Match("Members", members, group) if group and gone else None
