"""What a template needs for its forms: a new token for each, made for the person who reads the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bypass_responder.console.access import TOKEN_FIELD
from bypass_responder.console.context import console_of
from bypass_responder.console.principal import Role

if TYPE_CHECKING:
    from fastapi import Request


def form_fields(request: Request) -> dict[str, Any]:
    """Return ``new_token()``, the name of its field, and ``may(role)`` of the signed-in principal."""
    console, principal = console_of(request), request.state.principal

    def new_token() -> str:
        services = console.services
        return console.tokens.issue(principal, form_id=services.new_id(), now=services.clock())

    return {"new_token": new_token, "token_field": TOKEN_FIELD, "may": principal.may, "Role": Role}
