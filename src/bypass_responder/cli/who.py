"""Who is at the keyboard: the signed-in identity where storage is keyless, else the user of this machine."""

from __future__ import annotations

import base64
import getpass
import json
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder

STORAGE_SCOPE = "https://storage.azure.com/.default"


async def who_am_i(responder: Responder) -> str:
    """A name for the response log. With a connection string nobody vouches for it, and it says so."""
    if responder.services.settings.storage.connection_string is not None:
        return f"{getpass.getuser()}@{socket.gethostname()} (not signed in)"
    token = await responder.credential.get_token(STORAGE_SCOPE)
    claims = _claims(token.token)
    name = claims.get("upn") or claims.get("unique_name") or claims.get("appid") or "unknown"
    return f"{name} ({claims.get('oid', 'no object id')})"


def _claims(token: str) -> dict[str, Any]:
    """The claims of a token that the identity platform just gave us; nothing is authorised by them."""
    parts = token.split(".")
    try:
        body = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims = json.loads(body)
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
