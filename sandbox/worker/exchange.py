"""Cmdlets over the stand-in's ``InvokeCommand``, with paging and a few retries of transient errors."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.tenant.state import utc_now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from bypass_responder.model.message import ErrorClass

Rows = list[dict[str, Any]]
TRIES = 4
TRANSIENT = (
    "DCOverloadedException",
    "SuitabilityDirectoryException",
    "ServerInMMException",
    "ADServerSettingsChangedException",
    "StorageTransientException",
)
"""Exception names after which the Exchange module itself tries again."""
NOT_IN_ROLE = "aren't present in the role definition"
"""Of a parameter that the identity's role does not include."""


class CmdletError(Exception):
    """A cmdlet failed. ``error_class`` is the contract's word.

    ``ambiguous`` is set when a name means several objects.
    """

    def __init__(self, message: str, error_class: ErrorClass, *, retry_after_seconds: float = 0.0) -> None:
        """Keep the class and the wait that the service named beside the message."""
        super().__init__(message)
        self.error_class = error_class
        self.retry_after_seconds = retry_after_seconds
        self.ambiguous = "ManagementObjectAmbiguousException" in message


@dataclass(frozen=True)
class ExchangeCalls:
    """One tenant's Exchange.

    ``url`` is the base of the Exchange service; ``token`` gives a bearer token for it.
    """

    http: httpx.AsyncClient
    url: str
    tenant_id: str
    token: Callable[[], Awaitable[str]]
    clock: Callable[[], datetime] = utc_now
    pause_seconds: float = 0.1
    """Before the second try; doubled each time. A Retry-After that is longer wins."""

    async def run(self, cmdlet: str, **parameters: object) -> Rows:
        """All rows that the cmdlet returns. Raises ``CmdletError``; what is transient was tried four times."""
        rows, _ = await self.read(cmdlet, **parameters)
        return rows

    async def read(self, cmdlet: str, **parameters: object) -> tuple[Rows, list[str]]:
        """The same, with the warnings that came with them."""
        for attempt in range(TRIES):
            try:
                return await self._once(cmdlet, parameters)
            except CmdletError as error:
                if error.error_class != "transient" or attempt == TRIES - 1:
                    raise
                await asyncio.sleep(max(self.pause_seconds * 2**attempt, error.retry_after_seconds))
        raise AssertionError

    async def _once(self, cmdlet: str, parameters: dict[str, object]) -> tuple[Rows, list[str]]:
        url: str | None = f"{self.url}/{self.tenant_id}/InvokeCommand"
        rows: Rows = []
        warnings: list[str] = []
        while url:
            page = await self._post(url, {"CmdletInput": {"CmdletName": cmdlet, "Parameters": parameters}})
            rows += page["value"] or []
            warnings += page.get("@adminapi.warnings") or []
            url = page.get("@odata.nextLink")
        return rows, warnings

    async def _post(self, url: str, body: object) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {await self.token()}", "Prefer": "odata.maxpagesize=1000"}
        try:
            answer = await self.http.post(url, json=body, headers=headers)
        except httpx.TransportError as error:
            message = f"Exchange did not answer: {type(error).__name__}."
            raise CmdletError(message, "transient") from error
        if answer.is_success:
            page: dict[str, Any] = answer.json()
            return page
        reason = _reason(answer)
        after = answer.headers.get("Retry-After", "0")
        seconds = float(after) if after.isdigit() else 0.0
        raise CmdletError(reason, _class_of(answer.status_code, reason), retry_after_seconds=seconds)


def _class_of(status: int, reason: str) -> ErrorClass:
    if any(name in reason for name in TRANSIENT):
        return "transient"
    if NOT_IN_ROLE in reason:
        return "permission"
    match status:
        case 401 | 403:
            return "permission"
        case 404:
            return "not_found"
        case 429 | 500 | 502 | 503 | 504:
            return "transient"
    return "other"


def _reason(answer: httpx.Response) -> str:
    """The real reason is in ``error.details``; unknown or forbidden cmdlets have no readable body at all."""
    try:
        error = answer.json()["error"]
        details = error.get("details") or [{}]
        reason = str(details[0].get("message") or error["message"])
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        reason = "Exchange refused without a reason; the role or the app role may be missing."
    return f"HTTP {answer.status_code}: {reason}"
