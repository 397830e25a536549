"""Notifications as Adaptive Cards to a workflow of Microsoft Teams.

The address is the secret: Teams checks no signature. 2xx means accepted by the workflow, not shown. Texts are text
runs, in which Teams reads no Markdown; the title and the facts are escaped.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from bypass_responder.adapters.http_message import post
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.receiver import Addresses

MOST_BYTES = 20_000
"""Teams takes 28 kB with its own wrapping."""
_LONGEST, _LONGEST_TITLE, _LONGEST_FACT = 1_500, 200, 300
_MOST_LINES = 40
_MARKDOWN = re.compile(r"([\\`*_\[\]()~<>|#])")
_COLOR = {
    Severity.INFO: "Default",
    Severity.WARNING: "Warning",
    Severity.CRITICAL: "Attention",
    Severity.EMERGENCY: "Attention",
}
Element = dict[str, Any]


class TeamsNotifier:
    """One workflow. Not idempotent: a repeated message is a second card."""

    def __init__(self, http: httpx.AsyncClient, url: str, addresses: Addresses) -> None:
        """Take the workflow's address; nothing connects before the first message."""
        self._http = http
        self._url = url
        self._addresses = addresses

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Send one card, for one notification or for many."""
        await post(self._http, self._url, message(notifications, self._addresses), {}, to="Teams", pages=False)


def message(notifications: Sequence[Notification], addresses: Addresses) -> bytes:
    """Return the message with its card, with as many lines as fit."""
    first = notifications[0]
    several = len(notifications) > 1
    head = _heads(notifications) if several else _head(first, addresses)
    lines = [_listed(each) for each in notifications] if several else list(_todo(first))
    button = _button_of_many(addresses) if several else addresses.button(first)
    for number in range(min(len(lines), _MOST_LINES), -1, -1):
        left = len(lines) - number
        more = [_run(f"{left} more lines are not shown. Read them: bypassctl status")] if left else []
        made = _message([*head, *lines[:number], *more], button)
        if len(made) <= MOST_BYTES:
            return made
    return _message([_title(first.title, first.severity)], button)


def _message(body: list[Element], button: tuple[str, str] | None) -> bytes:
    card: Element = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": body,
    }
    if button is not None:
        card["actions"] = [{"type": "Action.OpenUrl", "title": button[0], "url": button[1]}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return json.dumps({"type": "message", "attachments": [attachment]}, ensure_ascii=False).encode()


def _head(note: Notification, addresses: Addresses) -> list[Element]:
    return [
        _title(note.title, note.severity),
        _run(note.text),
        {"type": "FactSet", "facts": list(_facts(note, addresses))},
    ]


def _facts(note: Notification, addresses: Addresses) -> Iterator[Element]:
    actors = note.facts.get("actor")
    facts = {
        "Severity": note.severity.value,
        "Account": note.facts.get("account"),
        "Actor": ", ".join(map(str, actors)) if isinstance(actors, list | tuple) else actors,
        "Incident": note.incident_id,
        "Time": f"{note.created_at:%Y-%m-%d %H:%M:%SZ}",
        "Runbook": addresses.of(note)["runbook"],
    }
    yield from ({"title": name, "value": _escaped(str(value), _LONGEST_FACT)} for name, value in facts.items() if value)


def _todo(note: Notification) -> Iterator[Element]:
    """Yield each thing to do; its command on a separate line, to be copied."""
    commands = iter(note.commands)
    command = next(commands, None)
    for line in note.left_to_do:
        if command is not None and line.endswith(f": {command}"):
            yield _run(f"• {line.removesuffix(f': {command}')}:")
            yield _run(command, monospace=True)
            command = next(commands, None)
        else:
            yield _run(f"• {line}")


def _heads(notifications: Sequence[Notification]) -> list[Element]:
    counts = Counter(note.severity for note in notifications)
    worst = max(counts, key=lambda severity: severity.rank)
    by_severity = ", ".join(f"{counts[each]} {each.value}" for each in reversed(Severity) if each in counts)
    return [_title(f"{len(notifications)} notifications: {by_severity}", worst)]


def _listed(note: Notification) -> Element:
    about = f" ({note.incident_id})" if note.incident_id else ""
    return _run(f"• {note.severity.value}: {_cut(note.title, _LONGEST_TITLE)}{about}")


def _button_of_many(addresses: Addresses) -> tuple[str, str] | None:
    return ("Open the console", addresses.console) if addresses.console else None


def _title(text: str, severity: Severity) -> Element:
    style = {"weight": "Bolder", "size": "Medium", "wrap": True, "color": _COLOR[severity]}
    return {"type": "TextBlock", "text": _escaped(text, _LONGEST_TITLE)} | style


def _run(text: str, *, monospace: bool = False) -> Element:
    run = {"type": "TextRun", "text": _cut(text, _LONGEST)} | ({"fontType": "Monospace"} if monospace else {})
    return {"type": "RichTextBlock", "inlines": [run]}


def _escaped(text: str, longest: int) -> str:
    return _MARKDOWN.sub(r"\\\1", " ".join(_cut(text, longest).split()))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"
