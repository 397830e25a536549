"""Notifications as text to an incoming webhook of Slack. The address is the secret."""

from __future__ import annotations

import json
from collections.abc import Sequence

import httpx

from bypass_responder.adapters.http_message import post
from bypass_responder.model.notification import Notification
from bypass_responder.model.receiver import Addresses

MOST_CHARACTERS = 3_800
"""Slack recommends no more than 4,000."""
_LONGEST = 1_500


class SlackNotifier:
    """One channel of Slack. Not idempotent: a repeated message is a second one."""

    def __init__(self, http: httpx.AsyncClient, url: str, addresses: Addresses) -> None:
        """Take the webhook's address; nothing connects before the first message."""
        self._http = http
        self._url = url
        self._addresses = addresses

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Send one text, for one notification or for many."""
        await post(self._http, self._url, message(notifications, self._addresses), {}, to="Slack", pages=False)


def message(notifications: Sequence[Notification], addresses: Addresses) -> bytes:
    """Return the message: a text with as many lines as fit, then the link."""
    first = notifications[0]
    if len(notifications) == 1:
        head = f"*{first.severity.value}: {_plain(first.title, 300)}*\n{_plain(first.text, _LONGEST)}"
        about = f"Incident {first.incident_id}. " if first.incident_id else ""
        head += f"\n{_plain(about, 300)}Runbook: {_plain(addresses.of(first)['runbook'], 300)}"
        lines = [f"• {_plain(line, _LONGEST)}" for line in first.left_to_do]
        button = addresses.button(first)
    else:
        head = f"*{len(notifications)} notifications*"
        lines = [f"• {each.severity.value}: {_plain(each.title, 300)}" for each in notifications]
        button = ("Open the console", addresses.console) if addresses.console else None
    link = f"\n<{button[1]}|{button[0]}>" if button else ""
    return json.dumps({"text": _fitting(head, lines) + link}, ensure_ascii=False).encode()


def _fitting(head: str, lines: Sequence[str]) -> str:
    text = "\n".join([head, *lines])
    number = len(lines)
    while len(text) > MOST_CHARACTERS and number:
        number -= 1
        more = f"{len(lines) - number} more lines are not shown. Read them: bypassctl status"
        text = "\n".join([head, *lines[:number], more])
    return text


def _plain(text: str, longest: int) -> str:
    """Return a text in which Slack finds no link and no mention."""
    cut = text if len(text) <= longest else f"{text[:longest]}…"
    return cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
