"""Texts for Slack: with the link, short enough, and without mentions or links from an attacker."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.adapters.slack import MOST_CHARACTERS, SlackNotifier, message
from bypass_responder.errors import RefusedError
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.receiver import Addresses

CONSOLE = Addresses(console="https://console.contoso.com")


def a_note(**fields: Any) -> Notification:
    defaults: dict[str, Any] = {
        "id": "n1",
        "about": "contained",
        "severity": Severity.CRITICAL,
        "title": "Contained: alex@contoso.com",
        "text": "Sign-in is blocked.",
        "incident_id": "20260302-a",
        "target": "t1",
        "left_to_do": ("Investigate the actor.",),
        "created_at": datetime(2026, 3, 2, 3, 12, tzinfo=UTC),
    }
    return Notification(**(defaults | fields))


def text_of(*notes: Notification, addresses: Addresses = CONSOLE) -> str:
    sent: dict[str, str] = json.loads(message(notes, addresses))
    return sent["text"]


def test_a_message_is_text_and_a_link() -> None:
    assert text_of(a_note()).splitlines() == [
        "*critical: Contained: alex@contoso.com*",
        "Sign-in is blocked.",
        "Incident 20260302-a. Runbook: docs/runbook.md#notification-contained",
        "• Investigate the actor.",
        "<https://console.contoso.com/incidents/20260302-a|Open the incident>",
    ]


def test_many_notifications_are_one_message() -> None:
    assert text_of(a_note(), a_note(severity=Severity.INFO)).splitlines()[:3] == [
        "*2 notifications*",
        "• critical: Contained: alex@contoso.com",
        "• info: Contained: alex@contoso.com",
    ]


@given(st.text(max_size=3000), st.lists(st.text(max_size=2000), max_size=60))
def test_any_text_fits_and_mentions_nobody(title: str, lines: list[str]) -> None:
    text = text_of(a_note(title=title, text=f"<!channel> {title}", left_to_do=tuple(lines)), addresses=Addresses())

    assert "<" not in text
    assert len(text) <= MOST_CHARACTERS * 5


async def test_a_web_page_is_no_acceptance() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, html="<title>Proxy</title>"))
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(RefusedError, match="web page"):
            await SlackNotifier(http, "https://hooks.slack.com/services/T/B/geheim", CONSOLE).send([a_note()])
