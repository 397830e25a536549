"""HTTP triggers under their routes, and beside them the webhook of Event Grid."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import azure.functions as func
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.host.eventgrid import event_grid_route
from sandbox.host.invocation import invoke

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from sandbox.host.index import HostedFunction

EVERY_METHOD = ["GET", "POST", "DELETE", "HEAD", "PATCH", "PUT", "OPTIONS"]


def web_app(functions: Sequence[HostedFunction], *, prefix: str = "api") -> Starlette:
    """Return the routes of all HTTP functions under ``prefix``, and the webhook of Event Grid.

    The webhook serves the functions that Event Grid triggers.
    """
    routes = [_route(each, prefix) for each in functions if each.trigger["type"] == "httpTrigger"]
    events = {each.name: each for each in functions if each.trigger["type"] == "eventGridTrigger"}
    return Starlette(routes=[*routes, event_grid_route(events)])


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
