"""Errors as answers: a page for people, one line of JSON for programs, each with what to do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from bypass_responder.console.access import AccessRefusedError, is_api
from bypass_responder.console.rendering import render
from bypass_responder.errors import (
    ConflictError,
    InputError,
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    TransientError,
)
from bypass_responder.event_lines import write_line

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATUS: tuple[tuple[type[ResponderError], int], ...] = (
    (NotFoundError, 404),
    (ConflictError, 412),
    (RefusedError, 409),
    (InputError, 400),
    (TransientError, 503),
    (PermissionMissingError, 503),
    (ResponderError, 500),
)
SIGN_IN = "/.auth/login/aad"
_MOMENT = "use a day (2026-11-01) or a time (2026-11-01T06:00Z)"
_FORMS = {
    "datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
}
"""What to enter instead, by the kind of error."""
_ID = "use an id such as 00000000-0000-4000-8000-000000000000, in lower case"


def add_handlers(app: FastAPI) -> None:
    """Answer each kind of error."""
    app.add_exception_handler(AccessRefusedError, _refused)
    app.add_exception_handler(ResponderError, _responder)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _refused(request: Request, problem: Exception) -> Response:
    status = problem.status if isinstance(problem, AccessRefusedError) else 403
    return answer(request, status, str(problem))


async def _responder(request: Request, problem: Exception) -> Response:
    status = next(status for kind, status in STATUS if isinstance(problem, kind))
    return answer(request, status, str(problem), retry=isinstance(problem, TransientError))


async def _invalid(request: Request, problem: Exception) -> Response:
    first = problem.errors()[0] if isinstance(problem, RequestValidationError) else {"loc": (), "msg": ""}
    name = ".".join(str(part) for part in first["loc"][1:]) or "The request"
    message = str(first["msg"]).removeprefix("Value error, ")
    rule = _FORMS.get(str(first.get("type")), _ID if "[0-9a-f]{8}" in message else message)
    return answer(request, 400, f"{name}: {rule}.")


async def _http(request: Request, problem: Exception) -> Response:
    status = problem.status_code if isinstance(problem, HTTPException) else 500
    sentence = {404: "There is no such page.", 405: "This address does not take this kind of request."}
    return answer(request, status, sentence.get(status, str(problem)))


def answer(request: Request, status: int, sentence: str, *, retry: bool = False) -> Response:
    """Return an error as the caller reads it."""
    headers = {"retry-after": "5"} if retry else {}
    if is_api(request):
        return JSONResponse({"error": sentence}, status_code=status, headers=headers)
    page = render(request, "problem.html", status=status, title="Not possible", sentence=sentence, code=status, menu=())
    page.headers.update(headers)
    return page


class UnexpectedErrors:
    """Answers 500 for an error that nothing else answers, and logs its class.

    Behind the host nothing else would.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an app."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as problem:
            write_line("run_failed", logging.ERROR, function="console", error_class=type(problem).__name__)
            logging.getLogger(__name__).exception("a request of the console failed")
            if begun or scope["type"] != "http":
                raise
            sentence = "Something failed. It is logged; nothing was sent. Try again, or use bypassctl."
            await answer(Request(scope), 500, sentence)(scope, receive, send)
