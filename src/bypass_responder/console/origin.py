"""Whether a request for a change comes from a page of the console itself, or from a program. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.datastructures import Headers

JSON, NO_JSON = "application/json", "no_json"
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_LOOPBACK = re.compile(r"(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?")
"""The sandbox has no certificate. Anywhere else a page without TLS is somebody else's."""
SESSION_COOKIE = "AppServiceAuthSession"


class ForeignRequestError(Exception):
    """The request may come from a page of somebody else; the message is the reason, for the log."""


class Kind(StrEnum):
    """How a change is requested."""

    FORM = "form"
    """A form of a page: it needs a token too."""
    SCRIPT = "script"
    """JSON with the session of a browser."""
    PROGRAM = "program"
    """JSON with a bearer token, which no browser adds unasked."""


def kind_of(headers: Headers, *, api: bool) -> Kind:
    """Return how a POST is requested. Raises ForeignRequestError for what may be forged."""
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not api:
        if content_type not in FORMS:
            raise ForeignRequestError("no_form")
        _require_own_origin(headers)
        return Kind.FORM
    if content_type != JSON:
        raise ForeignRequestError(NO_JSON)
    bearer = headers.get("authorization", "").lower().startswith("bearer ")
    if bearer and SESSION_COOKIE not in headers.get("cookie", ""):
        return Kind.PROGRAM
    if headers.get("sec-fetch-site") != "same-origin":
        raise ForeignRequestError("foreign_site")
    _require_own_origin(headers)
    return Kind.SCRIPT


def _require_own_origin(headers: Headers) -> None:
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForeignRequestError("foreign_site")
    host = headers.get("host", "").lower()
    own = {f"https://{host}"} | ({f"http://{host}"} if _LOOPBACK.fullmatch(host) else set())
    if not host or headers.get("origin", "").lower() not in own:
        raise ForeignRequestError("foreign_origin")
