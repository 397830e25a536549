"""Who may send a request: each route depends on a role, each change also on the request's origin.

Refusals are logged with their reason and, where they are known, their author.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from bypass_responder.console import origin, principal
from bypass_responder.console.context import Console, ConsoleDep
from bypass_responder.console.form_token import FormTokenError
from bypass_responder.console.origin import JSON, NO_JSON, ForeignRequestError, Kind
from bypass_responder.console.principal import NotSignedInError, Principal, Role
from bypass_responder.event_lines import write_line
from bypass_responder.model.base import guid_or_none

API = "/api/v1"
LARGEST_FIELD = 8 * 1024 * 1024
"""Bytes of one field of a form; ``request_gate`` limits the whole."""
TOKEN_FIELD = "token"  # noqa: S105 - the name of a field
REPEATABLE = "idempotency-key"
"""Header of a program's POST: the id of the message that it sends, so that sending it again changes nothing."""


_NO_GUID = "no_guid_to_repeat_by"
_TO_PROGRAMS = {
    NO_JSON: f"The API reads JSON. Send Content-Type: {JSON}.",
    _NO_GUID: "Idempotency-Key is not a GUID. Send a new GUID for this change, or omit the header.",
}
"""What to do, by the reason."""


class AccessRefusedError(Exception):
    """The request is refused.

    ``status``: 401 without a verified principal, 413 for a large body, else 403.
    """

    def __init__(self, status: int, reason: str, sentence: str) -> None:
        """Keep the machine-readable ``reason`` beside the ``sentence`` for people."""
        super().__init__(sentence)
        self.status, self.reason, self.sentence = status, reason, sentence


@dataclass(frozen=True)
class Change:
    """A request to change something, which may be carried out.

    ``message_id``: of the message that it sends.
    """

    principal: Principal
    kind: Kind
    message_id: str


def is_api(request: Request) -> bool:
    """Return True for a request of the API, whose answers are JSON."""
    return request.url.path.startswith(f"{API}/")


def signed_in(request: Request, console: ConsoleDep) -> Principal:
    """Return the verified principal. Raises AccessRefusedError."""
    try:
        found = principal.read_principal(
            request.headers.getlist(principal.HEADER), tenant_id=console.services.settings.tenant_id
        )
    except NotSignedInError as problem:
        raise refused(request, 401, str(problem), "Sign in to see this.") from problem
    request.state.principal = found
    return found


PrincipalDep = Annotated[Principal, Depends(signed_in)]


def require(role: Role) -> Callable[..., Principal]:
    """Return a dependency that lets only principals through who have a role."""

    def check(request: Request, who: PrincipalDep) -> Principal:
        if not who.may(role):
            sentence = f"{who.name} needs the app role {role.value}. An administrator of the console can assign it."
            raise refused(request, 403, f"needs {role.value}", sentence, who)
        return who

    return check


def require_change(role: Role) -> Callable[..., Awaitable[Change]]:
    """Return a dependency that lets only genuine changes through, of principals who have a role."""
    has_role = require(role)

    async def check(request: Request, console: ConsoleDep, who: Principal = Depends(has_role)) -> Change:  # noqa: B008 - FastAPI's way
        try:
            kind = origin.kind_of(request.headers, api=is_api(request))
            message_id = await _message_id(request, console, who, kind)
        except (ForeignRequestError, FormTokenError) as problem:
            await request.close()  # an uploaded file that nobody reads
            sentence = _what_to_do(str(problem), api=is_api(request))
            raise refused(request, 403, str(problem), sentence, who) from problem
        return Change(who, kind, message_id)

    return check


def _what_to_do(reason: str, *, api: bool) -> str:
    if not api:
        return "This form is no longer valid. Reload the page, read it, and repeat your decision."
    return _TO_PROGRAMS.get(
        reason,
        "A call with a browser session must come from a page of this site. "
        "From a program, send Authorization: Bearer TOKEN and no session cookie.",
    )


async def _message_id(request: Request, console: Console, who: Principal, kind: Kind) -> str:
    if kind is Kind.FORM:
        token = str((await form_of(request)).get(TOKEN_FIELD, ""))
        return console.tokens.accept(token, who, now=console.services.clock())
    given = request.headers.get(REPEATABLE)
    if given is None:
        return console.services.new_id()
    if (message_id := guid_or_none(given)) is None:
        raise ForeignRequestError(_NO_GUID)
    return message_id


async def form_of(request: Request) -> FormData:
    """Return the fields of a form."""
    return await request.form(max_part_size=LARGEST_FIELD)


def refused(
    request: Request, status: int, reason: str, sentence: str, who: Principal | None = None
) -> AccessRefusedError:
    """Log a refusal, and return it as the error to raise."""
    route = getattr(request.scope.get("route"), "path", "")
    write_line(
        "access_refused", logging.WARNING, reason=reason, route=route, author=who.object_id if who else "unknown"
    )
    return AccessRefusedError(status, reason, sentence)
