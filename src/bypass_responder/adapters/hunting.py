"""Advanced hunting through Microsoft Graph. Permission: ThreatHunting.Read.All."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
from azure.core.exceptions import AzureError

from bypass_responder.errors import NotFoundError, PermissionMissingError, RefusedError, ThrottledError, TransientError
from bypass_responder.model.retry_after import seconds_to_wait
from bypass_responder.rights import GRAPH_SCOPE

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from bypass_responder.model.feed import Window

PERMISSION = "ThreatHunting.Read.All (Microsoft Graph)"
TIMEOUT_SECONDS = 190
"""The service ends a query after three minutes."""
QUOTA_SECONDS = 900.0
"""How long to wait after 429 without Retry-After: the quota of CPU time counts quarters of an hour."""
_NO_TABLE = re.compile(r"resolve table|no such table|not licensed|license|not onboarded|provision", re.IGNORECASE)
_NO_TABLE_FIX = "It needs Microsoft Defender for Cloud Apps with the app connector of Microsoft 365"
_PASSING = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.REQUEST_TIMEOUT}
"""A token that ends meanwhile; a page of a proxy, which a refusal without the service's code is."""
_LONGEST = 300


class GraphHunting:
    """``ports.Hunting``. One request for each query; who asks again is the caller."""

    def __init__(self, http: httpx.AsyncClient, credential: AsyncTokenCredential, base_url: str) -> None:
        """``base_url`` is Graph's, without a version."""
        self._http = http
        self._credential = credential
        self._url = f"{base_url.rstrip('/')}/v1.0/security/runHuntingQuery"

    async def run(self, query: str, timespan: Window) -> list[dict[str, Any]]:
        """POST runHuntingQuery. The answer's own names may begin with either letter case."""
        span = "/".join(f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for moment in (timespan.start, timespan.end))
        answer = await self._post({"Query": query, "Timespan": span})
        if not answer.is_success:
            raise _error(answer)
        return _rows(answer)

    async def _post(self, body: dict[str, str]) -> httpx.Response:
        try:
            token = await self._credential.get_token(GRAPH_SCOPE)
            headers = {"Authorization": f"Bearer {token.token}", "Accept": "application/json"}
            return await self._http.post(
                self._url, json=body, headers=headers, timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=10)
            )
        except (httpx.HTTPError, httpx.StreamError, AzureError) as problem:
            raise TransientError(f"Hunting cannot be reached ({type(problem).__name__}: {problem}).") from problem


def _rows(answer: httpx.Response) -> list[dict[str, Any]]:
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError) as problem:
        raise TransientError("Hunting answered with something that is not JSON.") from problem
    named = {name.casefold(): value for name, value in body.items()} if isinstance(body, dict) else {}
    rows = named.get("results")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise TransientError("Hunting answered without a list of results.")
    return rows


def _error(
    answer: httpx.Response,
) -> PermissionMissingError | NotFoundError | ThrottledError | TransientError | RefusedError:
    status = answer.status_code
    code, message = _words(answer)
    text = f"Hunting answered {status} {code}: {message or 'nothing more'}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ThrottledError(text, retry_after_seconds=seconds_to_wait(answer.headers, default=QUOTA_SECONDS))
    refused = status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}
    if refused and code and _NO_TABLE.search(message):
        return NotFoundError(f"{text.rstrip('.')}. {_NO_TABLE_FIX}.")
    if status == HTTPStatus.FORBIDDEN and code:
        return PermissionMissingError(f"{text.rstrip('.')}.", permission=PERMISSION)
    if answer.is_server_error or status in _PASSING:
        return TransientError(text)
    return RefusedError(text)


def _words(answer: httpx.Response) -> tuple[str, str]:
    """Code and first line of the message; of a body that is not Graph's, its beginning."""
    try:
        error = json.loads(answer.content)["error"]
        return str(error["code"]), (str(error["message"]).splitlines() or [""])[0][:_LONGEST]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "", " ".join(answer.text.split())[:_LONGEST]
