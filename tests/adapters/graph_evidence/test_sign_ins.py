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


@pytest.mark.parametrize(
    "odd",
    [
        {"status": "0", "location": [], "deviceDetail": "x"},
        {"status": None, "location": None, "riskLevelDuringSignIn": 7, "ipAddress": ["203.0.113.7"]},
        {"createdDateTime": None},
        {"createdDateTime": "yesterday"},
        {},
    ],
)
async def test_a_record_of_another_shape_costs_only_itself(odd: dict[str, Any]) -> None:
    answer = await ask(page(a_record(id="1"), a_record(id="2") | odd))

    assert isinstance(answer, Found)
    assert answer.items[0].detail["country"] == "BR"


async def test_a_record_without_a_time_is_counted() -> None:
    answer = await ask(page(a_record(id="1"), a_record(id="2", createdDateTime=None)))

    assert answer.note == "1 record without a time. No earlier sign-in to compare with."  # type: ignore[union-attr]


async def test_a_number_may_be_a_text() -> None:
    usual = a_record(createdDateTime=iso(START - timedelta(days=4)), status={"errorCode": "0"}, location={})
    answer = await ask(page(a_record(status={"errorCode": "0"}), usual))

    assert isinstance(answer, Found)
    assert answer.items[0].what == "sign-in"


async def test_a_record_that_two_pages_have_counts_once() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        first = "skip" not in str(request.url)
        return page(a_record(id="1"), link=f"{GRAPH}/v1.0/auditLogs/signIns?$skiptoken=skip" if first else "")

    answer = await ask(respond)

    assert isinstance(answer, Found)
    assert answer.count == 1


FLOOD = [a_record(id=f"failed-{number}", status={"errorCode": 50126}) for number in range(5_000)]


def flooded(succeeded: httpx.Response) -> Respond:
    """More failed sign-ins than are read; what succeeded is asked for apart."""

    def respond(request: httpx.Request) -> httpx.Response:
        if "errorCode eq 0" in request.url.params.get("$filter", ""):
            return succeeded
        return page(*FLOOD, link=f"{GRAPH}/v1.0/auditLogs/signIns?$skiptoken=more")

    return respond


async def test_failed_sign_ins_do_not_push_out_one_that_succeeded() -> None:
    answer = await ask(flooded(page(a_record(id="in"))))

    assert isinstance(answer, Found)
    assert (answer.count, answer.complete) == (5_001, False)
    assert answer.items[0].what == "sign-in"
    assert "The service has more failed ones. All successful ones were read." in answer.note


@pytest.mark.parametrize("refused", [httpx.Response(429), httpx.Response(400), httpx.Response(503)])
async def test_where_those_that_succeeded_are_not_to_be_had_it_says_that_some_are_missing(
    refused: httpx.Response,
) -> None:
    answer = await ask(flooded(refused))

    assert isinstance(answer, Found)
    assert (answer.complete, "Not all of them were read" in answer.note) == (False, True)
