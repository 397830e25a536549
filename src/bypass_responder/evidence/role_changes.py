"""Who gave the actor the right to run the cmdlet: changes of Exchange roles that concern them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import Record, detail, gathered, moment, pairs, text
from bypass_responder.evidence.own_acts import is_own_installation
from bypass_responder.model.question import Empty, Found, Item, Question

OPERATIONS = ("Add-RoleGroupMember", "Update-RoleGroupMember", "New-RoleGroup", "Set-RoleGroup", "New-ManagementRole",
              "New-ManagementRoleAssignment", "Set-ManagementRoleAssignment", "Add-ManagementRoleEntry",
              "New-ServicePrincipal")  # fmt: skip
RIGHTS = ("audit logs", "set-mailboxauditbypassassociation")
"""Roles and entries with which a bypass can be set, without case."""
SHOWN = ("Role", "Roles", "Member", "Members", "User", "SecurityGroup", "App", "Name", "Identity", "Parent", "AppId")


def changes_of(records: Sequence[Record], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return the changes that name the actor, or grant a right to bypass to others than our installation."""
    names = _names(question)
    items: list[Item] = []
    relevant: list[Record] = []
    for record in records:
        reason = _reason(record, names, question)
        if reason:
            relevant.append(record)
            items.append(_item(record, reason))
    since = f"{question.known_from:%Y-%m-%d}"
    note = "" if relevant else f"No role change since {since} names the account: it may have its role for longer."
    return gathered(relevant, items, complete=complete, note=note)


def _names(question: Question) -> set[str]:
    who = question.account
    full = who.user_principal_name.casefold()
    found = {full, full.partition("@")[0], who.object_id or "", who.app_id or ""}
    return {name for name in found if name}


def _reason(record: Record, names: set[str], question: Question) -> str:
    values = [value.casefold() for value in pairs(record, "Parameters").values()]
    words = {word.strip(" '\"") for value in values for word in value.replace(";", ",").split(",")}
    if words & names:
        return "gives the account a role"
    everything = " ".join([*values, text(record, "ObjectId").casefold()])
    gives = any(right in everything for right in RIGHTS) and not is_own_installation(record, question)
    return "gives a right to set a bypass" if gives else ""


def _item(record: Record, reason: str) -> Item:
    parameters = pairs(record, "Parameters")
    failed = text(record, "ResultStatus").casefold() in {"false", "failed"}
    return Item(
        at=moment(record.get("CreationTime")),
        what=text(record, "Operation") or "role change",
        detail=detail(by=text(record, "UserId"), object=text(record, "ObjectId"), result="failed" if failed else "")
        | {name: parameters[name] for name in SHOWN if parameters.get(name)},
        notable=f"{reason} (failed)" if failed else reason,
    )
