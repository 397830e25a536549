"""The HTTP server: every service on one loopback port, each call counted and put through the faults."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.child import bound
from sandbox.tenant import control, exchange, graph, graph_logs, hunting, management_api, service_principals, topic
from sandbox.tenant.exchange import exchange_error
from sandbox.tenant.identity import RESPONDER_SECRET, WORKER_SECRET, give_token

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request

    from sandbox.tenant.faults import Fault
    from sandbox.tenant.state import Tenant

    Handler = Callable[[Request, Tenant], Awaitable[Response]]
    Naming = str | Callable[[Request], Awaitable[str]]

ANY = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def create_app(tenant: Tenant) -> Starlette:
    """All services of ``tenant``; its faults are ``tenant.faults``."""

    def service(path: str, name: Naming, handler: Handler, methods: list[str] = ANY) -> Route:
        async def endpoint(request: Request) -> Response:
            return await _call(request, tenant, handler, name if isinstance(name, str) else await name(request))

        return Route(path, endpoint, methods=methods)

    feed = "/api/{version}/{tenant}/activity/feed"
    rights = service_principals.endpoint_name
    return Starlette(
        routes=[
            service("/identity/token", "identity.token", _give_token),
            service(feed + "/subscriptions/{operation}", _feed_operation, management_api.subscriptions),
            service(feed + "/audit/{content_id}", "feed.blob", management_api.content_blob, ["GET"]),
            service("/exchange/{tenant}/InvokeCommand", exchange.endpoint_name, exchange.invoke_command, ["POST"]),
            service("/topic/api/events", "topic.publish", _receive_events, ["POST"]),
            service("/webhook", "webhook", control.receive_notification, ["POST"]),
            *control.routes(tenant),
            service("/v1.0/servicePrincipals{rest:path}", rights, service_principals.service_principals),
            service("/v1.0/roleManagement/{rest:path}", rights, service_principals.directory_roles),
            *(service(f"/{path}", graph_logs.log_name, graph_logs.read_log, ["GET"]) for path in graph_logs.LOGS),
            service("/v1.0/security/auditLog/{rest:path}", graph_logs.query_name, graph_logs.audit_queries),
            service("/v1.0/security/runHuntingQuery", "graph.hunting", hunting.run_query, ["POST"]),
            service("/v1.0/{rest:path}", graph.endpoint_name, graph.users),
        ]
    )


async def _feed_operation(request: Request) -> str:
    return f"feed.{request.path_params['operation']}"


async def _give_token(request: Request, tenant: Tenant) -> Response:
    return await give_token(request, tenant.identities, tenant_id=tenant.settings.tenant_id)


async def _receive_events(request: Request, tenant: Tenant) -> Response:
    return await topic.receive(request, tenant.topic, tenant.settings)


async def _call(request: Request, tenant: Tenant, handler: Handler, endpoint: str) -> Response:
    """One call: count it, delay it, let a fault happen instead, or the handler and then a fault."""
    tenant.counters[endpoint] += 1
    tenant.synchronize()
    if delay := tenant.faults.delay_seconds(endpoint):
        await asyncio.sleep(delay)
    fault = tenant.faults.next_fault(endpoint)
    if fault is None:
        return await handler(request, tenant)
    tenant.counters[f"fault.{fault.kind}"] += 1
    if fault.kind == "drop_after":
        await handler(request, tenant)
    if fault.kind in {"drop_before", "drop_after"}:
        return await _hang_up(request)
    return _answer_of(fault, endpoint)


async def _hang_up(request: Request) -> Response:
    """Close the connection without a byte of an answer."""
    request.state.protocol.transport.abort()
    await asyncio.sleep(0)
    return Response(status_code=500)


def _answer_of(fault: Fault, endpoint: str) -> Response:
    if fault.kind == "server_error":
        return Response(status_code=fault.status)
    if fault.kind == "exception":
        return exchange_error(500, "InternalServerError", f"Microsoft.Exchange.Data.{fault.name}", "Try again later.")
    if endpoint.startswith("feed."):
        return management_api.af_error("AF429", f"Too many requests. Method={endpoint}, PublisherId=", 403)
    after = {"Retry-After": str(fault.retry_after_seconds)}
    if endpoint.startswith("graph."):
        return graph.graph_error(429, "TooManyRequests", "Too many requests.", after)
    return JSONResponse({"error": {"code": "TooManyRequests", "message": "Too many requests."}}, 429, after)


class _Protocol(H11Protocol):
    """Lets a handler reach its connection (``request.state.protocol``), so that a fault can break it."""

    def __init__(self, config: Any, server_state: Any, app_state: dict[str, Any], _loop: Any = None) -> None:  # noqa: ANN401 - as its parent
        super().__init__(config, server_state, {**app_state, "protocol": self}, _loop)


class _Server(uvicorn.Server):
    """Calls ``started_with`` once it accepts connections."""

    def __init__(self, tenant: Tenant, started_with: Callable[[], None]) -> None:
        config = uvicorn.Config(create_app(tenant), http=_Protocol, log_level="warning", access_log=False)
        config.ws, config.lifespan, config.timeout_graceful_shutdown = "none", "off", 1
        super().__init__(config)
        self._started_with = started_with

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._started_with()


def _bound(port: int) -> tuple[socket.socket, str]:
    listener = bound(port)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def environment(url: str, secret: str = RESPONDER_SECRET) -> dict[str, str]:
    """What App Service puts into an app's environment so that azure-identity finds its managed identity."""
    return {"IDENTITY_ENDPOINT": f"{url}/identity/token", "IDENTITY_HEADER": secret}


def announce(tenant: Tenant, url: str) -> str:
    """The one line on stdout by which a parent process learns where everything is."""
    tenant_id = tenant.settings.tenant_id
    return json.dumps(
        {
            "url": url,
            "tenant_id": tenant_id,
            "domain": tenant.settings.domain,
            "management_api": url,
            "graph": f"{url}/v1.0",
            "exchange": f"{url}/exchange",
            "webhook": f"{url}/webhook",
            "topic": f"{url}/topic/api/events",
            "responder_environment": environment(url),
            "worker_environment": environment(url, WORKER_SECRET),
            "worker_client_id": tenant.identities[WORKER_SECRET].client_id,
        }
    )


def run(tenant: Tenant, *, port: int = 0) -> None:
    """Serve on loopback until interrupted; prints ``announce`` when it accepts connections."""
    listener, url = _bound(port)
    server = _Server(tenant, lambda: print(announce(tenant, url), flush=True))
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])


@contextmanager
def serving(tenant: Tenant, *, port: int = 0) -> Iterator[str]:
    """Serve from a thread of this process; gives the base URL."""
    listener, url = _bound(port)
    accepting = threading.Event()
    server = _Server(tenant, accepting.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox tenant", daemon=True)
    thread.start()
    try:
        if not accepting.wait(timeout=20):
            msg = "the stand-in tenant did not start"
            raise RuntimeError(msg)
        yield url
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
