"""The gate before every body: the sender and the size are judged before any of it is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request
from starlette.routing import Match

from bypass_responder.console.access import AccessRefusedError, refused, signed_in
from bypass_responder.console.context import console_of
from bypass_responder.console.failures import answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes: an uploaded file is in the page of its plan, as text."""
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestGate:
    """Answers 401 to a body without a verified principal, and 413 to a large one. Routes judge the role."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] in WITHOUT_BODY:
            await self._app(scope, receive, send)
            return
        request = Request({**scope, "route": _route_of(scope)}, receive)
        try:
            signed_in(request, console_of(request))
            body = await _body_of(request)
        except AccessRefusedError as problem:
            await answer(request, problem.status, problem.sentence)(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


def _route_of(scope: Scope) -> object:
    """Return the route that will answer, for the log; None where there is none."""
    return next((route for route in scope["app"].routes if route.matches(scope)[0] is Match.FULL), None)


async def _body_of(request: Request) -> bytes:
    """Return the whole body.

    Raises AccessRefusedError for one that is too large, by its header or by its bytes.
    """
    stated = request.headers.get("content-length", "")
    if stated.isascii() and stated.isdigit() and int(stated[:20]) > LARGEST_BODY:
        raise _large(request)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY:
            raise _large(request)
    return bytes(body)


def _large(request: Request) -> AccessRefusedError:
    return refused(request, 413, "large_body", "The request is too large. Split the file.")


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that has the body first."""
    rest: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return rest.pop() if rest else await receive()

    return next_message
