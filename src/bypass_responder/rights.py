"""Every right in the directory and in Exchange that the two identities need, once. Pure values, no I/O.

`bypassctl grant` gives them, `bypassctl doctor` looks for them, docs/permissions.md says why; tests hold the four
together. The ids are Microsoft's own and the same in every tenant.
"""

from __future__ import annotations

from enum import StrEnum

from bypass_responder.model.base import Utc, Value


class Api(StrEnum):
    """A service that gives application permissions, by its application id."""

    GRAPH = "00000003-0000-0000-c000-000000000000"
    MANAGEMENT = "c5393580-f805-4401-95e8-94b7a6ef2fc2"
    EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"


SERVICES = {
    Api.GRAPH: "Microsoft Graph",
    Api.MANAGEMENT: "Office 365 Management APIs",
    Api.EXCHANGE: "Office 365 Exchange Online",
}
"""The names by which an administrator finds them."""
GRAPH_SCOPE = "https://graph.microsoft.com/.default"
"""What a token for Graph is asked for, whatever address answers."""


class AppRole(Value):
    """An application permission: what an administrator consents to, for an identity."""

    api: Api
    value: str
    id: str
    missing: str
    """What does not work without it."""


RESPONDER_ROLES = (
    AppRole(
        api=Api.GRAPH,
        value="User.Read.All",
        id="df021288-bdef-4463-88db-98f22de89214",
        missing="no account can be read, so nothing is decided",
    ),
    AppRole(
        api=Api.GRAPH,
        value="User.RevokeSessions.All",
        id="77f3a031-c388-4f99-b373-dc68676a979e",
        missing="no session is revoked",
    ),
    AppRole(
        api=Api.GRAPH,
        value="User.EnableDisableAccount.All",
        id="3011c876-62b7-4ada-afa2-506cbbecc68c",
        missing="no sign-in is blocked, and none is given back",
    ),
    AppRole(
        api=Api.MANAGEMENT,
        value="ActivityFeed.Read",
        id="594c1fb6-4f81-4475-ae41-0c394909246c",
        missing="the audit feed is not read; only alerts and the sweep see anything",
    ),
)
WORKER_ROLES = (
    AppRole(
        api=Api.EXCHANGE,
        value="Exchange.ManageAsApp",
        id="dc50a0fb-09a3-484d-be87-e023b12c6440",
        missing="the Exchange worker cannot connect: no bypass is switched off and no sweep is made",
    ),
)
WORKER_CMDLETS = (
    "Get-User",
    "Get-MailboxAuditBypassAssociation",
    "Set-MailboxAuditBypassAssociation",
    "Get-OrganizationConfig",
    "Get-AdminAuditLogConfig",
)
"""All that the custom Exchange role group may run."""
EXCHANGE_ROLE_GROUP = "Mailbox Audit Bypass Responder"


def storage_role(place: str, name: str) -> str:
    """The responder's role on a ``table``, ``queue`` or ``container``, as infra/modules/roles.bicep gives it."""
    if place == "table":
        return "Storage Table Data Reader" if name == "Allowlist" else "Storage Table Data Contributor"
    if place == "container":
        return "Storage Blob Data Reader" if name == "sweeps" else "Storage Blob Data Contributor"
    if name.endswith("-poison"):
        return "Storage Queue Data Message Processor"
    sends = name in {"exchange-commands", "exchange-sweeps"}
    return "Storage Queue Data Message Sender" if sends else "Storage Queue Data Contributor"


class Principal(Value):
    """A service principal: an identity of an app, or a service that gives permissions."""

    object_id: str
    application_id: str
    name: str
    managed_identity: bool = False


class Assignment(Value):
    """One application permission that a principal has."""

    id: str
    role_id: str
    resource_id: str
    resource_name: str = ""
    given_at: Utc | None = None


class DirectoryRole(Value):
    """One Entra role that a principal holds. ``scope``: ``/`` is the whole directory."""

    id: str
    role_id: str
    scope: str = "/"
