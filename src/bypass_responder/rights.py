"""Every right in the directory and in Exchange that the two identities need. Pure values, no I/O.

`bypassctl grant` grants them, `bypassctl doctor` checks them, docs/permissions.md explains them; tests keep all of
these consistent. The ids are Microsoft's and the same in every tenant.
"""

from __future__ import annotations

from enum import StrEnum

from bypass_responder.model.base import Utc, Value


class Api(StrEnum):
    """A service with application permissions, by its application id."""

    GRAPH = "00000003-0000-0000-c000-000000000000"
    MANAGEMENT = "c5393580-f805-4401-95e8-94b7a6ef2fc2"
    EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"


SERVICES = {
    Api.GRAPH: "Microsoft Graph",
    Api.MANAGEMENT: "Office 365 Management APIs",
    Api.EXCHANGE: "Office 365 Exchange Online",
}
"""Display names in the Entra admin center."""
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
"""The scope of Graph tokens, independent of the configured Graph address."""


class AppRole(Value):
    """An application permission, which an administrator grants to an identity."""

    api: Api
    value: str
    id: str
    missing: str
    """What does not work without this permission."""


RESPONDER_ROLES = (
    AppRole(
        api=Api.GRAPH,
        value="User.Read.All",
        id="df021288-bdef-4463-88db-98f22de89214",
        missing="accounts cannot be read, so no decision is possible",
    ),
    AppRole(
        api=Api.GRAPH,
        value="User.RevokeSessions.All",
        id="77f3a031-c388-4f99-b373-dc68676a979e",
        missing="sessions cannot be revoked",
    ),
    AppRole(
        api=Api.GRAPH,
        value="User.EnableDisableAccount.All",
        id="3011c876-62b7-4ada-afa2-506cbbecc68c",
        missing="sign-in can be neither blocked nor restored",
    ),
    AppRole(
        api=Api.MANAGEMENT,
        value="ActivityFeed.Read",
        id="594c1fb6-4f81-4475-ae41-0c394909246c",
        missing="the audit feed cannot be read; only alerts and sweeps detect a bypass",
    ),
)
WORKER_ROLES = (
    AppRole(
        api=Api.EXCHANGE,
        value="Exchange.ManageAsApp",
        id="dc50a0fb-09a3-484d-be87-e023b12c6440",
        missing="the Exchange worker cannot connect, so it can neither remove a bypass nor sweep",
    ),
)
WORKER_CMDLETS = (
    "Get-User",
    "Get-MailboxAuditBypassAssociation",
    "Set-MailboxAuditBypassAssociation",
    "Get-OrganizationConfig",
    "Get-AdminAuditLogConfig",
)
"""The only cmdlets that the custom Exchange role group may run."""
EXCHANGE_ROLE_GROUP = "Mailbox Audit Bypass Responder"


class ExchangeSet(StrEnum):
    """What an Exchange administrator grants the worker at once, in a role group of its own."""

    RESPONSE = "response"
    """Detect and remove a bypass. Required."""
    READS = "reads"
    """Evidence, the organization's roles and what mailboxes audit; ``Get-`` only."""
    CHANGES = "changes"
    """Make mailboxes audit more. Off by default."""


class ExchangeGrant(Value):
    """The role group of a set. ``parameters`` of its cmdlets; empty: all that the built-in role has."""

    group: str
    cmdlets: tuple[str, ...]
    parameters: tuple[str, ...] = ()

    def permits(self, cmdlet: str, parameters: tuple[str, ...]) -> bool:
        """Return True when the set grants this cmdlet with these parameters."""
        names = {each.casefold() for each in self.cmdlets}
        allowed = {each.casefold() for each in self.parameters}
        return cmdlet.casefold() in names and (not allowed or {each.casefold() for each in parameters} <= allowed)


EXCHANGE_GRANTS = {
    ExchangeSet.RESPONSE: ExchangeGrant(group=EXCHANGE_ROLE_GROUP, cmdlets=WORKER_CMDLETS),
    ExchangeSet.READS: ExchangeGrant(
        group=f"{EXCHANGE_ROLE_GROUP} Reads",
        cmdlets=(
            "Get-Mailbox",
            "Get-EXOMailbox",
            "Get-InboxRule",
            "Get-MailboxPermission",
            "Get-RecipientPermission",
            "Get-MailboxFolderPermission",
            "Get-ManagementRole",
            "Get-ManagementRoleAssignment",
            "Get-ManagementRoleEntry",
            "Get-RoleGroupMember",
        ),
    ),
    ExchangeSet.CHANGES: ExchangeGrant(
        group=f"{EXCHANGE_ROLE_GROUP} Changes",
        cmdlets=("Set-Mailbox",),
        parameters=(
            "AuditAdmin",
            "AuditDelegate",
            "AuditEnabled",
            "AuditLogAgeLimit",
            "AuditOwner",
            "Confirm",
            "DefaultAuditSet",
            "Identity",
            "WhatIf",
        ),
    ),
}

ROLE_GROUPS = tuple(each.group for each in EXCHANGE_GRANTS.values())
"""The role groups of the worker. The first one can remove a bypass, and so set one."""


def worker_may(cmdlet: str, parameters: tuple[str, ...]) -> bool:
    """Return True for a cmdlet with parameters that some set grants."""
    return any(each.permits(cmdlet, parameters) for each in EXCHANGE_GRANTS.values())


def storage_role(place: str, name: str) -> str:
    """Return the responder's role on a ``table``, ``queue`` or ``container``, as roles.bicep grants it."""
    if place == "table":
        return "Storage Table Data Reader" if name == "Allowlist" else "Storage Table Data Contributor"
    if place == "container":
        read_only = name in {"sweeps", "reads", "dead-letters"}
        return "Storage Blob Data Reader" if read_only else "Storage Blob Data Contributor"
    if name.endswith("-poison"):
        return "Storage Queue Data Message Processor"
    sends = name in {"exchange-commands", "exchange-checks", "exchange-sweeps", "exchange-reads"}
    return "Storage Queue Data Message Sender" if sends else "Storage Queue Data Contributor"


class Principal(Value):
    """A service principal: an app's identity, or a Microsoft service."""

    object_id: str
    application_id: str
    name: str
    managed_identity: bool = False


class Assignment(Value):
    """One application permission granted to a principal."""

    id: str
    role_id: str
    resource_id: str
    resource_name: str = ""
    granted_at: Utc | None = None


class DirectoryRole(Value):
    """One Entra role that a principal holds. ``scope``: ``/`` is the whole directory."""

    id: str
    role_id: str
    scope: str = "/"
