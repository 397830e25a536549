"""Where the stand-in topic delivers to: webhooks, which have to agree, and storage queues."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from azure.storage.queue import QueueClient, TextBase64DecodePolicy

from sandbox.tenant.client import SandboxClient
from sandbox.tenant.state import Tenant
from tests.sandbox.conftest import NOTHING_HAPPENED, Settled
from tests.sandbox.receiver import Receiver


@pytest.mark.parametrize(
    ("schema", "asked"),
    [("cloudevents", "OPTIONS"), ("eventgrid", "Microsoft.EventGrid.SubscriptionValidationEvent")],
)
def test_a_subscription_begins_with_the_handshake_of_its_schema(
    control: SandboxClient, receiver: Receiver, schema: Any, asked: str
) -> None:
    control.subscribe_events(receiver.url, schema=schema)

    assert receiver.asked == [asked]


@pytest.mark.parametrize("schema", ["cloudevents", "eventgrid"])
def test_an_endpoint_that_does_not_agree_is_not_subscribed(
    control: SandboxClient, receiver: Receiver, tenant: Tenant, schema: Any
) -> None:
    receiver.agrees = False

    with pytest.raises(ValueError, match=f"handshake with {receiver.url} failed"):
        control.subscribe_events(receiver.url, schema=schema)
    assert tenant.topic.subscriptions == {}


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:9/", "http://[", "no address"])
def test_an_endpoint_that_is_not_there_is_not_subscribed(control: SandboxClient, endpoint: str) -> None:
    with pytest.raises(ValueError, match="handshake with"):
        control.subscribe_events(endpoint)


@pytest.mark.parametrize(
    "destination",
    [{}, {"queue": "alerts"}, {"connection_string": "x"}, {"queue": "alerts", "connection_string": "no such thing"}],
)
def test_a_subscription_without_a_destination_is_refused(control: SandboxClient, destination: Any) -> None:
    with pytest.raises(ValueError, match=r"[cC]onnection string"):
        control.subscribe_events(**destination)


def test_every_subscription_gets_every_event(control: SandboxClient, receiver: Receiver, settled: Settled) -> None:
    control.subscribe_events(receiver.url, name="one")
    control.subscribe_events(receiver.url, name="two")
    control.publish_event({})
    settled()

    assert {headers["aeg-subscription-name"] for headers, _ in receiver.requests} == {"ONE", "TWO"}


def test_a_subscription_of_the_same_name_takes_its_place(
    control: SandboxClient, receiver: Receiver, settled: Settled
) -> None:
    control.subscribe_events(receiver.url, schema="eventgrid")
    control.subscribe_events(receiver.url)
    control.publish_event({})

    assert settled() == NOTHING_HAPPENED | {"published": 1, "delivered": 1}


@pytest.mark.parametrize("schema", ["cloudevents", "eventgrid"])
def test_a_queue_gets_each_event_as_base64_of_its_json(
    control: SandboxClient, settled: Settled, azurite: str, schema: Any
) -> None:
    name = f"alerts-{uuid4().hex}"
    control.subscribe_events(queue=name, connection_string=azurite, schema=schema)
    with QueueClient.from_connection_string(azurite, name, message_decode_policy=TextBase64DecodePolicy()) as queue:
        queue.create_queue()
        identity = control.publish_event({"word": "hint"}, schema=schema)
        settled()
        [message] = queue.receive_messages()

    event = json.loads(message.content)
    assert (event["id"], event["data"], "specversion" in event) == (identity, {"word": "hint"}, schema == "cloudevents")


def test_a_queue_that_is_not_there_is_tried_again(
    control: SandboxClient, settled: Settled, azurite: str, tenant: Tenant
) -> None:
    tenant.topic.pauses_seconds = (0.01,)
    control.subscribe_events(queue=f"alerts-{uuid4().hex}", connection_string=azurite)
    control.publish_event({})

    assert settled() == NOTHING_HAPPENED | {"published": 1, "retried": 1, "dead_lettered": 1}


def test_an_event_that_is_too_large_for_a_queue_is_a_dead_letter(
    control: SandboxClient, settled: Settled, azurite: str
) -> None:
    name = f"alerts-{uuid4().hex}"
    control.subscribe_events(queue=name, connection_string=azurite)
    with QueueClient.from_connection_string(azurite, name) as queue:
        queue.create_queue()
    control.publish_event("x" * 70_000)
    settled()

    assert [letter["lastHttpStatusCode"] for letter in control.state()["dead_letters"]] == [413]
