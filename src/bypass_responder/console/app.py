"""The web app: routes, errors, headers. Nothing connects before the first request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles

from bypass_responder import __version__
from bypass_responder.console import decisions
from bypass_responder.console.context import Console
from bypass_responder.console.failures import UnexpectedErrors, add_handlers
from bypass_responder.console.form_token import FormTokens
from bypass_responder.console.response_headers import ResponseHeaders
from bypass_responder.console.routes import api, pages, public

if TYPE_CHECKING:
    from bypass_responder.bootstrap import ConsoleServices

STATIC = "/static"


def create_app(given: ConsoleServices) -> FastAPI:
    """Return the console on these services."""
    app = FastAPI(
        title="Mailbox audit bypass responder",
        version=__version__,
        summary="What the pages of the console show, as JSON, and the decisions of people.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=[Middleware(ResponseHeaders), Middleware(UnexpectedErrors)],
    )
    app.state.console = Console(given.services, given.self_checks, FormTokens(given.form_key))
    add_handlers(app)
    for router in (public, pages, api, decisions.forms, decisions.api):
        app.include_router(router)
    app.mount(STATIC, StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
