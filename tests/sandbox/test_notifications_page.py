"""The page of the received notifications."""

from __future__ import annotations

import json
from typing import Any

import httpx

from sandbox.tenant.state import Tenant


def a_message(title: str, **more: Any) -> dict[str, Any]:
    data = {"severity": "critical", "title": title, "about": "contained", "text": "What happened.", "left_to_do": []}
    return {"type": "bypass_responder.notification", "timestamp": "2026-03-02T09:00:00Z", "data": data | more}


def page_of(tenant: Tenant, url: str, *bodies: object) -> httpx.Response:
    tenant.notifications.clear()
    for body in bodies:
        httpx.post(f"{url}/webhook", content=body if isinstance(body, str) else json.dumps(body), trust_env=False)
    return httpx.get(f"{url}/notifications", trust_env=False)


def test_the_newest_is_first(tenant: Tenant, url: str) -> None:
    page = page_of(tenant, url, a_message("first"), a_message("second")).text

    assert page.index("critical: second") < page.index("critical: first")


def test_each_of_a_group_is_shown(tenant: Tenant, url: str) -> None:
    both = [a_message(name)["data"] for name in ("one", "two")]
    group = a_message("") | {"data": {"total": 2, "notifications": both}}
    page = page_of(tenant, url, group).text

    assert "critical: one" in page
    assert "critical: two" in page


def test_what_was_received_is_escaped(tenant: Tenant, url: str) -> None:
    page = page_of(tenant, url, a_message("<script>alert(1)</script>", left_to_do=["<b>"]), "<i>no JSON").text

    assert [tag for tag in ("<script", "<b>", "<i>") if tag in page] == []


def test_a_body_of_another_shape_is_shown_as_it_is(tenant: Tenant, url: str) -> None:
    assert "[1, 2]" in page_of(tenant, url, "[1, 2]").text


def test_it_can_load_nothing_and_run_nothing(tenant: Tenant, url: str) -> None:
    answer = page_of(tenant, url)

    assert answer.status_code == 200
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_only_a_web_address_is_a_link(tenant: Tenant, url: str) -> None:
    links = {"incident": "http://127.0.0.1:7073/incidents/a", "runbook": "docs/runbook.md#notification-contained"}
    page = page_of(tenant, url, a_message("one", links=links)).text

    assert page.count("<a href=") == 1
    assert 'incident: <a href="http://127.0.0.1:7073/incidents/a">' in page
