"""Cards for Microsoft Teams: valid by the published schema, small enough, and inert.

They are inert whatever the audit records say.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import httpx
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.adapters.teams import MOST_BYTES, TeamsNotifier, message
from bypass_responder.errors import RefusedError, ThrottledError, TransientError
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.receiver import Addresses

SCHEMA: dict[str, Any] = json.loads(files("adaptive_cards").joinpath("schemas/schema-1.4.json").read_text("utf-8"))
CONSOLE = Addresses(console="https://console.contoso.com", runbook="https://docs.contoso.com/runbook")
SECRET_URL = "https://example.environment.api.powerplatform.com/workflows/42?sig=geheim"
SHOW = "bypassctl incidents show 20260302-a"


def a_note(**fields: Any) -> Notification:
    defaults: dict[str, Any] = {
        "id": "n1",
        "about": "contained",
        "severity": Severity.CRITICAL,
        "title": "Contained: alex@contoso.com",
        "text": "Sign-in is blocked.",
        "incident_id": "20260302-a",
        "target": "t1",
        "facts": {"actor": ["mallory@contoso.com (administrator, from 203.0.113.7)"], "account": "alex@contoso.com"},
        "left_to_do": ("Investigate the actor.", f"Read the rest: {SHOW}"),
        "commands": (SHOW,),
        "created_at": datetime(2026, 3, 2, 3, 12, tzinfo=UTC),
    }
    return Notification(**(defaults | fields))


def card_of(*notes: Notification, addresses: Addresses = CONSOLE) -> dict[str, Any]:
    """The card, after a check by the schema."""
    sent = message(notes, addresses)
    [attachment] = json.loads(sent)["attachments"]
    card: dict[str, Any] = attachment["content"]
    jsonschema.Draft6Validator(SCHEMA).validate(card)
    assert (attachment["contentType"], len(sent) <= MOST_BYTES) == ("application/vnd.microsoft.card.adaptive", True)
    return card


def texts(card: dict[str, Any]) -> list[str]:
    return [run["text"] for each in card["body"] if each["type"] == "RichTextBlock" for run in each["inlines"]]


async def sent_to(answer: httpx.Response | Exception) -> None:
    """Send one card to a workflow that gives this answer."""

    def receive(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx.AsyncClient(transport=httpx.MockTransport(receive)) as http:
        await TeamsNotifier(http, SECRET_URL, CONSOLE).send([a_note()])


def test_a_card_has_the_facts() -> None:
    [facts] = [each["facts"] for each in card_of(a_note())["body"] if each["type"] == "FactSet"]

    assert {each["title"]: each["value"] for each in facts} == {
        "Severity": "critical",
        "Account": "alex@contoso.com",
        "Actor": r"mallory@contoso.com \(administrator, from 203.0.113.7\)",
        "Incident": "20260302-a",
        "Time": "2026-03-02 03:12:00Z",
        "Runbook": r"https://docs.contoso.com/runbook\#notification-contained",
    }


def test_a_command_has_a_separate_line() -> None:
    assert texts(card_of(a_note()))[-2:] == ["• Read the rest:", SHOW]


def test_the_one_button_opens_the_incident() -> None:
    url = "https://console.contoso.com/incidents/20260302-a"

    assert card_of(a_note())["actions"] == [{"type": "Action.OpenUrl", "title": "Open the incident", "url": url}]


def test_without_a_console_the_button_opens_the_runbook() -> None:
    [button] = card_of(a_note(), addresses=Addresses(runbook="https://docs.contoso.com/runbook"))["actions"]

    assert button["url"] == "https://docs.contoso.com/runbook#notification-contained"


def test_without_any_page_there_is_no_button() -> None:
    assert "actions" not in card_of(a_note(), addresses=Addresses())


def test_many_notifications_are_one_card_with_their_number_and_severities() -> None:
    card = card_of(*(a_note(id=f"n{number}") for number in range(11)), a_note(severity=Severity.EMERGENCY))

    assert card["body"][0]["text"] == "12 notifications: 1 emergency, 11 critical"
    assert len(texts(card)) == 12


def test_what_does_not_fit_is_counted() -> None:
    lines = tuple(f"{number} {'ü' * 1400}" for number in range(60))

    assert "more lines are not shown" in texts(card_of(a_note(left_to_do=lines)))[-1]


def test_markdown_of_an_attacker_is_text() -> None:
    card = card_of(a_note(title="[click](https://evil.example) **now**"))

    assert card["body"][0]["text"] == r"\[click\]\(https://evil.example\) \*\*now\*\*"


@given(st.text(max_size=300))
def test_no_text_keeps_its_markdown(title: str) -> None:
    [attachment] = json.loads(message([a_note(title=title)], CONSOLE))["attachments"]
    shown = attachment["content"]["body"][0]["text"]

    assert not re.search(r"(?<!\\)[*_\[\]()`~<>]", shown.replace(r"\\", ""))


@pytest.mark.parametrize("character", ["a", "ü", "\N{CLINKING BEER MUGS}", "\x01", '"', "\n"])
def test_a_card_of_the_longest_texts_is_valid_and_fits(character: str) -> None:
    long = character * 5000
    facts = {"actor": [long] * 50, "account": long}

    assert card_of(a_note(title=long, text=long, left_to_do=(long,) * 60, facts=facts))["version"] == "1.4"


@pytest.mark.parametrize("status", [200, 202])
async def test_2xx_is_accepted(status: int) -> None:
    await sent_to(httpx.Response(status))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, html="<title>Sign in</title>"), RefusedError),
        (httpx.Response(302, headers={"location": "https://login.example"}), RefusedError),
        (httpx.Response(404), RefusedError),
        (httpx.Response(429), ThrottledError),
        (httpx.Response(502), TransientError),
        (httpx.ReadTimeout(f"no answer from {SECRET_URL}"), TransientError),
    ],
    ids=["page", "redirect", "gone", "throttled", "fails", "hangs"],
)
async def test_any_other_answer_is_an_error_without_the_address(
    answer: httpx.Response | Exception, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bypass_responder")
    with pytest.raises(error) as caught:
        await sent_to(answer)

    assert caught.value.__cause__ is None
    assert "powerplatform" not in f"{caught.value} {caplog.text}"
