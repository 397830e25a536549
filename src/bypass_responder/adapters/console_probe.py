"""Whether the console answers unauthenticated requests: without a principal, or with a forged one."""

from __future__ import annotations

import base64
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = "/needs-decision"
ROLE_TYPE = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
"""What App Service names as ``role_typ``, while app roles are claims of the type ``roles``."""
CLOSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FOUND}
"""What App Service authentication and the console answer to a stranger: an error, or the way to the sign-in."""


class ConsoleProbe:
    """``operating.self_check.ConsoleProbe``. Two requests, without a token."""

    def __init__(self, http: httpx.AsyncClient, url: str, *, tenant_id: str, new_id: Callable[[], str]) -> None:
        """``url``: the address of the console. ``new_id``: makes the object id of the forged principal."""
        self._http, self._url, self._tenant_id, self._new_id = http, url, tenant_id, new_id

    async def open_because(self) -> str | None:
        """Return what a stranger got, empty when nothing, None when the console cannot be reached.

        Raises nothing.
        """
        try:
            plain = await self._http.get(f"{self._url}{PAGE}", follow_redirects=False)
            headers = {"X-MS-CLIENT-PRINCIPAL": self._forged()}
            forged = await self._http.get(f"{self._url}{PAGE}", headers=headers, follow_redirects=False)
        except httpx.HTTPError:
            return None
        answers = {"without a sign-in": plain.status_code, "with a forged sign-in": forged.status_code}
        return ", ".join(f"{how} it answers {status}" for how, status in answers.items() if status not in CLOSED)

    def _forged(self) -> str:
        """Return a header that the console would believe if nothing stood before it."""
        claims = {"tid": self._tenant_id, "oid": self._new_id(), "roles": "Console.Read"}
        principal = {
            "auth_typ": "aad",
            "name_typ": "preferred_username",
            "role_typ": ROLE_TYPE,
            "claims": [{"typ": kind, "val": value} for kind, value in claims.items()],
        }
        return base64.b64encode(json.dumps(principal).encode()).decode()
