"""The management roles of the stand-in Exchange, and who has them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

BYPASS = "Set-MailboxAuditBypassAssociation"
GROUP = "Mailbox Audit Bypass Responder"
AUDIT_PARAMETERS = ("AuditAdmin", "AuditDelegate", "AuditEnabled", "AuditLogAgeLimit", "AuditOwner", "Confirm",
                    "DefaultAuditSet", "Identity", "WhatIf")  # fmt: skip


class Assignment(BaseModel):
    """One management role of an assignee."""

    model_config = ConfigDict(extra="forbid")

    role: str
    assignee: str
    assignee_type: str = "RoleGroup"
    delegation: str = "Regular"


class Roles(BaseModel):
    """Roles with their cmdlets and the parameters of these, assignments, members of role groups by name."""

    model_config = ConfigDict(extra="forbid")

    entries: dict[str, dict[str, list[str]]] = {
        "Audit Logs": {"Get-AdminAuditLogConfig": [], "Set-AdminAuditLogConfig": [], BYPASS: []},
        "Mail Recipients": {"Get-Mailbox": [], "Set-Mailbox": [], "Get-InboxRule": []},
        f"{GROUP} - Audit Logs": {"Get-MailboxAuditBypassAssociation": [], BYPASS: []},
        f"{GROUP} Reads - Mail Recipients": {"Get-Mailbox": [], "Get-InboxRule": []},
        f"{GROUP} Changes - Mail Recipients": {"Set-Mailbox": list(AUDIT_PARAMETERS)},
    }
    assignments: list[Assignment] = [
        Assignment(role="Audit Logs", assignee="Organization Management"),
        Assignment(role="Audit Logs", assignee="Organization Management", delegation="DelegatingOrgWide"),
        Assignment(role="Mail Recipients", assignee="Organization Management"),
        Assignment(role=f"{GROUP} - Audit Logs", assignee=GROUP),
        Assignment(role=f"{GROUP} Reads - Mail Recipients", assignee=f"{GROUP} Reads"),
        Assignment(role=f"{GROUP} Changes - Mail Recipients", assignee=f"{GROUP} Changes"),
    ]
    members: dict[str, list[str]] = {"Organization Management": ["admin"], GROUP: ["the worker"]}
    """By the alias of an account, or any other name."""
