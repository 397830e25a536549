"""HTTP triggers and the Event Grid webhook of the local host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

if TYPE_CHECKING:
    from tests.host.conftest import SampleHost

WEBHOOK = "/runtime/webhooks/eventgrid?functionName=alert"


def an_event(subject: str = "a") -> dict[str, Any]:
    return {
        "id": uuid4().hex,
        "topic": "alerts",
        "subject": subject,
        "eventType": "contoso.alert",
        "eventTime": "2026-01-02T03:04:05Z",
        "dataVersion": "1",
        "data": {"word": "hint"},
    }


def a_cloud_event() -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "/alerts",
        "type": "contoso.alert",
        "time": "2026-01-02T03:04:05Z",
        "data": {"word": "hint"},
    }


def test_a_route_gets_the_request_and_its_answer_is_sent_as_it_is(running: SampleHost) -> None:
    answer = httpx.post(f"{running.url}/api/echo/hello", content="body", headers={"Agent": "test"})

    assert (answer.status_code, answer.json(), answer.headers["made"]) == (
        201,
        {"word": "hello", "body": "body", "agent": "test"},
        "here",
    )


def test_a_method_that_the_binding_does_not_name_is_refused(running: SampleHost) -> None:
    answer = httpx.get(f"{running.url}/api/echo/hello")

    assert answer.status_code == 405


def test_an_exception_of_a_route_is_a_500_that_tells_nothing(running: SampleHost) -> None:
    answer = httpx.post(f"{running.url}/api/echo/hello?fail=1")

    assert (answer.status_code, answer.text) == (500, "")


def test_event_grid_gets_its_validation_code_back(running: SampleHost) -> None:
    body = [an_event() | {"data": {"validationCode": "code"}}]
    answer = httpx.post(running.url + WEBHOOK, json=body, headers={"aeg-event-type": "SubscriptionValidation"})

    assert answer.json() == {"validationResponse": "code"}


def test_cloud_events_are_allowed_for_the_origin_that_asks(running: SampleHost) -> None:
    answer = httpx.options(running.url + WEBHOOK, headers={"WebHook-Request-Origin": "eventgrid.azure.net"})

    assert answer.headers["webhook-allowed-origin"] == "eventgrid.azure.net"


def test_each_event_of_a_delivery_is_one_invocation(running: SampleHost) -> None:
    events = [an_event(), an_event()]
    answer = httpx.post(running.url + WEBHOOK, json=events)

    assert (answer.status_code, [len(running.ran("alert", event["id"])) for event in events]) == (202, [1, 1])


@pytest.mark.parametrize(("event", "kind"), [(an_event(), "EventGridEvent"), (a_cloud_event(), "CloudEvent")])
def test_an_event_arrives_as_the_type_that_its_schema_has(
    running: SampleHost, event: dict[str, Any], kind: str
) -> None:
    httpx.post(running.url + WEBHOOK, json=event)

    assert [(run["schema"], run["data"]) for run in running.ran("alert", event["id"])] == [(kind, {"word": "hint"})]


def test_a_delivery_with_an_event_that_failed_is_asked_for_again_and_the_others_ran(running: SampleHost) -> None:
    other = an_event()
    answer = httpx.post(running.url + WEBHOOK, json=[an_event("fail"), other])

    assert (answer.status_code, len(running.ran("alert", other["id"]))) == (500, 1)


def test_an_unknown_function_gets_no_events(running: SampleHost) -> None:
    answer = httpx.post(f"{running.url}/runtime/webhooks/eventgrid?functionName=other", json=an_event())

    assert answer.status_code == 404


def test_a_body_that_is_not_json_is_refused(running: SampleHost) -> None:
    answer = httpx.post(running.url + WEBHOOK, content=b"{")

    assert answer.status_code == 400
