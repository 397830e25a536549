"""Reads answers of the Management Activity API: errors by AF code, not HTTP status, and listings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter, ValidationError

from bypass_responder.errors import (
    FeedError,
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.base import Utc
from bypass_responder.model.feed import ContentBlob, Window
from bypass_responder.model.retry_after import seconds_to_wait

PERMISSION = "ActivityFeed.Read (Office 365 Management APIs)"
_GONE = frozenset({"AF20050", "AF20051", "AF20052"})
_PASSING = frozenset({"AF50000", "AF20031"})
_CODE = re.compile(r"\bAF\d{3,5}\b")
_WAIT_SECONDS = 1.0
"""For throttling without Retry-After, the first time; the retries wait longer each time."""
_RETRIEVABLE = timedelta(days=7)
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Utc)


def error_of(status: int, headers: Mapping[str, str], body: str, *, now: datetime) -> ResponderError:
    """The error that an answer without success means; the body may be empty or a page of a proxy."""
    code, message = _code_and_message(body)
    text = f"The audit feed answered {code or f'HTTP {status}'}: {message or 'nothing more'}"
    if code == "AF429" or (not code and (status == HTTPStatus.TOO_MANY_REQUESTS or "retry-after" in headers)):
        wait = seconds_to_wait(headers, default=_WAIT_SECONDS, now=now)
        return ThrottledError(text, retry_after_seconds=wait)
    if code == "AF10001" or (not code and status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}):
        return PermissionMissingError(f"{text}.", permission=PERMISSION)
    if code in _GONE:
        return NotFoundError(text)
    if code in _PASSING or (
        not code and (status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT)
    ):
        return TransientError(text)
    return FeedError(code, message) if code else RefusedError(text)


def _code_and_message(body: str) -> tuple[str, str]:
    try:
        error = json.loads(body)["error"]
        return str(error["code"]), str(error.get("message", ""))[:500]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        found = _CODE.search(body)
        return (found.group() if found else ""), " ".join(body.split())[:200]


def items_of(body: bytes) -> list[Any]:
    """Return the items of a list answer. Raises TransientError for any other answer, as of a proxy."""
    try:
        items = json.loads(body)
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list):
        raise TransientError(f"The audit feed answered a listing that is not a JSON array: {body[:100]!r}")
    return items


def blob_of(item: object, *, window: Window, root: str) -> ContentBlob | None:
    """The blob that a listing's item names, None when it names none.

    Without contentUri the address is ``root`` and the id, without contentId the address is the id; without a readable
    contentCreated the blob counts as created at the window's end, without contentExpiration it lives 7 days from there.
    """
    fields = item if isinstance(item, dict) else {}
    content_id, uri = (str(fields.get(name) or "") for name in ("contentId", "contentUri"))
    if not content_id and not uri:
        return None
    created = _moment(fields.get("contentCreated")) or window.end
    return ContentBlob(
        content_id=content_id or uri,
        uri=uri or f"{root}/audit/{content_id}",
        created=created,
        expires=_moment(fields.get("contentExpiration")) or created + _RETRIEVABLE,
    )


def _moment(given: object) -> datetime | None:
    try:
        return _MOMENT.validate_python(given) if isinstance(given, str) else None
    except ValidationError:
        return None
