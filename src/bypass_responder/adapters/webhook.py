"""Sends notifications as signed JSON over HTTPS, in the format of Standard Webhooks.

The format is specified at https://www.standardwebhooks.com.

Headers: ``webhook-id``, ``webhook-timestamp`` (Unix seconds), ``webhook-signature`` (``v1,`` and the base64 of
HMAC-SHA256 over ``id.timestamp.body``). Body: ``{type, timestamp, data}``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from bypass_responder.adapters.http_message import post
from bypass_responder.errors import SettingError, TransientError
from bypass_responder.model.notification import Notification
from bypass_responder.model.receiver import REFERENCE, Addresses
from bypass_responder.ports import Clock

TYPE_ONE = "bypass_responder.notification"
TYPE_GROUP = "bypass_responder.notifications"
_SENT = {
    "id",
    "about",
    "severity",
    "title",
    "text",
    "incident_id",
    "target",
    "facts",
    "left_to_do",
    "commands",
    "created_at",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class WebhookNotifier:
    """One receiver. The same notifications always have the same ``webhook-id``, for deduplication."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        url: str,
        secret: str,
        *,
        addresses: Addresses = Addresses(),  # noqa: B008 - frozen
        clock: Clock = _utc_now,
    ) -> None:
        """Take ``secret`` as ``whsec_`` and base64, or as plain text. Raises SettingError for invalid base64."""
        self._http = http
        self._url = url
        self._addresses = addresses
        self._key = None if secret.startswith(REFERENCE) else _key(secret)
        self._clock = clock

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver the notifications in one message. 2xx is accepted; 408, 429, 5xx and silence are transient.

        So is a secret that is still a reference to the vault: nothing is signed with that.
        """
        if self._key is None:
            raise TransientError(
                "NOTIFICATION_WEBHOOK_SECRET is not resolved: put the secret notification-webhook-secret into the "
                "vault, then restart the app."
            )
        now = self._clock()
        message_id = _message_id(notifications)
        body = json.dumps(self._message(notifications, now), ensure_ascii=False, separators=(",", ":")).encode()
        await post(self._http, self._url, body, signature(self._key, message_id, now, body), to="The webhook")

    def _message(self, notifications: Sequence[Notification], now: datetime) -> dict[str, Any]:
        reported = [
            note.model_dump(mode="json", include=_SENT) | {"links": self._addresses.of(note)} for note in notifications
        ]
        if len(reported) == 1:
            return {"type": TYPE_ONE, "timestamp": now.isoformat(), "data": reported[0]}
        counts = {"total": len(notifications), "by_about": Counter(note.about for note in notifications)}
        counts["by_severity"] = Counter(str(note.severity) for note in notifications)
        return {"type": TYPE_GROUP, "timestamp": now.isoformat(), "data": counts | {"notifications": reported}}


def signature(key: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Make the three headers of a message."""
    seconds = str(int(at.timestamp()))
    digest = hmac.digest(key, b".".join((message_id.encode(), seconds.encode(), body)), hashlib.sha256)
    signed = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": message_id, "webhook-timestamp": seconds, "webhook-signature": signed}


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise SettingError("NOTIFICATION_WEBHOOK_SECRET must be whsec_ followed by base64.") from None


def _message_id(notifications: Sequence[Notification]) -> str:
    digest = hashlib.sha256(
        "\0".join(f"{notification.target}/{notification.id}" for notification in notifications).encode()
    ).hexdigest()
    return f"msg_{digest[:32]}"
