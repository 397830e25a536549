"""Interactive sign-ins over Graph: what is asked, and what each answer means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from bypass_responder.adapters.graph_evidence.pages import GraphReader
from bypass_responder.adapters.graph_evidence.sign_ins import SignIns
from bypass_responder.adapters.graph_wire import GraphWire
from bypass_responder.errors import PermissionMissingError, RefusedError, ThrottledError, TransientError
from bypass_responder.model.base import iso
from bypass_responder.model.question import Answer, Empty, Found, Question, Unavailable
from tests.evidence.questions import a_question
from tests.world import ALEX, START

GRAPH = "https://graph.example"
Respond = Callable[[httpx.Request], httpx.Response]


class Credential:
    """Gives a token to anyone."""

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken("token", int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()))


async def ask(respond: Respond | httpx.Response, question: Question | None = None) -> Answer:
    handler = (lambda _: respond) if isinstance(respond, httpx.Response) else respond
    wire = GraphWire(Credential(), GRAPH, scope="x", transport=httpx.MockTransport(handler))  # type: ignore[arg-type] # all that is used of it
    try:
        return await SignIns(GraphReader(wire)).ask(question or a_question(), None)
    finally:
        await wire.aclose()


def a_record(**fields: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "createdDateTime": iso(START),
        "userId": ALEX,
        "ipAddress": "203.0.113.7",
        "clientAppUsed": "Browser",
        "appDisplayName": "Outlook",
        "autonomousSystemNumber": 64496,
        "riskLevelDuringSignIn": "none",
        "status": {"errorCode": 0},
        "location": {"countryOrRegion": "BR"},
    }
    return defaults | fields


def page(*records: dict[str, Any], link: str = "") -> httpx.Response:
    return httpx.Response(200, json={"value": records} | ({"@odata.nextLink": link} if link else {}))


async def test_a_new_country_is_found() -> None:
    usual = a_record(createdDateTime=iso(START - timedelta(days=4)), location={"countryOrRegion": "DE"})
    answer = await ask(page(a_record(), usual))

    assert isinstance(answer, Found)
    assert [item.notable for item in answer.items] == ["new country: BR"]
    assert answer.items[0].detail["address"] == "203.0.113.7"


async def test_none_is_empty() -> None:
    assert await ask(page()) == Empty()


async def test_one_account_and_one_stretch_of_time_is_asked_about() -> None:
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return page()

    await ask(respond)

    assert asked[0].url.params["$filter"] == (
        f"userId eq '{ALEX}' and createdDateTime ge 2026-02-22T08:00:00Z and createdDateTime le 2026-03-03T09:00:00Z"
    )


async def test_every_page_is_read() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        first = "skip" not in str(request.url)
        return page(a_record(), link=f"{GRAPH}/v1.0/auditLogs/signIns?$skiptoken=skip" if first else "")

    answer = await ask(respond)

    assert isinstance(answer, Found)
    assert answer.count == 2


async def test_a_next_page_elsewhere_gets_no_token() -> None:
    with pytest.raises(RefusedError, match="another address"):
        await ask(page(a_record(), link="https://elsewhere.example/next"))


async def test_a_missing_license_is_unavailable() -> None:
    error = {"error": {"code": "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "message": "Neither tenant"}}
    answer = await ask(httpx.Response(403, json=error))

    assert isinstance(answer, Unavailable)
    assert answer.fix == "Assign a Microsoft Entra ID P1 or P2 license."


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(403, json={"error": {"code": "Forbidden", "message": "no"}}), PermissionMissingError),
        (httpx.Response(429, headers={"Retry-After": "7"}), ThrottledError),
        (httpx.Response(503), TransientError),
        (httpx.Response(200, html="<html>proxy</html>"), TransientError),
        (httpx.Response(200, json=[]), TransientError),
        (httpx.Response(200, json={}), TransientError),
        (httpx.Response(400, json={"error": {"code": "BadRequest", "message": "filter"}}), RefusedError),
    ],
)
async def test_what_is_no_answer_is_an_error(answer: httpx.Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        await ask(answer)
