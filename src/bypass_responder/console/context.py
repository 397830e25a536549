"""What every route works with: the services of the console, and the tokens of its forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, Path, Request

if TYPE_CHECKING:
    from bypass_responder.console.form_token import FormTokens
    from bypass_responder.operating.self_check import SelfChecks
    from bypass_responder.services import Services


@dataclass(frozen=True)
class Console:
    """The services, the app's self-checks to read, and the tokens of forms."""

    services: Services
    self_checks: SelfChecks
    tokens: FormTokens


def console_of(request: Request) -> Console:
    """Return the console that a request is for."""
    return cast("Console", request.app.state.console)


IncidentId = Annotated[str, Path(max_length=100, description="The id of an incident, or its unique beginning.")]
ConsoleDep = Annotated[Console, Depends(console_of)]
