"""Microsoft Graph: read a user, switch sign-in, revoke sessions.

Paths as SDKs send them: ``users/{id or UPN}``, ``users('…')``, doubled slashes.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.responses import JSONResponse, Response

from sandbox.tenant.account import made_up_guid
from sandbox.tenant.identity import GRAPH, claims_for

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.tenant.account import Account
    from sandbox.tenant.state import Tenant

_PATH = re.compile(
    r"/v1\.0/users(?:/(?P<plain>[^/]+)|\('(?P<quoted>.+)'\))"
    r"(?P<action>/(?:microsoft\.graph\.)?(?:revokeSignInSessions|transitiveMemberOf))?/?\Z"
)
_FIELDS = {
    "id": "object_id",
    "userPrincipalName": "user_principal_name",
    "displayName": "display_name",
    "accountEnabled": "account_enabled",
    "onPremisesSyncEnabled": "on_premises_sync_enabled",
    "userType": "user_type",
    "signInSessionsValidFromDateTime": "sign_in_sessions_valid_from",
    "mail": "mail",
    "mailNickname": "mail_nickname",
    "proxyAddresses": "proxy_addresses",
    "otherMails": "other_mails",
}
_BY_DEFAULT = ("id", "userPrincipalName", "displayName")
"""Graph returns neither accountEnabled nor userType unless they are selected."""


def graph_error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """An error answer of Graph."""
    inner = {"date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}", "request-id": str(uuid4())}
    return JSONResponse({"error": {"code": code, "message": message, "innerError": inner}}, status, headers)


async def endpoint_name(request: Request) -> str:
    """Return the name for counters and faults: ``graph.get_user``, ``graph.revoke`` and so on."""
    if "revokeSignInSessions" in request.url.path:
        return "graph.revoke"
    if "transitiveMemberOf" in request.url.path:
        return "graph.get_memberships"
    return f"graph.{request.method.lower()}_user"


async def users(request: Request, tenant: Tenant) -> Response:
    """Every call under ``/v1.0/users``."""
    found = _PATH.match(re.sub("/{2,}", "/", request.scope["path"]))
    if not found:
        return graph_error(400, "BadRequest", "Resource not found for the segment.")
    action = (found["action"] or "").rpartition("/")[2].rpartition(".")[2]
    revoke = action == "revokeSignInSessions"
    claims = claims_for(request, GRAPH)
    if claims is None or claims["tid"] != tenant.settings.tenant_id:
        return graph_error(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    if not set(claims["roles"]) & _needed(request.method, revoke=revoke):
        return _denied()
    name = found["plain"] or found["quoted"].replace("''", "'")
    account = tenant.find(name)
    if account is None:
        text = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
        return graph_error(404, "Request_ResourceNotFound", text)
    if action == "transitiveMemberOf":
        return _memberships(account)
    return await _act(request, tenant, account, revoke=revoke, by=claims["appid"])


async def _act(request: Request, tenant: Tenant, account: Account, *, revoke: bool, by: str) -> Response:
    match request.method, revoke:
        case "GET", False:
            return _read(request, tenant, account)
        case "PATCH", False:
            return await _update(request, tenant, account, by=by)
        case "POST", True:
            return _revoke(tenant, account, by=by)
    return graph_error(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")


def _needed(method: str, *, revoke: bool) -> set[str]:
    if revoke:
        return {"User.RevokeSessions.All", "User.ReadWrite.All"}
    if method == "PATCH":
        return {"User.EnableDisableAccount.All", "User.ReadWrite.All"}
    return {"User.Read.All", "User.ReadWrite.All"}


def _denied() -> Response:
    return graph_error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")


def _read(request: Request, tenant: Tenant, account: Account) -> Response:
    selected = [name for name in request.query_params.get("$select", "").split(",") if name] or _BY_DEFAULT
    unknown = [name for name in selected if name not in _FIELDS]
    if unknown:
        return graph_error(400, "BadRequest", f"Could not find a property named '{unknown[0]}' on type 'user'.")
    stale = tenant.faults.happens("stale_read", "graph.get_user")
    context = f"{request.base_url}v1.0/$metadata#users({','.join(selected)})/$entity"
    shown = {name: _as_json(tenant.read(account, _FIELDS[name], stale=stale)) for name in selected}
    return JSONResponse({"@odata.context": context} | shown)


def _memberships(account: Account) -> Response:
    """Return what a caller without RoleManagement.Read.Directory gets of a role: its type and its id."""
    role = {"@odata.type": "#microsoft.graph.directoryRole", "id": made_up_guid("role")}
    group = {"@odata.type": "#microsoft.graph.group", "id": made_up_guid("group")}
    return JSONResponse({"value": [group, role] if account.admin else [group]})


def _as_json(value: object) -> object:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value


async def _update(request: Request, tenant: Tenant, account: Account, *, by: str) -> Response:
    body = _json_object(await request.body())
    body.pop("@odata.type", None)
    enabled = body.pop("accountEnabled", None)
    if body or not isinstance(enabled, bool):
        return graph_error(400, "Request_BadRequest", "A value without a type name was found or a property is invalid.")
    if account.admin and not tenant.settings.privileged_role:
        return _denied()
    if account.account_enabled != enabled:
        delay = tenant.settings.graph_delay_seconds
        tenant.change(account, "account_enabled", enabled, by=by, delay_seconds=delay)
    return Response(status_code=204)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _revoke(tenant: Tenant, account: Account, *, by: str) -> Response:
    if account.user_type != "Guest":
        delay = tenant.settings.graph_delay_seconds
        now = tenant.clock().replace(microsecond=0)
        tenant.change(account, "sign_in_sessions_valid_from", now, by=by, delay_seconds=delay)
    return JSONResponse({"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#Edm.Boolean", "value": True})
