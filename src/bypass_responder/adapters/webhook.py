"""Sends notifications as signed JSON over HTTPS (Standard Webhooks, https://www.standardwebhooks.com).

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
from http import HTTPStatus
from typing import Any

import httpx

from bypass_responder.errors import RefusedError, SettingError, ThrottledError, TransientError
from bypass_responder.model.notification import Notification
from bypass_responder.ports import Clock

TYPE_ONE = "bypass_responder.notification"
TYPE_GROUP = "bypass_responder.notifications"
_SENT = {"id", "about", "severity", "title", "text", "incident_id", "target", "facts", "left_to_do", "created_at"}
_DEFAULT_WAIT_SECONDS = 60.0
_TIMEOUT_SECONDS = 10.0
_REFERENCE = "@Microsoft.KeyVault("
"""Prefix of an unresolved key vault reference: anybody can guess that text."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class WebhookNotifier:
    """One receiver. The same notifications always have the same ``webhook-id``, for deduplication."""

    def __init__(self, http: httpx.AsyncClient, url: str, secret: str, *, clock: Clock = _utc_now) -> None:
        """Take ``secret`` as ``whsec_`` and base64, or as plain text. Raises SettingError for invalid base64."""
        self._http = http
        self._url = url
        self._key = None if secret.startswith(_REFERENCE) else _key(secret)
        self._clock = clock

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver the notifications in one message. 2xx is delivered; 408, 429, 5xx and silence are transient.

        So is a secret that is still a reference to the vault: nothing is signed with that.
        """
        if self._key is None:
            raise TransientError(
                "NOTIFICATION_WEBHOOK_SECRET is not resolved: put the secret notification-webhook-secret into the "
                "vault, then restart the app."
            )
        now = self._clock()
        message_id = _message_id(notifications)
        body = json.dumps(_message(notifications, now), ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"content-type": "application/json", **signature(self._key, message_id, now, body)}
        try:
            answer = await self._http.post(
                self._url, content=body, headers=headers, timeout=_TIMEOUT_SECONDS, follow_redirects=False
            )
        except httpx.HTTPError as problem:
            raise TransientError(f"The webhook did not answer ({type(problem).__name__}).") from problem
        _judge(answer)


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


def _message(notifications: Sequence[Notification], now: datetime) -> dict[str, Any]:
    reported = [notification.model_dump(mode="json", include=_SENT) for notification in notifications]
    if len(reported) == 1:
        return {"type": TYPE_ONE, "timestamp": now.isoformat(), "data": reported[0]}
    counts = {"total": len(notifications), "by_about": Counter(notification.about for notification in notifications)}
    counts["by_severity"] = Counter(str(notification.severity) for notification in notifications)
    return {"type": TYPE_GROUP, "timestamp": now.isoformat(), "data": counts | {"notifications": reported}}


def _judge(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    text = f"The webhook answered {answer.status_code}."
    if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        wait = answer.headers.get("retry-after", "")
        raise ThrottledError(text, retry_after_seconds=float(wait) if wait.isdecimal() else _DEFAULT_WAIT_SECONDS)
    if answer.is_server_error or answer.status_code == HTTPStatus.REQUEST_TIMEOUT:
        raise TransientError(text)
    raise RefusedError(text)
