"""The caller of a command: the signed-in identity, or the local user with a connection string."""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder

STORAGE_SCOPE = "https://storage.azure.com/.default"


async def who_am_i(responder: Responder) -> str:
    """Return the caller's name for the response log, marked as unverified with a connection string."""
    if responder.services.settings.storage.connection_string is not None:
        return f"{getpass.getuser()}@{socket.gethostname()} (not signed in)"
    from bypass_responder.adapters.own_token import claims_of

    token = await responder.credential.get_token(STORAGE_SCOPE)
    claims = claims_of(token.token) or {}
    name = claims.get("upn") or claims.get("unique_name") or claims.get("appid") or "unknown"
    return f"{name} ({claims.get('oid', 'no object id')})"
