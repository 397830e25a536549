"""The application permissions that Entra ID gives an identity, and since when: for `bypassctl doctor`, read only.

The deployed app has no right to ask this. A person who may read service principals has: any member of the directory,
unless an administrator took it away.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
from azure.core.exceptions import AzureError
from pydantic import TypeAdapter, ValidationError

from bypass_responder.errors import NotFoundError, PermissionMissingError, RefusedError, TransientError
from bypass_responder.model.base import Utc, guid_or_none

if TYPE_CHECKING:
    from datetime import datetime

    from azure.core.credentials_async import AsyncTokenCredential

RIGHT = "to read service principals in the directory"
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Utc)
_MOST_PAGES = 20


class GraphGrantedRoles:
    """``ports.GrantedRoles``, by Microsoft Graph's ``appRoleAssignments``."""

    def __init__(self, http: httpx.AsyncClient, credential: AsyncTokenCredential, base_url: str, *, scope: str) -> None:
        """``base_url`` without ``/v1.0``; no token goes to another address."""
        self._http = http
        self._credential = credential
        self._root = f"{base_url.rstrip('/')}/v1.0/"
        self._scope = scope

    async def of(self, principal_id: str) -> dict[str, datetime | None]:
        """Every assignment of this service principal, page by page."""
        if guid_or_none(principal_id) is None:
            raise RefusedError(f"{principal_id!r:.80} is no object id.")
        url = f"{self._root}servicePrincipals/{principal_id}/appRoleAssignments"
        found: dict[str, datetime | None] = {}
        for _ in range(_MOST_PAGES):
            page = await self._page(url, principal_id)
            found |= {str(each["appRoleId"]).lower(): _moment(each) for each in _assignments(page)}
            url = str(page.get("@odata.nextLink") or "")
            if not url:
                return found
        raise RefusedError(f"Graph lists the rights of {principal_id} without end.")

    async def _page(self, url: str, principal_id: str) -> dict[str, Any]:
        if not url.startswith(self._root):
            raise RefusedError(f"Graph named an address elsewhere, which gets no token: {url!r:.200}.")
        try:
            token = await self._credential.get_token(self._scope)
            answer = await self._http.get(url, headers={"Authorization": f"Bearer {token.token}"})
        except (AzureError, httpx.HTTPError) as problem:
            said = (str(problem).splitlines() or [""])[0]
            raise TransientError(f"Graph cannot be asked ({type(problem).__name__}: {said[:200]}).") from problem
        said = f"Graph answered {answer.status_code} when it was asked for the rights of {principal_id}."
        if answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise PermissionMissingError(said, permission=RIGHT)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise NotFoundError(f"The directory has no identity {principal_id}.")
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS or answer.is_server_error:
            raise TransientError(said)
        try:
            page = answer.json()
        except ValueError:
            page = None
        if not answer.is_success or not isinstance(page, dict):
            raise RefusedError(said)
        return page


def _assignments(page: dict[str, Any]) -> list[dict[str, Any]]:
    items = page.get("value")
    return [each for each in items if isinstance(each, dict) and "appRoleId" in each] if isinstance(items, list) else []


def _moment(assignment: dict[str, Any]) -> datetime | None:
    try:
        return _MOMENT.validate_python(assignment.get("createdDateTime"))
    except ValidationError:
        return None
