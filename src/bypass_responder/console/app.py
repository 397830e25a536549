"""The web app: routes, errors, headers. Nothing connects before the first request."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Security
from fastapi.security import HTTPBearer
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from bypass_responder import __version__
from bypass_responder.console import accounts, allowlist, allowlist_import, decisions, report
from bypass_responder.console.access import API, require
from bypass_responder.console.context import Console
from bypass_responder.console.failures import UnexpectedErrors, add_handlers
from bypass_responder.console.form_token import FormTokens
from bypass_responder.console.principal import Role
from bypass_responder.console.request_gate import RequestGate
from bypass_responder.console.response_headers import ResponseHeaders
from bypass_responder.console.routes import api, pages, public
from bypass_responder.model.base import Value

if TYPE_CHECKING:
    from bypass_responder.bootstrap import ConsoleServices

STATIC = "/static"


class Problem(Value):
    """An answer that is no success: what happened, and what to do."""

    error: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"description": "A field is missing or wrong.", "model": Problem},
    401: {"description": "No verified sign-in.", "model": Problem},
    403: {"description": "No role for this, or a request that may be forged.", "model": Problem},
    404: {"description": "Not there.", "model": Problem},
    409: {"description": "Refused; the sentence says why.", "model": Problem},
    412: {"description": "Changed since it was read.", "model": Problem},
    413: {"description": "Too large.", "model": Problem},
    503: {"description": "Storage did not answer; repeat it.", "model": Problem},
}
BEARER = Security(HTTPBearer(auto_error=False, description="A token of Entra for the registration of the console."))


def create_app(given: ConsoleServices, form_key: bytes) -> FastAPI:
    """Return the console on these services. ``form_key`` signs its forms."""
    app = routed()
    app.state.console = Console(given.services, given.self_checks, FormTokens(form_key))
    return app


@cache
def description_of_api() -> dict[str, Any]:
    """Return the OpenAPI description.

    A wrong field is answered with 400, not with the 422 of the framework.
    """
    described = routed().openapi()
    for operation in (each for path in described["paths"].values() for each in path.values()):
        operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        described["components"]["schemas"].pop(unused, None)
    return described


def routed() -> FastAPI:
    """Return the app with all routes, on no services."""
    app = FastAPI(
        title="Mailbox audit bypass responder",
        version=__version__,
        summary="What the pages of the console show, as JSON, and the decisions of people.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[Middleware(ResponseHeaders), Middleware(UnexpectedErrors), Middleware(RequestGate)],
    )
    add_handlers(app)
    changes = (accounts, decisions, allowlist_import, allowlist)  # in this order: the first that matches answers
    for router in (public, pages, report.pages, *(each.forms for each in changes)):
        app.include_router(router)
    for router in (api, report.api, *(each.api for each in changes)):
        app.include_router(router, dependencies=[BEARER], responses=PROBLEMS)
    app.add_api_route(
        f"{API}/openapi.json",
        description_of_api,
        methods=["GET"],
        dependencies=[Depends(require(Role.READ))],
        include_in_schema=False,
    )
    app.mount(STATIC, StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
