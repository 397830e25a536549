"""Reads the claims of the caller's own access tokens, unverified: they grant nobody access here.

The token itself is not kept, stored or shown. azure-identity holds it anyway, so looking costs no call.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError

from bypass_responder.model.self_check import Token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from azure.core.credentials_async import AsyncTokenCredential

_LONGEST = 300


class OwnTokens:
    """``operating.self_check.OwnTokens``. Permissions: none."""

    def __init__(self, credential: AsyncTokenCredential, scopes: Mapping[str, str]) -> None:
        """``scopes`` by application id of the service, equal to its client's, so that tokens are equal too."""
        self._credential = credential
        self._scopes = scopes

    async def inspect(self, api: str) -> Token:
        """Return the claims of the token for this service, or the problem."""
        try:
            token = (await self._credential.get_token(self._scopes[api])).token
        except AzureError as error:
            lines = str(error.message or type(error).__name__).splitlines() or [type(error).__name__]
            return Token(api=api, problem=lines[0][:_LONGEST])
        claims = claims_of(token)
        if claims is None:
            return Token(api=api, problem="the token is not a readable JWT")
        roles = claims.get("roles")
        return Token(
            api=api,
            roles=tuple(sorted(map(str, roles))) if isinstance(roles, list) else (),
            issued_at=_moment(claims.get("iat")),
            expires_at=_moment(claims.get("exp")),
            object_id=str(claims.get("oid", "")).lower(),
            application_id=str(claims.get("appid") or claims.get("azp") or "").lower(),
            tenant_id=str(claims.get("tid", "")).lower(),
            delegated="scp" in claims,
        )


def claims_of(token: str) -> dict[str, Any] | None:
    """The claims of a token that was just issued; None when it is not a JWT. They authorize nothing."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError, binascii.Error, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _moment(given: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(str(given)), UTC)
    except (ValueError, OverflowError, OSError):
        return None
