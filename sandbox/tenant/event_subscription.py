"""Where a topic delivers to: a webhook, asked first whether it wants events, or a storage queue."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import uuid4

import httpx
from pydantic import BaseModel, ConfigDict, model_validator

if TYPE_CHECKING:
    from azure.storage.queue.aio import QueueClient

Event = dict[str, Any]
Schema = Literal["eventgrid", "cloudevents"]

TOPIC = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.EventGrid/topics/sandbox"
ORIGIN = "eventgrid.azure.net"
ANSWER_SECONDS = 30
HANDSHAKE_SECONDS = 20


class EventSubscription(BaseModel):
    """Where events go, and in which schema: to a webhook (``endpoint``), or to a storage queue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "alerts"
    delivery_schema: Schema = "cloudevents"
    endpoint: str | None = None
    connection_string: str | None = None
    queue: str | None = None

    @model_validator(mode="after")
    def _goes_to_one_place(self) -> Self:
        if (self.endpoint is None) == (self.queue is None) or (self.queue is None) != (self.connection_string is None):
            raise ValueError("events go to an endpoint, or to a queue with its connection string")
        return self

    async def shake_hands(self) -> None:
        """Ask the endpoint whether it wants events; a queue is not asked.

        Raises ValueError when the endpoint refuses, or is unusable.
        """
        if self.endpoint is None:
            _queue_client(str(self.connection_string), str(self.queue))
            return
        ask = _agrees if self.delivery_schema == "cloudevents" else _echoes
        try:
            async with _http(HANDSHAKE_SECONDS) as http:
                refusal = await ask(http, self.endpoint)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise ValueError(f"the handshake with {self.endpoint} failed: {error!r}") from error
        if refusal:
            raise ValueError(f"the handshake with {self.endpoint} failed: {refusal}")

    async def send(self, event: Event, *, tries: int) -> int | None:
        """Deliver it once; gives the status of the answer, None without one. ``tries`` were made before."""
        cloud = self.delivery_schema == "cloudevents"
        body = as_cloud_event(event) if cloud else event
        if self.endpoint is None:
            return await _queued(json.dumps(body), str(self.connection_string), str(self.queue))
        headers = {
            "Content-Type": f"application/{'cloudevents+json' if cloud else 'json'}; charset=utf-8",
            "aeg-event-type": "Notification",
            "aeg-subscription-name": self.name.upper(),
            "aeg-delivery-count": str(tries),
        }
        try:
            async with _http(ANSWER_SECONDS) as http:
                content = json.dumps(body if cloud else [body])
                return (await http.post(self.endpoint, content=content, headers=headers)).status_code
        except httpx.HTTPError:
            return None


def as_cloud_event(event: Event) -> Event:
    """What Event Grid makes of an event in its own schema."""
    if "specversion" in event:
        return event
    return {
        "specversion": "1.0",
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "dataschema": f"#{event['dataVersion']}",
        "data": event.get("data"),
    }


def _queue_client(connection_string: str, queue: str) -> QueueClient:
    from azure.storage.queue import TextBase64EncodePolicy
    from azure.storage.queue.aio import QueueClient

    encoding = TextBase64EncodePolicy()
    return QueueClient.from_connection_string(connection_string, queue, message_encode_policy=encoding, retry_total=0)


async def _queued(message: str, connection_string: str, queue: str) -> int | None:
    from azure.core.exceptions import AzureError

    try:
        async with _queue_client(connection_string, queue) as client:
            await client.send_message(message)
    except AzureError as error:
        status: int | None = getattr(error, "status_code", None)
        return status
    return httpx.codes.CREATED


@cache
def _tls() -> ssl.SSLContext:
    """Made once: it takes longer than a delivery."""
    return ssl.create_default_context()


def _http(seconds: float) -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=seconds, trust_env=False, verify=_tls())


async def _agrees(http: httpx.AsyncClient, endpoint: str) -> str:
    """The handshake of CloudEvents; returns the problem of the answer."""
    answer = await http.options(endpoint, headers={"WebHook-Request-Origin": ORIGIN, "WebHook-Request-Rate": "120"})
    if answer.status_code != httpx.codes.OK:
        return f"it answers {answer.status_code}"
    allowed = answer.headers.get("WebHook-Allowed-Origin")
    return "" if allowed in {ORIGIN, "*"} else f"it allows {allowed}"


async def _echoes(http: httpx.AsyncClient, endpoint: str) -> str:
    """Do the handshake of the Event Grid schema; return the problem of the answer.

    A 202 does not complete the handshake.
    """
    code = str(uuid4())
    asked = {
        "id": str(uuid4()),
        "topic": TOPIC,
        "subject": "",
        "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
        "eventTime": datetime.now(UTC).isoformat(),
        "data": {"validationCode": code},
        "metadataVersion": "1",
        "dataVersion": "2",
    }
    answer = await http.post(endpoint, json=[asked], headers={"aeg-event-type": "SubscriptionValidation"})
    if answer.status_code != httpx.codes.OK:
        return f"it answers {answer.status_code}"
    return "" if answer.json() == {"validationResponse": code} else "it does not give the code back"
