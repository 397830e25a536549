"""The managed identities of the two apps and the tokens they get.

The identity endpoint has the shape of App Service's. Tokens are unsigned: they say who asks and for what, which is all
that the stand-in services check.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from sandbox.tenant.account import made_up_guid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

MANAGEMENT = "https://manage.office.com"
GRAPH = "https://graph.microsoft.com"
EXCHANGE = "https://outlook.office365.com"
RESPONDER_SECRET = "sandbox-responder"
WORKER_SECRET = "sandbox-worker"
ADMINISTRATOR_SECRET = "sandbox-administrator"
LIFETIME_SECONDS = 24 * 3600
ADMINISTRATOR_MAY = [
    "Application.Read.All",
    "AppRoleAssignment.ReadWrite.All",
    "RoleManagement.ReadWrite.Directory",
]


@dataclass
class Identity:
    """One app's managed identity and its app roles by resource."""

    name: str
    roles: dict[str, list[str]]
    cached: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    """Resource → when its token was issued, and the roles of then: the platform keeps a token for up to a day."""
    deleted: bool = False
    person: bool = False
    """Not a managed identity: the administrator who gives rights, as far as tokens go."""
    client_id: str = field(init=False)
    object_id: str = field(init=False)

    def __post_init__(self) -> None:
        """Make the ids from the name: the same in every run."""
        self.client_id = made_up_guid("client", self.name)
        self.object_id = made_up_guid("service principal", self.name)


def default_identities() -> dict[str, Identity]:
    """The responder without any right in Exchange, the worker without any right in Graph."""
    graph = ["User.Read.All", "User.EnableDisableAccount.All", "User.RevokeSessions.All"]
    return {
        RESPONDER_SECRET: Identity("responder", {MANAGEMENT: ["ActivityFeed.Read"], GRAPH: graph}),
        WORKER_SECRET: Identity("worker", {EXCHANGE: ["Exchange.ManageAsApp"]}),
        ADMINISTRATOR_SECRET: Identity("administrator", {GRAPH: list(ADMINISTRATOR_MAY)}, person=True),
    }


async def give_token(request: Request, identities: Mapping[str, Identity], *, tenant_id: str) -> Response:
    """Answer a request for a token in the form in which azure-identity asks App Service.

    This is ``GET ?resource=…&api-version=2019-08-01`` with ``X-IDENTITY-HEADER``.
    """
    identity = identities.get(request.headers.get("x-identity-header", ""))
    query = request.query_params
    if identity is None:
        return JSONResponse({"statusCode": 401, "message": "X-IDENTITY-HEADER is wrong."}, 401)
    resource = query.get("resource", "").removesuffix("/.default").rstrip("/")
    wrong_client = query.get("client_id", identity.client_id) != identity.client_id
    if query.get("api-version") != "2019-08-01" or not resource or wrong_client:
        return JSONResponse(
            {"statusCode": 400, "message": "No User Assigned or Delegated Managed Identity found."}, 400
        )
    issued_at, roles = identity.cached.get(resource) or (int(time.time()), identity.roles.get(resource, []))
    expires_on = issued_at + LIFETIME_SECONDS
    token = _token(identity, resource, roles, tenant_id=tenant_id, issued_at=issued_at)
    return JSONResponse(
        {
            "access_token": token,
            "expires_on": str(expires_on),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": identity.client_id,
        }
    )


def _token(identity: Identity, resource: str, roles: list[str], *, tenant_id: str, issued_at: int) -> str:
    claims = {
        "aud": resource,
        "iss": f"https://sts.windows.net/{tenant_id}/",
        "tid": tenant_id,
        "oid": identity.object_id,
        "appid": identity.client_id,
        "roles": roles,
        "iat": issued_at,
        "exp": issued_at + LIFETIME_SECONDS,
    }
    parts = [json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims)]
    return ".".join([*(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts), ""])


def claims_for(request: Request, audience: str) -> dict[str, Any] | None:
    """Return the claims of the request's bearer token; None when it has none for this audience.

    A token that is not valid any more counts as none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        body = token.split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return None
    valid = scheme.lower() == "bearer" and claims.get("aud") == audience and claims.get("exp", 0) > time.time()
    return claims if valid else None
