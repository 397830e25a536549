"""HTTP triggers, and the webhook by which Event Grid delivers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import azure.functions as func
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.host.invocation import as_json, decoded, invoke

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from sandbox.host.index import HostedFunction

EVERY_METHOD = ["GET", "POST", "DELETE", "HEAD", "PATCH", "PUT", "OPTIONS"]


def web_app(functions: Sequence[HostedFunction], *, prefix: str = "api") -> Starlette:
    """The routes of all HTTP functions under ``prefix``, and the Event Grid webhook for the others."""
    routes = [_route(each, prefix) for each in functions if each.trigger["type"] == "httpTrigger"]
    events = {each.name: each for each in functions if each.trigger["type"] == "eventGridTrigger"}
    if events:
        routes.append(Route("/runtime/webhooks/eventgrid", _event_grid(events), methods=["POST", "OPTIONS"]))
    return Starlette(routes=routes)


def _route(function: HostedFunction, prefix: str) -> Route:
    path = re.sub(r"\{\*(\w+)\}", r"{\1:path}", function.trigger.get("route") or function.name)

    async def endpoint(request: Request) -> Response:
        given = func.HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            params=dict(request.query_params),
            route_params={name: str(value) for name, value in request.path_params.items()},
            body=await request.body(),
        )
        try:
            answer = await invoke(function, given)
        except Exception:  # noqa: BLE001 -- whatever the function raises is a 500; the invocation was logged
            return Response(status_code=500)
        if not isinstance(answer, func.HttpResponse):
            return PlainTextResponse(str(answer))
        headers = {"content-type": answer.mimetype, **dict(answer.headers.items())}
        return Response(answer.get_body(), answer.status_code, headers)

    methods = [str(method).upper() for method in function.trigger.get("methods") or EVERY_METHOD]
    return Route(f"/{prefix}/{path}".replace("//", "/"), endpoint, methods=methods, name=function.name)


def _event_grid(functions: dict[str, HostedFunction]) -> Any:  # noqa: ANN401 -- an endpoint of Starlette
    async def endpoint(request: Request) -> Response:
        function = functions.get(request.query_params.get("functionName", ""))
        if function is None:
            return Response(status_code=404)
        if request.method == "OPTIONS":  # CloudEvents: the handshake of webhooks
            return Response(headers={"WebHook-Allowed-Origin": request.headers.get("WebHook-Request-Origin", "*")})
        try:
            body = await request.json()
        except json.JSONDecodeError:
            return Response(status_code=400)
        events: list[dict[str, Any]] = body if isinstance(body, list) else [body]
        if request.headers.get("aeg-event-type") == "SubscriptionValidation":
            return JSONResponse({"validationResponse": events[0]["data"]["validationCode"]})
        return Response(status_code=202 if await _deliver(function, events) else 500)

    return endpoint


async def _deliver(function: HostedFunction, events: list[dict[str, Any]]) -> bool:
    """One invocation per event; all are tried. False asks Event Grid to deliver the request again."""
    succeeded = True
    for event in events:
        try:
            await invoke(function, decoded(function, as_json(event)))
        except Exception:  # noqa: BLE001 -- whatever the function raises means: deliver again; the invocation was logged
            succeeded = False
    return succeeded
