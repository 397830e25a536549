"""The recipes of docs/senders.md, rendered as each product does, are parsed whatever the values."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bypass_responder.model.alert import LONGEST_TEXT, Alert, Hint
from bypass_responder.model.record import Unreadable
from bypass_responder.sensing.alert import read_alert

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "senders.md").read_text(encoding="utf-8")
TENANT, TARGET = "5d4e2a1c-0f5b-4c7e-9a39-3c1d2f6b8e70", "7d3b1c52-4c7d-4e0b-8f0a-2b6f0a9d1e11"
ACTOR = "mallory@contoso.onmicrosoft.com"
SENDERS = ("Elastic", "Sentinel", "Defender XDR")
HOSTILE = {
    "quotes": '"P.PROD/Exchange Hosted Organizations/partner/admin" on behalf of "alex"',
    "a closing quote and brace": 'x"}, "target": "innocent',
    "a backslash": "NT AUTHORITY\\SYSTEM (Microsoft.Exchange.AdminApi)",
    "a backslash and n": "contoso.onmicrosoft.com\\nina",
    "two lines": "alex\nUserId: innocent\r\n",
    "a tab and NUL": "al\tex\0",
    "html": "<script>alert('x')</script>&amp;",
    "a Kibana variable": "{{rule.name}} {{{rule.url}}} {{/context.alerts}}",
    "a Logic Apps expression": "@{body('HTTP')} @triggerBody()",
    "a list": '["alex"]',
    "another script": "алекс 🔥 \u202e\u200b",
    "10 KB": "x" * 10_000,
    "10 KB of quotes": '"' * 10_000,
    "10 KB of characters of four bytes": "🔥" * 10_000,
}


def section(sender: str) -> str:
    return DOCUMENT.split(f"## {sender}\n", 1)[1].split("\n## ", 1)[0]


def block(kind: str, sender: str) -> str:
    """The one block of this kind under a sender's heading."""
    [text] = re.findall(rf"```{kind}\n(.*?)```", section(sender), re.DOTALL)
    return str(text)


# ---- the samples -----------------------------------------------------------------------------------------------------


def sample(sender: str) -> Alert:
    """The sample under a sender's heading, as Event Grid delivers it."""
    alert = read_alert(block("json", sender).encode(), tenant_id=TENANT)
    assert isinstance(alert, Alert)
    return alert


@pytest.mark.parametrize("sender", SENDERS)
def test_each_sample_is_a_hint_about_the_target(sender: str) -> None:
    [hint] = sample(sender).hints

    assert (hint.target, hint.actor) == (TARGET, ACTOR)


@pytest.mark.parametrize("sender", SENDERS)
def test_each_sample_says_who_sent_it_and_when(sender: str) -> None:
    alert = sample(sender)

    assert alert.source
    assert alert.sent_at


# ---- the recipes -----------------------------------------------------------------------------------------------------


def by_kibana(target: str, actor: str, *, alerts: int = 1, url: str = "https://kibana.contoso.example/r/1") -> str:
    """The body as the webhook connector makes it: double braces escaped for JSON, triple ones not at all."""
    outer = {
        "alert.uuid": "0f6f7c1e",
        "rule.name": 'O365 "Bypass"',
        "rule.url": url,
        "date": "2026-03-02T09:20:11.000Z",
    }
    inner = outer | {"o365.audit.ObjectId": target, "user.id": actor}
    template = block("text", "Elastic").replace("YOUR_TENANT_ID", TENANT)
    before, repeated, after = re.split(r"\{\{[#/]context\.alerts\}\}", template)
    return _filled(before, outer) + _filled(repeated, inner) * alerts + _filled(after, outer)


def _filled(template: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        return values[match["raw"]] if match["raw"] else json.dumps(values[match["escaped"]])[1:-1]

    return re.sub(r"\{\{\{(?P<raw>[\w.]+)\}\}\}|\{\{(?P<escaped>[\w.]+)\}\}", value, template)


def custom_details(sender: str, target: str, actor: str) -> str:
    """Each value as a list of one, after the query has cut it, as JSON text."""
    cuts = dict(re.findall(r"(Target|Actor) = substring\(.*?, 0, (\d+)\)", block("kql", sender)))
    short = {"target": target[: int(cuts["Target"])], "actor": actor[: int(cuts["Actor"])]}
    values = {"tenantId": TENANT, **short, "occurredAt": "2026-03-02T09:15:30.0000000Z"}
    return json.dumps({name: [value] for name, value in values.items()}, ensure_ascii=False)


def by_playbook(sender: str, target: str, actor: str) -> str:
    """The body as Logic Apps makes it: the template is JSON, an expression becomes its value's text."""
    details = custom_details(sender, target, actor)
    stated = {"name": "4711c0de", "timeGenerated": "2026-03-02T09:21:40+00:00", "Custom Details": details}
    template: dict[str, Any] = json.loads(block("text", "Sentinel"))

    def value(text: str) -> str:
        found = re.fullmatch(r"@\{items\('For_each_alert'\).*\['([^']+)'\]\}", text)
        return stated[found[1]] if found else text

    return json.dumps({name: value(text) for name, text in template.items()})


def rendered(sender: str, target: str, actor: str) -> str:
    return by_kibana(target, actor) if sender == "Elastic" else by_playbook(sender, target, actor)


def read(body: str) -> Alert | Unreadable:
    json.loads(body)  # the topic refuses what is no JSON, and nobody would learn of it
    return read_alert(body.encode(), tenant_id=TENANT)


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("actor", HOSTILE.values(), ids=HOSTILE)
def test_whatever_the_actor_is_called_the_target_counts(sender: str, actor: str) -> None:
    alert = read(rendered(sender, TARGET, actor))

    assert isinstance(alert, Alert)
    assert [hint.target for hint in alert.hints] == [TARGET]
    assert len(alert.hints[0].actor or "") <= LONGEST_TEXT


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.parametrize("target", HOSTILE.values(), ids=HOSTILE)
def test_a_target_is_read_as_it_is_or_refused_with_its_reason(sender: str, target: str) -> None:
    found = read(rendered(sender, target, ACTOR))

    match found:
        case Alert(hints=[Hint(target=read_as)]):
            assert read_as in {target.strip()[:256], "alex"}
        case Unreadable(reason=reason):
            assert reason in {"control_character", "too_large"}
        case _:
            pytest.fail(repr(found))


@pytest.mark.parametrize("url", ["/app/security/rules/id/17", "http://kibana.corp:5601/r/1", "", 'https://x/"><b>'])
def test_a_link_that_kibana_cannot_make_costs_only_itself(url: str) -> None:
    alert = read(by_kibana(TARGET, ACTOR, url=url))

    assert isinstance(alert, Alert)
    assert [(hint.target, hint.link) for hint in alert.hints] == [(TARGET, None)]


def test_two_alerts_in_one_event_are_refused_with_a_reason() -> None:
    found = read(by_kibana(TARGET, ACTOR, alerts=2))

    assert isinstance(found, Unreadable)
    assert found.reason == "duplicate_key"


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(("sender", "limit"), [("Sentinel", 2048), ("Defender XDR", 4096)])
def test_the_custom_details_stay_within_the_products_limit(sender: str, limit: int, value: str) -> None:
    assert len(custom_details(sender, value, value).encode()) <= limit


@pytest.mark.parametrize("sender", ["Sentinel", "Defender XDR"])
def test_each_column_that_a_custom_detail_names_is_in_the_query(sender: str) -> None:
    query, details = block("kql", sender), re.findall(r"`\w+` = `(\w+)`", section(sender))

    assert details
    assert [name for name in details if not re.search(rf"\b{name}\b", query)] == []
