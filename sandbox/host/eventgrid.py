"""The webhook by which Event Grid delivers to functions.

It answers as the Event Grid extension of Azure's host does. ``aeg-event-type`` is the kind of request. A function runs
once for each event, and all events of a request run side by side. When one fails the answer is 500, and Event Grid
sends the whole request again.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from sandbox.host.invocation import as_json, decoded, invoke

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from sandbox.host.index import HostedFunction

PATH = "/runtime/webhooks/eventgrid"


def event_grid_route(functions: Mapping[str, HostedFunction]) -> Route:
    """``PATH?functionName=NAME`` for functions with an ``eventGridTrigger``, by their names."""

    async def endpoint(request: Request) -> Response:
        name = request.query_params.get("functionName", "")
        if name not in functions:
            return PlainTextResponse(f"cannot find function: '{name}'", 404)
        if request.method == "OPTIONS":
            return _allowed(request)
        try:
            return await _answer(functions[name], request)
        except ValueError as error:
            return PlainTextResponse(str(error), 400)

    return Route(PATH, endpoint, methods=["POST", "OPTIONS"])


def _allowed(request: Request) -> Response:
    """The handshake of CloudEvents: any sender is allowed, at any rate."""
    origin = request.headers.get("WebHook-Request-Origin")
    if not origin:
        return PlainTextResponse("WebHook-Request-Origin is missing", 400)
    allowed = {"Allow": "POST", "WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"}
    return Response(status_code=200, headers=allowed)


async def _answer(function: HostedFunction, request: Request) -> Response:
    """Raises ValueError for a request that holds no events."""
    match request.headers.get("aeg-event-type", "").casefold():
        case "notification":
            return Response(status_code=202 if await _deliver(function, _events(await request.body())) else 500)
        case "subscriptionvalidation":
            return JSONResponse({"validationResponse": _validation_code(_events(await request.body()))})
        case "unsubscribe":
            return Response(status_code=202)
        case other:
            raise ValueError(f"aeg-event-type: {other}")


def _events(body: bytes) -> list[dict[str, Any]]:
    """An array in the Event Grid schema and in a batch of CloudEvents, one object for one CloudEvent."""
    given = json.loads(body)
    events = given if isinstance(given, list) else [given]
    if not all(isinstance(event, dict) for event in events):
        raise ValueError("an event is a JSON object")
    return events


def _validation_code(events: list[dict[str, Any]]) -> str:
    """``data`` is JSON in a string where the validation event is a CloudEvent."""
    data = events[0].get("data") if events else None
    known = json.loads(data) if isinstance(data, str) else data
    if not isinstance(known, dict) or "validationCode" not in known:
        raise ValueError("no validationCode")
    return str(known["validationCode"])


async def _deliver(function: HostedFunction, events: list[dict[str, Any]]) -> bool:
    """Whether every invocation succeeded; each was logged."""
    outcomes = await asyncio.gather(*(_invoke(function, event) for event in events), return_exceptions=True)
    return not any(isinstance(outcome, BaseException) for outcome in outcomes)


async def _invoke(function: HostedFunction, event: dict[str, Any]) -> None:
    await invoke(function, decoded(function, as_json(event)))
