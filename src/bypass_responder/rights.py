"""Every right in the directory and in Exchange that the two identities need. Pure values, no I/O.

`bypassctl grant` grants them, `bypassctl doctor` checks them, docs/permissions.md explains them; tests keep all of
these consistent. The ids are Microsoft's and the same in every tenant.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.operation import folded

if TYPE_CHECKING:
    from collections.abc import Collection


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
_SIGN_INS_AND_CHANGES = AppRole(
    api=Api.GRAPH,
    value="AuditLog.Read.All",
    id="b0afded3-3588-46d8-8b3d-9842eff778da",
    missing="no sign-ins and no directory changes in the evidence",
)
_HUNTING = AppRole(
    api=Api.GRAPH,
    value="ThreatHunting.Read.All",
    id="dd98c7f5-2d42-42d3-a0e4-633161547251",
    missing="no calls of Microsoft Graph and no email events of Defender in the evidence",
)
_EXCHANGE_AUDIT = AppRole(
    api=Api.GRAPH,
    value="AuditLogsQuery-Exchange.Read.All",
    id="6b0d2622-d34e-4470-935b-b96550e5ca8d",
    missing="no mail access, rules, forwarding and role changes from the audit log in the evidence",
)
_WHOLE_AUDIT = AppRole(
    api=Api.GRAPH,
    value="AuditLogsQuery.Read.All",
    id="5e1e9171-754d-478c-812c-f1755a9a4c2d",
    missing="no SharePoint, OneDrive, Teams and eDiscovery records in the evidence",
)
EVIDENCE_SETS = {
    "core": (_SIGN_INS_AND_CHANGES, _EXCHANGE_AUDIT, _HUNTING),
    "full": (
        _SIGN_INS_AND_CHANGES,
        _WHOLE_AUDIT,
        _HUNTING,
        AppRole(
            api=Api.GRAPH,
            value="ExchangeMessageTrace.Read.All",
            id="89b20d8a-76e2-4057-867b-9961f800b9a4",
            missing="no message trace in the evidence",
        ),
        AppRole(
            api=Api.GRAPH,
            value="IdentityRiskEvent.Read.All",
            id="6e472fd1-ad78-48da-a0f0-97ab2c6b769e",
            missing="no risk detections in the evidence",
        ),
        AppRole(
            api=Api.GRAPH,
            value="SecurityIncident.Read.All",
            id="45cc0394-e837-488b-a098-1918f48d186c",
            missing="no alerts of Defender and of data loss prevention in the evidence",
        ),
        AppRole(
            api=Api.GRAPH,
            value="Directory.Read.All",
            id="7ab1d382-f21e-4acd-a863-ba3e13f7da61",
            missing="no directory changes in the evidence, where Graph asks for it besides AuditLog.Read.All",
        ),
    ),
}
"""Optional permissions of the responder, which only the evidence run uses, as sets to grant. ``full`` replaces
``AuditLogsQuery-Exchange.Read.All`` by the permission for every workload."""
EVIDENCE_ROLES = tuple({role.value: role for roles in EVIDENCE_SETS.values() for role in roles}.values())
COVERED_BY = {_EXCHANGE_AUDIT.value: _WHOLE_AUDIT.value}
"""A permission, and a wider one with which it is not needed."""
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
    """What an Exchange administrator grants the worker at once, in a separate role group."""

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
            "Get-MailboxFolderStatistics",
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

CMDLETS = frozenset(folded(cmdlet) for each in EXCHANGE_GRANTS.values() for cmdlet in each.cmdlets)
"""The cmdlets of all sets, folded."""


def worker_may(cmdlet: str, parameters: tuple[str, ...]) -> bool:
    """Return True for a cmdlet with parameters that some set grants."""
    return any(each.permits(cmdlet, parameters) for each in EXCHANGE_GRANTS.values())


def storage_role(place: str, name: str) -> str:
    """Return the responder's role on a ``table``, ``queue`` or ``container``, as roles.bicep grants it."""
    if place == "table":
        return "Storage Table Data Reader" if name == "Allowlist" else "Storage Table Data Contributor"
    if place == "container":
        read_only = name in {"sweeps", "reads", "plans", "dead-letters"}
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


def evidence_roles(words: str) -> tuple[AppRole, ...]:
    """Return the permissions of sets and of single names, separated by commas.

    Raises ValueError for another word.
    """
    named = {role.value.casefold(): (role,) for role in EVIDENCE_ROLES} | EVIDENCE_SETS
    found: dict[str, AppRole] = {}
    for word in (word.strip().casefold() for word in words.split(",") if word.strip()):
        if word not in named:
            known = ", ".join([*EVIDENCE_SETS, *(role.value for role in EVIDENCE_ROLES)])
            raise ValueError(f"{word} is neither a set nor a permission of the evidence run; there are {known}")
        found |= {role.value: role for role in named[word]}
    return tuple(found.values())


def open_evidence(roles: Collection[str]) -> tuple[AppRole, ...]:
    """Return the permissions of the evidence run that an identity with these permissions lacks."""
    have = set(roles) | {narrow for narrow, wide in COVERED_BY.items() if wide in roles}
    return tuple(role for role in EVIDENCE_ROLES if role.value not in have)
