"""Reads of Microsoft Graph for evidence: one page, or all pages within a bound."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from azure.core.exceptions import AzureError

from bypass_responder.errors import NotFoundError, PermissionMissingError, RefusedError, ThrottledError, TransientError
from bypass_responder.rights import GRAPH_SCOPE

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

MOST_BYTES = 32 * 1024 * 1024
"""Of one answer."""
DEFAULT_WAIT_SECONDS = 10.0


class GraphReader:
    """Reads Graph with the responder's identity. No retry: the evidence run asks again later."""

    def __init__(self, http: httpx.AsyncClient, credential: AsyncTokenCredential, base_url: str) -> None:
        """``base_url`` without a version; no token goes to another address."""
        self._http = http
        self._credential = credential
        self._root = base_url.rstrip("/")

    async def read(self, path: str, *, permission: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return the JSON object at a path such as ``/v1.0/auditLogs/signIns``, or at a ``@odata.nextLink``."""
        return await self.send("GET", path, permission=permission, params=params)

    async def send(
        self,
        method: str,
        path: str,
        *,
        permission: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the JSON object that answers a request.

        Raises PermissionMissingError, ThrottledError, TransientError (HTML and cut answers too), NotFoundError,
        RefusedError.
        """
        url = path if path.startswith(("https://", "http://")) else f"{self._root}{path}"
        if urlsplit(url)[:2] != urlsplit(self._root)[:2]:
            raise RefusedError(f"Graph names another address for its next page: {urlsplit(url).netloc}.")
        try:
            token = await self._credential.get_token(GRAPH_SCOPE)
            headers = {"Authorization": f"Bearer {token.token}", "Accept": "application/json"}
            answer = await self._http.request(method, url, params=params, json=body, headers=headers)
        except (httpx.HTTPError, httpx.StreamError, AzureError) as problem:
            raise TransientError(f"Graph cannot be reached ({type(problem).__name__}).") from problem
        return _judged(answer, permission)

    async def pages(
        self, path: str, *, permission: str, params: Mapping[str, str], most: int
    ) -> tuple[list[dict[str, Any]], bool]:
        """Return the records of all pages, up to about ``most``, and True when these are all."""
        page = await self.read(path, permission=permission, params=params)
        found = _records(page)
        while (link := page.get("@odata.nextLink")) and len(found) < most:
            page = await self.read(str(link), permission=permission)
            found += _records(page)
        return found, not page.get("@odata.nextLink")


def _records(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = page.get("value")
    if not isinstance(found, list):
        raise TransientError("Graph answered with a page without records.")
    return [each for each in found if isinstance(each, dict)]


def _judged(answer: httpx.Response, permission: str) -> dict[str, Any]:
    status, (code, message) = answer.status_code, _error(answer)
    text = f"Graph answered {status} {code}: {message}".removesuffix(" : ").removesuffix(": ")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        given = answer.headers.get("Retry-After", "")
        raise ThrottledError(text, retry_after_seconds=float(given) if given.isdecimal() else DEFAULT_WAIT_SECONDS)
    if status == HTTPStatus.FORBIDDEN:
        raise PermissionMissingError(text, permission=permission)
    if status == HTTPStatus.NOT_FOUND:
        raise NotFoundError(text)
    if answer.is_server_error or status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.REQUEST_TIMEOUT}:
        raise TransientError(text)
    if not answer.is_success:
        raise RefusedError(text)
    return _object(answer)


def _object(answer: httpx.Response) -> dict[str, Any]:
    if len(answer.content) > MOST_BYTES:
        raise RefusedError(f"Graph answered with {len(answer.content)} bytes: too many.")
    try:
        body = answer.json()
    except (ValueError, RecursionError) as problem:
        raise TransientError("Graph answered with something that is not JSON.") from problem
    if not isinstance(body, dict):
        raise TransientError("Graph answered with JSON that is not an object.")
    return body


def _error(answer: httpx.Response) -> tuple[str, str]:
    try:
        error = answer.json()["error"]
        return str(error["code"]), (str(error["message"]).splitlines() or [""])[0][:200]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", ""
