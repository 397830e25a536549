"""Rights: the right to set bypasses given to somebody, and the responder's own rights taken away."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.operation import BYPASS_OPERATION, folded, truth
from bypass_responder.tampering.match import Match, given, last_part, listed, named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bypass_responder.model.record import AuditRecord
    from bypass_responder.tampering.match import Matcher, Own

BYPASS_ROLE = "Audit Logs"
"""The built-in role that contains the bypass cmdlet."""
BYPASS_GROUPS = ("Organization Management", "Compliance Management", "Records Management")
"""The built-in role groups that have it."""
PERHAPS_US = "It may be the worker itself: EXCHANGE_WORKER_IDS does not say which ids are its own"
_NO_LIMIT = {"", "$null", "none", "organization"}
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
        case "setmanagementroleassignment":
            return _enabled(record, own)
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


def _enabled(record: AuditRecord, own: Own) -> Match | None:
    """Match an assignment that is enabled again; not that of our installation."""
    value = given(record, "Enabled") or ""
    name = named(record, lambda each: _assigns_bypass(each) or own.gives(each))
    if name is None or not truth(value) or named(record, own.is_assignment):
        return None
    return Match("Enabled", value, last_part(name))


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
    """Match what removes, disables or limits a right of ours: it need not be removed to be lost."""
    matched = _REMOVED.get(folded(record.operation))
    return matched(record, own) if matched else None


def _gone(record: AuditRecord, is_ours: Callable[[str], bool]) -> Match | None:
    name = named(record, is_ours)
    return Match("Identity", name, name) if name else None


def _limited_entry(record: AuditRecord, own: Own) -> Match | None:
    """Match an entry that loses parameters: taken out, or replaced, which our installation does in other roles only."""
    entry, parameters = named(record, own.is_entry), given(record, "Parameters") or ""
    if entry is None or truth(given(record, "AddParameter") or ""):
        return None
    if truth(given(record, "RemoveParameter") or ""):
        return Match("Parameters", parameters, entry, f"without {parameters}")
    replaced = own.gives(entry.rpartition("\\")[0])
    return Match("Parameters", parameters, entry, f"only {parameters or 'the cmdlet'}") if replaced else None


def _limited_assignment(record: AuditRecord, own: Own) -> Match | None:
    name = named(record, own.resembles_us)
    if name is None:
        return None
    if truth(given(record, "Enabled") or "") is False:
        return Match("Enabled", "False", last_part(name), "disabled")
    scopes = {each: value for each, value in record.parameters.items() if folded(each).endswith("scope")}
    limits = ((each, value) for each, value in scopes.items() if folded(value) not in _NO_LIMIT)
    return next((Match(each, value, last_part(name), "limited by a scope") for each, value in limits), None)


def _changed_group(record: AuditRecord, own: Own) -> Match | None:
    """Match another name, under which records of it are not recognized, and others who may change its members."""
    group, name, managers = named(record, own.is_group), given(record, "Name"), given(record, "ManagedBy")
    if group is None:
        return None
    if name and not own.is_group(name):
        return Match("Name", name, last_part(group), "renamed")
    return Match("ManagedBy", managers, last_part(group), "others may change its members") if managers else None


def _lost_member(record: AuditRecord, own: Own) -> Match | None:
    """Match one of us; where our ids are unknown, anyone."""
    group, member = named(record, own.is_group), given(record, "Member") or ""
    ours = own.resembles_us(member) or not own.ids
    return Match("Member", member, group) if group and ours else None


def _replaced(record: AuditRecord, own: Own) -> Match | None:
    group, members = named(record, own.is_group), given(record, "Members") or ""
    gone = not any(map(own.is_us, listed(members)))
    return Match("Members", members, group) if group and gone else None


def _lost_permission(record: AuditRecord, own: Own) -> Match | None:
    return Match(target=record.object_id or "") if own.has_id(record.raw) else None


_REMOVED: Mapping[str, Matcher] = {
    "removerolegroup": lambda record, own: _gone(record, own.is_group),
    "removerolegroupmember": _lost_member,
    "updaterolegroupmember": _replaced,
    "setrolegroup": _changed_group,
    "removemanagementrole": lambda record, own: _gone(record, own.is_role),
    "removemanagementroleassignment": lambda record, own: _gone(record, own.resembles_us),
    "setmanagementroleassignment": _limited_assignment,
    "removemanagementroleentry": lambda record, own: _gone(record, own.is_entry),
    "setmanagementroleentry": _limited_entry,
    "removeserviceprincipal": lambda record, own: _gone(record, own.resembles_us),
    "removeapproleassignmentfromserviceprincipal.": _lost_permission,
}
