"""Microsoft Graph: service principals, the application permissions that they have, and Entra roles.

What an identity is given here stands in ``Identity.roles``, so tokens that are issued afterwards carry it. Who asks is
an administrator with Graph's permissions for it, or is refused.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from sandbox.tenant.account import made_up_guid
from sandbox.tenant.graph import graph_error
from sandbox.tenant.identity import EXCHANGE, GRAPH, MANAGEMENT, Identity, claims_for

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.tenant.state import Tenant

APPLICATIONS = {
    GRAPH: ("00000003-0000-0000-c000-000000000000", "Microsoft Graph"),
    MANAGEMENT: ("c5393580-f805-4401-95e8-94b7a6ef2fc2", "Office 365 Management APIs"),
    EXCHANGE: ("00000002-0000-0ff1-ce00-000000000000", "Office 365 Exchange Online"),
}
APP_ROLES = {
    GRAPH: {
        "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
        "User.RevokeSessions.All": "77f3a031-c388-4f99-b373-dc68676a979e",
        "User.EnableDisableAccount.All": "3011c876-62b7-4ada-afa2-506cbbecc68c",
        "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
        "AuditLogsQuery-Exchange.Read.All": "6b0d2622-d34e-4470-935b-b96550e5ca8d",
        "AuditLogsQuery.Read.All": "5e1e9171-754d-478c-812c-f1755a9a4c2d",
        "ThreatHunting.Read.All": "dd98c7f5-2d42-42d3-a0e4-633161547251",
        "ExchangeMessageTrace.Read.All": "89b20d8a-76e2-4057-867b-9961f800b9a4",
        "IdentityRiskEvent.Read.All": "6e472fd1-ad78-48da-a0f0-97ab2c6b769e",
        "SecurityIncident.Read.All": "45cc0394-e837-488b-a098-1918f48d186c",
        "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    },
    MANAGEMENT: {"ActivityFeed.Read": "594c1fb6-4f81-4475-ae41-0c394909246c"},
    EXCHANGE: {"Exchange.ManageAsApp": "dc50a0fb-09a3-484d-be87-e023b12c6440"},
}
READ, GIVE, GIVE_ENTRA = "Application.Read.All", "AppRoleAssignment.ReadWrite.All", "RoleManagement.ReadWrite.Directory"
PAGE = 2
"""Assignments on a page."""
_PATH = re.compile(
    r"/v1\.0/servicePrincipals(?:\(appId='(?P<app>[^']+)'\)|/(?P<id>[^/?]+))"
    r"(?:/(?P<list>appRoleAssignments|appRoleAssignedTo))?(?:/(?P<assignment>[^/?]+))?/?\Z"
)
_ROLES = re.compile(r"/v1\.0/roleManagement/directory/roleAssignments(?:/(?P<assignment>[^/?]+))?/?\Z")
_DENIED = "Insufficient privileges to complete the operation."


async def endpoint_name(request: Request) -> str:
    """Return the name for counters and faults.

    It is ``graph.get_rights``, ``graph.post_rights`` or ``graph.delete_rights``.
    """
    return f"graph.{request.method.lower()}_rights"


async def service_principals(request: Request, tenant: Tenant) -> Response:
    """Every call under ``/v1.0/servicePrincipals``."""
    path = _PATH.match(re.sub("/{2,}", "/", request.scope["path"]))
    if path is None:
        return graph_error(400, "BadRequest", "Resource not found for the segment.")
    if refused := _refused(request, tenant, READ if request.method == "GET" else GIVE):
        return refused
    found = _principal(tenant, path["app"] or path["id"])
    if found is None:
        text = f"Resource '{path['app'] or path['id']}' does not exist or one of its queried reference-property objects"
        return graph_error(404, "Request_ResourceNotFound", f"{text} are not present.")
    match request.method, path["list"]:
        case "GET", None:
            return JSONResponse(found)
        case "GET", "appRoleAssignments":
            return _page(request, _assignments(tenant, found["id"]))
        case "POST", "appRoleAssignedTo":
            return _give(tenant, await request.json())
        case "DELETE", "appRoleAssignments":
            return _take(tenant, found["id"], path["assignment"] or "")
    return graph_error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


async def directory_roles(request: Request, tenant: Tenant) -> Response:
    """Every call under ``/v1.0/roleManagement/directory/roleAssignments``."""
    path = _ROLES.match(re.sub("/{2,}", "/", request.scope["path"]))
    if path is None:
        return graph_error(400, "BadRequest", "Resource not found for the segment.")
    if refused := _refused(request, tenant, GIVE_ENTRA):
        return refused
    if request.method == "GET":
        wanted = re.findall(r"principalId eq '([^']+)'", request.query_params.get("$filter", ""))
        return _page(request, [each for each in tenant.directory_roles if [each["principalId"]] == wanted])
    if request.method == "DELETE":
        left = [each for each in tenant.directory_roles if each["id"] != path["assignment"]]
        gone, tenant.directory_roles = len(left) < len(tenant.directory_roles), left
        return Response(status_code=204) if gone else graph_error(404, "Request_ResourceNotFound", "Not found.")
    body = await request.json()
    if any(each | {"id": ""} == body | {"id": ""} for each in tenant.directory_roles):
        text = "A conflicting object with one or more of the specified property values is present in the directory."
        return graph_error(400, "Request_BadRequest", text)
    given = {"id": made_up_guid("role", str(sorted(body.items()))), **body}
    tenant.directory_roles.append(given)
    return JSONResponse(given, 201)


def _refused(request: Request, tenant: Tenant, permission: str) -> Response | None:
    claims = claims_for(request, GRAPH)
    if claims is None:
        return graph_error(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    if claims["tid"] != tenant.settings.tenant_id:
        return graph_error(401, "InvalidAuthenticationToken", "Access token is of another tenant.")
    return None if permission in claims["roles"] else graph_error(403, "Authorization_RequestDenied", _DENIED)


def _identity(tenant: Tenant, object_id: str) -> Identity | None:
    return next((each for each in tenant.identities.values() if each.object_id == object_id and not each.deleted), None)


def service_id(resource: str) -> str:
    """Object id of the service principal of a Microsoft service in this tenant."""
    return made_up_guid("service", resource)


def _principal(tenant: Tenant, name: str) -> dict[str, str] | None:
    identity = _identity(tenant, name)
    if identity is not None:
        kind = "Application" if identity.person else "ManagedIdentity"
        display = f"id-bypass-{identity.name}"
        return {
            "id": identity.object_id,
            "appId": identity.client_id,
            "displayName": display,
            "servicePrincipalType": kind,
        }
    for resource, (application, display) in APPLICATIONS.items():
        if name in {application, service_id(resource)} and resource not in tenant.missing_applications:
            kind = "Application"
            return {
                "id": service_id(resource),
                "appId": application,
                "displayName": display,
                "servicePrincipalType": kind,
            }
    return None


def _assignments(tenant: Tenant, object_id: str) -> list[dict[str, Any]]:
    identity = _identity(tenant, object_id)
    given = [(resource, role) for resource, roles in identity.roles.items() for role in roles] if identity else []
    return [
        {
            "id": assignment_id(object_id, role),
            "appRoleId": APP_ROLES[resource][role],
            "principalId": object_id,
            "resourceId": service_id(resource),
            "resourceDisplayName": APPLICATIONS[resource][1],
            "createdDateTime": tenant.granted_at.get((object_id, role), "2026-01-01T00:00:00Z"),
        }
        for resource, role in given
    ]


def assignment_id(object_id: str, role: str) -> str:
    """Of the assignment of one permission to one identity."""
    return made_up_guid("assignment", f"{object_id}/{role}")


def _page(request: Request, items: list[dict[str, Any]]) -> Response:
    start = int(request.query_params.get("$skiptoken", "0"))
    page: dict[str, Any] = {"value": items[start : start + PAGE]}
    if start + PAGE < len(items):
        following = request.url.include_query_params(**{"$skiptoken": start + PAGE})
        page["@odata.nextLink"] = str(following)
    return JSONResponse(page)


def _give(tenant: Tenant, body: dict[str, str]) -> Response:
    identity = _identity(tenant, body.get("principalId", ""))
    resource = next((each for each in APPLICATIONS if service_id(each) == body.get("resourceId")), None)
    role = next(
        (name for name, role_id in APP_ROLES.get(resource or "", {}).items() if role_id == body.get("appRoleId")), None
    )
    if identity is None or resource is None or role is None:
        return graph_error(400, "Request_BadRequest", "Permission being assigned was not found on application.")
    if role in identity.roles.setdefault(resource, []):
        text = "Permission being assigned already exists on the object"
        return graph_error(400, "Request_BadRequest", text)
    identity.roles[resource].append(role)
    tenant.granted_at[identity.object_id, role] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return JSONResponse({"id": assignment_id(identity.object_id, role), **body}, 201)


def _take(tenant: Tenant, object_id: str, assignment: str) -> Response:
    identity = _identity(tenant, object_id)
    for roles in identity.roles.values() if identity else ():
        for role in roles:
            if assignment_id(object_id, role) == assignment:
                roles.remove(role)
                return Response(status_code=204)
    return graph_error(404, "Request_ResourceNotFound", f"Resource '{assignment}' does not exist.")
