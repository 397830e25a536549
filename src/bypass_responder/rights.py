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
ROLE_GROUPS = (EXCHANGE_ROLE_GROUP,)
"""The role groups of the worker."""


def storage_role(place: str, name: str) -> str:
    """Return the responder's role on a ``table``, ``queue`` or ``container``, as roles.bicep grants it."""
    if place == "table":
        return "Storage Table Data Reader" if name == "Allowlist" else "Storage Table Data Contributor"
    if place == "container":
        return "Storage Blob Data Reader" if name in {"sweeps", "dead-letters"} else "Storage Blob Data Contributor"
    if name.endswith("-poison"):
        return "Storage Queue Data Message Processor"
    sends = name in {"exchange-commands", "exchange-checks", "exchange-sweeps"}
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
