"""Whether a request for a change comes from a page of the console itself, or from a program. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.datastructures import Headers

JSON = "application/json"
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
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
        raise ForeignRequestError("no_json")
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
    origin, host = _host_of(headers.get("origin", "")), headers.get("host", "").lower()
    if not origin or origin != host:
        raise ForeignRequestError("foreign_origin")


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).netloc.lower()
    except ValueError:  # such as http://[
        return ""
