"""The logs of Graph over HTTP: each with its permission, its filter and its pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import JSONResponse, Response

from sandbox.tenant.graph import graph_error
from sandbox.tenant.identity import GRAPH, claims_for
from sandbox.tenant.logs.audit_queries import WORKLOADS
from sandbox.tenant.logs.odata import FilterError, Record, newest_first, page, select

if TYPE_CHECKING:
    from starlette.requests import Request

    from sandbox.tenant.state import Tenant

NO_LICENSE = "Authentication_RequestFromNonPremiumTenantOrB2CTenant"


class Log(NamedTuple):
    """One log: which list of ``Traces`` it is, who may read it, and what its filter knows."""

    table: str
    endpoint: str
    permissions: frozenset[str]
    time: str
    filters: frozenset[str]
    most: int
    default: int
    licensed: bool = False
    """True: a tenant without Entra ID P1 or P2 is refused."""


_SIGN_INS = frozenset({"userId", "userPrincipalName", "appId", "createdDateTime", "status/errorCode"})
LOGS = {
    "v1.0/auditLogs/signIns": Log(
        "sign_ins",
        "graph.sign_ins",
        frozenset({"AuditLog.Read.All"}),
        "createdDateTime",
        _SIGN_INS,
        1000,
        1000,
        licensed=True,
    ),
    "beta/auditLogs/signIns": Log(
        "sign_ins",
        "graph.sign_ins_beta",
        frozenset({"AuditLog.Read.All"}),
        "createdDateTime",
        _SIGN_INS | {"signInEventTypes"},
        1000,
        1000,
        licensed=True,
    ),
    "v1.0/auditLogs/directoryAudits": Log(
        "directory_audits",
        "graph.directory_audits",
        frozenset({"AuditLog.Read.All"}),
        "activityDateTime",
        frozenset(
            {
                "initiatedBy/user/id",
                "initiatedBy/user/userPrincipalName",
                "initiatedBy/app/appId",
                "targetResources",
                "activityDateTime",
            }
        ),
        1000,
        1000,
    ),
    "v1.0/security/alerts_v2": Log(
        "alerts",
        "graph.alerts",
        frozenset({"SecurityAlert.Read.All", "SecurityIncident.Read.All"}),
        "createdDateTime",
        frozenset({"createdDateTime", "serviceSource"}),
        1000,
        100,
    ),
    "v1.0/identityProtection/riskDetections": Log(
        "risk_detections",
        "graph.risk_detections",
        frozenset({"IdentityRiskEvent.Read.All"}),
        "activityDateTime",
        frozenset({"userId", "userPrincipalName", "activityDateTime"}),
        500,
        20,
        licensed=True,
    ),
    "v1.0/admin/exchange/tracing/messageTraces": Log(
        "message_traces",
        "graph.message_traces",
        frozenset({"ExchangeMessageTrace.Read.All"}),
        "receivedDateTime",
        frozenset({"senderAddress", "recipientAddress", "receivedDateTime"}),
        5000,
        1000,
    ),
}
PERMISSIONS = [
    "AuditLog.Read.All",
    "AuditLogsQuery.Read.All",
    "ExchangeMessageTrace.Read.All",
    "IdentityRiskEvent.Read.All",
    "SecurityIncident.Read.All",
    "ThreatHunting.Read.All",
]
"""Of a responder that may read all of it."""
_QUERIES = re.compile(r"/v1\.0/security/auditLog/queries(?:/(?P<id>[^/]+)(?P<records>/records)?)?/?\Z")


async def log_name(request: Request) -> str:
    """Return the name of a log for counters and faults, such as ``graph.sign_ins``."""
    return LOGS[_path(request)].endpoint


async def query_name(request: Request) -> str:
    """Return ``graph.post_audit_query``, ``graph.get_audit_query`` or ``graph.audit_records``."""
    records = request.url.path.rstrip("/").endswith("/records")
    return "graph.audit_records" if records else f"graph.{request.method.lower()}_audit_query"


def _path(request: Request) -> str:
    return re.sub("/{2,}", "/", request.scope["path"]).strip("/")


async def read_log(request: Request, tenant: Tenant) -> Response:
    """``GET`` of a list in ``LOGS``."""
    log = LOGS[_path(request)]
    if refused := _refused(request, tenant, log.permissions):
        return refused
    if log.licensed and not tenant.settings.premium_license:
        return graph_error(403, NO_LICENSE, "Neither tenant is B2C or tenant doesn't have premium license")
    records = vars(tenant.traces)[log.table]
    if log.endpoint == "graph.sign_ins":
        records = [record for record in records if record["isInteractive"]]
    try:
        found = select(records, request.query_params.get("$filter", ""), log.filters)
    except FilterError as error:
        return graph_error(400, "BadRequest", str(error))
    if log.endpoint == "graph.sign_ins":
        found = [_of_v1(record) for record in found]
    return JSONResponse(page(request, newest_first(found, log.time), most=log.most, default=log.default))


def _of_v1(record: Record) -> Record:
    beta_only = {"signInEventTypes", "userAgent", "autonomousSystemNumber"}
    return {name: value for name, value in record.items() if name not in beta_only}


async def audit_queries(request: Request, tenant: Tenant) -> Response:
    """``POST`` and ``GET`` of audit log queries, and ``GET`` of the records of one."""
    path = _QUERIES.match(f"/{_path(request)}")
    roles = _roles(request, tenant)
    if path is None or roles is None or not set(roles) & set(WORKLOADS):
        return _refused(request, tenant, frozenset(WORKLOADS)) or graph_error(400, "BadRequest", "No such segment.")
    queries = tenant.audit_queries
    if path["id"] is None:
        try:
            made = queries.create(await request.json(), tenant.traces.audit_records, roles)
        except ValueError as problem:
            return graph_error(400, "BadRequest", str(problem))
        return JSONResponse(made, 201)
    query = queries.made.get(path["id"])
    if query is None:
        return graph_error(404, "NotFound", "The requested query does not exist.")
    if path["records"]:
        return JSONResponse(page(request, queries.records(query), most=1000, default=100))
    return JSONResponse(queries.status(query))


def _roles(request: Request, tenant: Tenant) -> list[str] | None:
    claims = claims_for(request, GRAPH)
    return None if claims is None or claims["tid"] != tenant.settings.tenant_id else list(claims["roles"])


def _refused(request: Request, tenant: Tenant, permissions: frozenset[str]) -> Response | None:
    roles = _roles(request, tenant)
    if roles is None:
        return graph_error(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    if not permissions & set(roles):
        return graph_error(403, "Authorization_RequestDenied", "Calling principal does not have required permissions.")
    return None
