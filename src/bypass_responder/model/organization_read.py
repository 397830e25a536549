"""The answer to ``read_organization``: the switches that outrank every mailbox.

The answer also names who can change them.
"""

from __future__ import annotations

from bypass_responder.model.account_read import Section
from bypass_responder.model.base import Value
from bypass_responder.model.message import Guid


class Switches(Value):
    """What turns off auditing for everybody."""

    audit_disabled: bool
    unified_audit_log_ingestion_enabled: bool


class AdminAuditLog(Value):
    """Get-AdminAuditLogConfig. All but the ingestion is effective on-premises only."""

    enabled: bool | None = None
    cmdlets: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    excluded_cmdlets: tuple[str, ...] = ()
    age_limit: str | None = None


class RoleAssignment(Value):
    """One management role that an account, a role group or an app has."""

    name: str
    role: str
    assignee: str
    assignee_type: str
    """User, RoleGroup, ServicePrincipal, …"""
    delegating: bool = False
    """True: it lets the assignee give the role to others, not use it."""
    enabled: bool = True
    can_bypass: bool = False
    """True: the role contains Set-MailboxAuditBypassAssociation."""


class RoleMember(Value):
    """One member of a role group that can switch a bypass on."""

    group: str
    member: str
    """Its name."""
    object_id: Guid | None = None
    type: str = ""


class RoleEntry(Value):
    """One cmdlet that a role of the worker's own role groups contains, with its parameters."""

    role: str
    cmdlet: str
    parameters: tuple[str, ...] = ()


class OrganizationRead(Value):
    """The one line of the blob."""

    switches: Section[Switches]
    admin_audit_log: Section[AdminAuditLog]
    assignments: Section[RoleAssignment]
    members: Section[RoleMember]
    """Of the role groups that can switch a bypass on."""
    own_entries: Section[RoleEntry]
    """What the worker itself may run."""
