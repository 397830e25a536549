"""The Event Grid webhook of the local host, asked as Event Grid asks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from sandbox.tenant.client import SandboxClient
from sandbox.tenant.server import serving
from sandbox.tenant.state import Tenant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.host.conftest import SampleHost

EVENT_GRID, CLOUD_EVENT, BATCH = (
    f"application/{kind}; charset=utf-8" for kind in ("json", "cloudevents+json", "cloudevents-batch+json")
)


def an_event(**fields: Any) -> dict[str, Any]:
    """In the Event Grid schema."""
    return {
        "id": uuid4().hex,
        "topic": "/subscriptions/0/topics/alerts",
        "subject": "alex",
        "eventType": "Contoso.Alert",
        "eventTime": "2026-01-02T03:04:05.1234567Z",
        "dataVersion": "1",
        "metadataVersion": "1",
        "data": {"word": "hint"},
    } | fields


def a_cloud_event(**fields: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "/alerts",
        "type": "Contoso.Alert",
        "subject": "alex",
        "time": "2026-01-02T03:04:05Z",
        "data": {"word": "hint"},
    } | fields


def deliver(
    host: SampleHost,
    body: object,
    *,
    function: str = "alert",
    kind: str = "Notification",
    content_type: str = EVENT_GRID,
) -> httpx.Response:
    """A request as Event Grid makes it; ``body`` as JSON, or bytes as they are."""
    return httpx.post(
        f"{host.url}/runtime/webhooks/eventgrid?functionName={function}",
        content=body if isinstance(body, bytes) else json.dumps(body),
        headers={"aeg-event-type": kind, "aeg-delivery-count": "0", "content-type": content_type},
        trust_env=False,
    )


def handshake(host: SampleHost, headers: dict[str, str], *, function: str = "alert") -> httpx.Response:
    url = f"{host.url}/runtime/webhooks/eventgrid?functionName={function}"
    return httpx.options(url, headers=headers, trust_env=False)


def test_an_event_of_the_event_grid_schema_is_what_the_worker_would_make_of_it(running: SampleHost) -> None:
    event = an_event()
    answer = deliver(running, [event])

    assert answer.status_code == 202
    assert running.ran("alert", event["id"]) == [
        {"function": "alert", "id": event["id"], "schema": "EventGridEvent", "data": {"word": "hint"}}
    ]


def test_a_cloud_event_is_what_the_worker_would_make_of_it(running: SampleHost) -> None:
    event = a_cloud_event()
    answer = deliver(running, event, function="hear", content_type=CLOUD_EVENT)

    assert answer.status_code == 202
    assert running.ran("hear", event["id"]) == [
        {"function": "hear", "id": event["id"], "schema": "CloudEvent", "source": "/alerts", "data": {"word": "hint"}}
    ]


def test_each_event_of_a_batch_is_one_invocation(running: SampleHost) -> None:
    events = [a_cloud_event(), a_cloud_event(), a_cloud_event()]
    answer = deliver(running, events, content_type=BATCH)

    assert (answer.status_code, [len(running.ran("alert", event["id"])) for event in events]) == (202, [1, 1, 1])


def test_an_event_runs_only_the_function_that_the_address_names(running: SampleHost) -> None:
    event = a_cloud_event()
    deliver(running, event, function="hear", content_type=CLOUD_EVENT)

    assert running.ran("alert", event["id"]) == []


@pytest.mark.parametrize(("event", "content_type"), [(an_event, EVENT_GRID), (a_cloud_event, BATCH)])
def test_one_failed_invocation_is_a_500_and_the_others_ran(running: SampleHost, event: Any, content_type: str) -> None:
    other = event()
    answer = deliver(running, [event(subject="fail"), other], content_type=content_type)

    assert (answer.status_code, len(running.ran("alert", other["id"]))) == (500, 1)


def test_an_event_that_the_worker_cannot_decode_is_a_failed_invocation(running: SampleHost) -> None:
    assert deliver(running, [an_event(eventTime="noon")]).status_code == 500


def test_the_handshake_of_the_event_grid_schema_gives_the_code_back(running: SampleHost) -> None:
    asked = an_event(eventType="Microsoft.EventGrid.SubscriptionValidationEvent", data={"validationCode": "code"})
    answer = deliver(running, [asked], kind="SubscriptionValidation")

    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "code"})


def test_a_validation_event_that_is_a_cloud_event_has_its_data_as_text(running: SampleHost) -> None:
    asked = a_cloud_event(data='{"validationCode": "code"}')
    answer = deliver(running, asked, kind="SubscriptionValidation", content_type=CLOUD_EVENT)

    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "code"})


def test_the_handshake_of_cloud_events_allows_the_origin_that_asks(running: SampleHost) -> None:
    answer = handshake(running, {"WebHook-Request-Origin": "eventgrid.azure.net", "WebHook-Request-Rate": "120"})

    assert answer.status_code == 200
    assert (answer.headers["WebHook-Allowed-Origin"], answer.headers["WebHook-Allowed-Rate"]) == (
        "eventgrid.azure.net",
        "*",
    )


def test_a_handshake_without_an_origin_is_none(running: SampleHost) -> None:
    assert handshake(running, {}).status_code == 400


def test_the_end_of_a_subscription_is_taken_and_runs_nothing(running: SampleHost) -> None:
    event = an_event()
    answer = deliver(running, [event], kind="Unsubscribe")

    assert (answer.status_code, running.ran("alert", event["id"])) == (202, [])


@pytest.mark.parametrize("function", ["other", "echo", ""])
def test_what_event_grid_does_not_trigger_is_not_found(running: SampleHost, function: str) -> None:
    assert deliver(running, [an_event()], function=function).status_code == 404
    assert handshake(running, {"WebHook-Request-Origin": "x"}, function=function).status_code == 404


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe\x00", 17, "text", [an_event(), 17]])
def test_what_is_no_event_is_refused_and_runs_nothing(running: SampleHost, body: object) -> None:
    before = len(running.ran("alert"))
    answer = deliver(running, body)

    assert (answer.status_code, len(running.ran("alert"))) == (400, before)


@pytest.mark.parametrize("data", [None, {}, [], "no JSON", "17"])
def test_a_handshake_without_a_code_is_refused(running: SampleHost, data: object) -> None:
    assert deliver(running, [an_event(data=data)], kind="SubscriptionValidation").status_code == 400


def test_a_kind_of_request_that_event_grid_does_not_make_is_refused(running: SampleHost) -> None:
    assert deliver(running, [an_event()], kind="Other").status_code == 400


@pytest.mark.parametrize(("schema", "kind"), [("cloudevents", "CloudEvent"), ("eventgrid", "EventGridEvent")])
def test_the_topic_of_the_tenant_delivers_to_a_function(
    running: SampleHost, eventually: Callable[[Callable[[], object]], None], schema: Any, kind: str
) -> None:
    with serving(Tenant()) as url, SandboxClient(url) as client:
        client.subscribe_events(f"{running.url}/runtime/webhooks/eventgrid?functionName=alert", schema=schema)
        identity = client.publish_event({"word": "hint"}, schema=schema)
        eventually(lambda: client.events()["delivered"])

    assert [(run["schema"], run["data"]) for run in running.ran("alert", identity)] == [(kind, {"word": "hint"})]


def test_the_topic_delivers_again_when_the_function_failed(
    running: SampleHost, eventually: Callable[[Callable[[], object]], None]
) -> None:
    with serving(Tenant()) as url, SandboxClient(url) as client:
        client.subscribe_events(f"{running.url}/runtime/webhooks/eventgrid?functionName=alert")
        identity = client.publish_event({}, subject="fail")
        eventually(lambda: len(running.ran("alert", identity)) > 1)

    assert len(running.ran("alert", identity)) > 1
