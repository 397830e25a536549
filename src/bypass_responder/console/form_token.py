"""The token of a form: who it was made for, and that it is used once. Pure."""

from __future__ import annotations

import hmac
import re
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bypass_responder.console.principal import Principal

LASTS = timedelta(hours=8)
"""A page that is open for longer must be loaded again."""
MOST_REMEMBERED = 10_000
_TOKEN = re.compile(r"(?P<at>\d{10})\.(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(?P<proof>[0-9a-f]{64})")


class FormTokenError(Exception):
    """The token of a form is not accepted; the message is the reason, for the log."""


class FormTokens:
    """Makes and accepts tokens.

    Each holds a random id, which becomes the id of the message that the form sends.
    A token is accepted once by this process. Sent again to another one, it makes a message with the same id, which
    the responder does not carry out again.
    """

    def __init__(self, key: bytes) -> None:
        """Keep the key, which all instances share."""
        self._key = key
        self._used: OrderedDict[str, None] = OrderedDict()

    def issue(self, principal: Principal, *, form_id: str, now: datetime) -> str:
        """Return a token for one form of this principal."""
        head = f"{int(now.timestamp()):010d}.{form_id}"
        return f"{head}.{self._proof(principal, head)}"

    def accept(self, token: str, principal: Principal, *, now: datetime) -> str:
        """Return the id of the form, once. Raises FormTokenError."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise FormTokenError("no_form_token")
        if not hmac.compare_digest(match["proof"], self._proof(principal, f"{match['at']}.{match['id']}")):
            raise FormTokenError("foreign_form_token")
        if not timedelta() <= now - datetime.fromtimestamp(int(match["at"]), UTC) + timedelta(seconds=1) <= LASTS:
            raise FormTokenError("old_form_token")
        if match["id"] in self._used:
            raise FormTokenError("used_form_token")
        self._used[match["id"]] = None
        if len(self._used) > MOST_REMEMBERED:
            self._used.popitem(last=False)
        return match["id"]

    def _proof(self, principal: Principal, head: str) -> str:
        return hmac.new(self._key, f"form\n{principal.object_id}\n{head}".encode(), sha256).hexdigest()
