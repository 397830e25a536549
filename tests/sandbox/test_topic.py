"""The stand-in Event Grid topic: what it takes, and how it delivers over real HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from sandbox.tenant.client import SandboxClient
from sandbox.tenant.event_subscription import TOPIC
from sandbox.tenant.server import serving
from sandbox.tenant.state import Tenant
from tests.sandbox.conftest import NOTHING_HAPPENED, Settled
from tests.sandbox.receiver import Receiver, receiving


def an_event(**fields: Any) -> dict[str, Any]:
    """In the Event Grid schema."""
    given = {"id": "1", "subject": "alex", "eventType": "Contoso.Alert", "eventTime": "2026-01-02T03:04:05Z"}
    return given | {"data": {"word": "hint"}, "dataVersion": "2"} | fields


def a_cloud_event(**fields: Any) -> dict[str, Any]:
    given = {"specversion": "1.0", "id": "1", "source": "/siem", "type": "Contoso.Alert", "data": {"word": "hint"}}
    return given | fields


def test_a_cloud_event_is_delivered_as_it_is(control: SandboxClient, receiver: Receiver, settled: Settled) -> None:
    control.subscribe_events(receiver.url)
    control.publish_events([a_cloud_event(traceparent="00-1-2-01")])
    counts = settled()

    [(headers, body)] = receiver.requests
    assert counts == NOTHING_HAPPENED | {"published": 1, "delivered": 1}
    assert body == a_cloud_event(traceparent="00-1-2-01")
    assert (headers["content-type"], headers["aeg-event-type"], headers["aeg-subscription-name"]) == (
        "application/cloudevents+json; charset=utf-8",
        "Notification",
        "ALERTS",
    )


def test_an_event_in_event_grids_schema_is_delivered_in_an_array_with_what_event_grid_stamps(
    control: SandboxClient, receiver: Receiver, settled: Settled
) -> None:
    control.subscribe_events(receiver.url, schema="eventgrid")
    control.publish_events([an_event()])
    settled()

    [(headers, body)] = receiver.requests
    assert body == [an_event() | {"topic": TOPIC, "metadataVersion": "1"}]
    assert headers["content-type"] == "application/json; charset=utf-8"


def test_event_grid_converts_an_event_of_its_schema_to_a_cloud_event(
    control: SandboxClient, receiver: Receiver, settled: Settled
) -> None:
    control.subscribe_events(receiver.url)
    control.publish_events([an_event()])
    settled()

    assert receiver.bodies == [
        {
            "specversion": "1.0",
            "id": "1",
            "source": TOPIC,
            "subject": "alex",
            "type": "Contoso.Alert",
            "time": "2026-01-02T03:04:05Z",
            "dataschema": "#2",
            "data": {"word": "hint"},
        }
    ]


def test_no_event_of_event_grids_schema_is_made_of_a_cloud_event(control: SandboxClient, receiver: Receiver) -> None:
    control.subscribe_events(receiver.url, schema="eventgrid")

    with pytest.raises(ValueError, match="alerts wants the Event Grid schema"):
        control.publish_event({})


@pytest.mark.parametrize("schema", ["cloudevents", "eventgrid"])
def test_an_event_can_be_published_by_its_data(
    control: SandboxClient, receiver: Receiver, settled: Settled, schema: Any
) -> None:
    control.subscribe_events(receiver.url, schema=schema)
    made_up = control.publish_event({"word": "hint"}, schema=schema)
    control.publish_event({"word": "hint"}, schema=schema, event_id="given")
    settled()

    events = [body if schema == "cloudevents" else body[0] for body in receiver.bodies]
    assert {event["id"]: event["data"] for event in events} == {made_up: {"word": "hint"}, "given": {"word": "hint"}}


def test_one_cloud_event_needs_no_array(url: str, control: SandboxClient) -> None:
    answer = httpx.post(f"{url}/topic/api/events", json=a_cloud_event(), trust_env=False)

    assert (answer.status_code, control.events()["published"]) == (200, 1)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "Expecting property name"),
        (json.dumps(an_event()), "come in an array"),
        ("[17]", "event 0 is not an object"),
        (json.dumps([an_event(), an_event(subject=None)]), "event 1 has no subject"),
        (json.dumps([an_event(id=17)]), "event 0 has no id"),
        (json.dumps([an_event(eventType="")]), "event 0 has no eventType"),
        (json.dumps([an_event(eventTime="noon")]), "noon"),
        (json.dumps([an_event(topic="/another")]), "event 0 has another topic"),
        (json.dumps([a_cloud_event(source=None)]), "event 0 has no source"),
        (json.dumps([a_cloud_event(type=None)]), "event 0 has no type"),
        (json.dumps([a_cloud_event(specversion="0.3")]), "event 0 has another specversion"),
        (json.dumps([a_cloud_event(time=17)]), "17"),
    ],
)
def test_what_lacks_a_required_field_is_refused_whole(url: str, control: SandboxClient, body: str, reason: str) -> None:
    answer = httpx.post(f"{url}/topic/api/events", content=body, trust_env=False)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BadRequest")
    assert reason in answer.json()["error"]["message"]
    assert control.events() == NOTHING_HAPPENED


def test_more_than_a_megabyte_is_refused(url: str, control: SandboxClient) -> None:
    answer = httpx.post(f"{url}/topic/api/events", json=[a_cloud_event(data="x" * 1024 * 1024)], trust_env=False)

    assert (answer.status_code, control.events()) == (413, NOTHING_HAPPENED)


def test_a_delivery_that_failed_is_made_again(control: SandboxClient, receiver: Receiver, settled: Settled) -> None:
    control.subscribe_events(receiver.url)
    receiver.statuses = [500, 404]
    control.publish_event({})
    counts = settled()

    assert counts == NOTHING_HAPPENED | {"published": 1, "delivered": 1, "retried": 2}
    assert [headers["aeg-delivery-count"] for headers, _ in receiver.requests] == ["0", "1", "2"]


def test_an_endpoint_that_is_away_gets_its_events_when_it_is_back(control: SandboxClient, settled: Settled) -> None:
    with receiving() as before:
        control.subscribe_events(before.url)
    identity = control.publish_event({})
    with receiving(before.server_port) as back:
        settled()

        assert [body["id"] for body in back.bodies] == [identity]


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_what_the_endpoint_refuses_for_good_is_a_dead_letter_at_once(
    control: SandboxClient, receiver: Receiver, settled: Settled, status: int
) -> None:
    control.subscribe_events(receiver.url)
    receiver.statuses = [status]
    identity = control.publish_event({})
    counts = settled()

    [letter] = control.state()["dead_letters"]
    assert counts == NOTHING_HAPPENED | {"published": 1, "dead_lettered": 1}
    assert (letter["id"], letter["deliveryAttempts"], letter["lastHttpStatusCode"]) == (identity, 1, status)


def test_ten_tries_are_all(control: SandboxClient, receiver: Receiver, settled: Settled, tenant: Tenant) -> None:
    tenant.topic.pauses_seconds = [0.001 for _ in tenant.topic.pauses_seconds]
    control.subscribe_events(receiver.url)
    receiver.statuses = [503] * 20
    control.publish_event({})
    settled()

    [letter] = control.state()["dead_letters"]
    assert (letter["deadLetterReason"], letter["deliveryAttempts"]) == ("MaxDeliveryAttemptsExceeded", 10)
    assert len(receiver.requests) == 10


def test_every_event_can_come_several_times(control: SandboxClient, receiver: Receiver, settled: Settled) -> None:
    control.settings(event_copies=3)
    control.subscribe_events(receiver.url)
    identity = control.publish_event({})
    settled()

    assert [body["id"] for body in receiver.bodies] == [identity] * 3


def test_events_can_come_in_another_order_that_a_seed_repeats(
    control: SandboxClient, receiver: Receiver, settled: Settled
) -> None:
    control.settings(event_reorder_seed=191)
    control.subscribe_events(receiver.url)
    control.publish_events([a_cloud_event(id=str(number)) for number in range(5)])
    settled()

    assert [body["id"] for body in receiver.bodies] == ["0", "1", "3", "4", "2"]


def test_events_can_come_late(control: SandboxClient, receiver: Receiver, settled: Settled) -> None:
    control.settings(event_delay_seconds=1)
    control.subscribe_events(receiver.url)
    control.publish_event({})
    before = (len(receiver.requests), control.events()["pending"])
    settled()

    assert (before, len(receiver.requests)) == ((0, 1), 1)


def test_without_a_subscription_an_event_is_gone(control: SandboxClient, settled: Settled) -> None:
    control.publish_event({})

    assert settled() == NOTHING_HAPPENED | {"published": 1}


def test_the_topic_has_faults_like_every_endpoint(control: SandboxClient) -> None:
    control.fault("server_error", "topic.publish")

    with pytest.raises(httpx.HTTPStatusError):
        control.publish_event({})


def test_a_server_that_stops_ends_what_it_still_delivers(receiver: Receiver) -> None:
    tenant = Tenant()
    with serving(tenant) as url, SandboxClient(url) as client:
        client.subscribe_events(receiver.url)
        receiver.statuses = [503] * 20
        client.publish_events([a_cloud_event() for _ in range(20)])

    assert tenant.topic.counts()["pending"] == 0
