"""Reads of Microsoft Graph for evidence: one page, or all pages within a bound."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import httpx
from kiota_abstractions.method import Method

from bypass_responder.adapters.graph_wire import GraphWire, object_of, wait_of, words_of
from bypass_responder.errors import NotFoundError, PermissionMissingError, RefusedError, ThrottledError, TransientError

if TYPE_CHECKING:
    from datetime import datetime

MOST_BYTES = 32 * 1024 * 1024
"""Of one answer."""
PAGING_SECONDS = 15.0
"""Less than a source's time, and divided among its lists: what was read until then is an answer, although not a
complete one."""
SHORTEST_WAIT = 1.0
"""Seconds after a page that was throttled."""
PASSING = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT}
"""A token that ends meanwhile; a page of a proxy, which a refusal without the service's words is."""
SECONDS = "%Y-%m-%dT%H:%M:%SZ"


class GraphReader:
    """Reads Graph with the responder's identity. No retry: the evidence run asks again later."""

    def __init__(self, wire: GraphWire) -> None:
        """Take the connection; no token goes to another address than its own."""
        self._wire = wire

    async def aclose(self) -> None:
        """Close the connections."""
        await self._wire.aclose()

    async def read(self, path: str, *, permission: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON object at a path such as ``/v1.0/auditLogs/signIns``, or at a ``@odata.nextLink``."""
        return await self.send(Method.GET, path, permission=permission, params=params)

    async def send(
        self,
        method: Method,
        path: str,
        *,
        permission: str,
        params: Mapping[str, str] | None = None,
        body: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object that answers a request.

        Raises PermissionMissingError, ThrottledError, TransientError (HTML, redirects and cut answers too),
        NotFoundError, RefusedError.
        """
        url = path if path.startswith(("https://", "http://")) else f"{self._wire.root}{path}"
        if urlsplit(url)[:2] != urlsplit(self._wire.root)[:2]:
            raise RefusedError(f"Graph names another address for its next page: {urlsplit(url).netloc}.")
        asked = str(httpx.URL(url, params=params)) if params else url
        return _judged(await self._wire.send(method, asked, body), permission)

    async def pages(
        self, path: str, *, permission: str, params: Mapping[str, str], most: int, seconds: float = PAGING_SECONDS
    ) -> Pages:
        """Return the records of all pages: about ``most``, and no page is begun after ``seconds``.

        A page after the first that is throttled is read again within that time; without time for it, it is left out.
        """
        clock = asyncio.get_running_loop().time
        ends_at = clock() + seconds
        page = await self.read(path, permission=permission, params=params)
        found = _records(page)
        while (link := page.get("@odata.nextLink")) and len(found) < most and clock() < ends_at:
            try:
                page = await self.read(str(link), permission=permission)
            except ThrottledError as throttled:
                wait = max(throttled.retry_after_seconds, SHORTEST_WAIT)
                if clock() + wait >= ends_at:
                    break
                await asyncio.sleep(wait)
                continue
            found += _records(page)
        return Pages(found, complete=not page.get("@odata.nextLink"))


class Pages(NamedTuple):
    """Records of one or more pages. ``complete`` False: the service has more."""

    records: list[dict[str, Any]]
    complete: bool


def quoted(name: str) -> str:
    """Return a name as a text of OData."""
    return "'" + name.replace("'", "''") + "'"


def between(field: str, start: datetime, end: datetime) -> str:
    """Return the part of a filter that lets a time through, both ends inclusive."""
    return f"{field} ge {start:{SECONDS}} and {field} le {end:{SECONDS}}"


def _records(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = page.get("value")
    if not isinstance(found, list):
        raise TransientError("Graph answered with a page without records.")
    return [each for each in found if isinstance(each, dict)]


def _judged(answer: httpx.Response, permission: str) -> dict[str, Any]:
    status, (code, message) = answer.status_code, words_of(answer)
    text = f"Graph answered {status} {code}: {message}".removesuffix(" : ").removesuffix(": ")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ThrottledError(text, retry_after_seconds=wait_of(answer))
    if status == HTTPStatus.FORBIDDEN and (code or message):
        raise PermissionMissingError(text, permission=permission)
    if status == HTTPStatus.NOT_FOUND:
        raise NotFoundError(text)
    if answer.is_server_error or answer.is_redirect or status in PASSING:
        raise TransientError(text)
    if not answer.is_success:
        raise RefusedError(text)
    if len(answer.content) > MOST_BYTES:
        raise RefusedError(f"Graph answered with {len(answer.content)} bytes: too many.")
    return object_of(answer)
