"""A stand-in Event Grid topic: takes events in both schemas and delivers each at least once.

Events arrive in no order. A topic in Azure takes the one schema that it was made for, and wants a key or a token.
Retries come within seconds here, where Azure takes a day, and what is given up is always kept as a dead letter.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import httpx
from starlette.responses import JSONResponse, Response

from sandbox.tenant.event_subscription import TOPIC, Event, EventSubscription

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from sandbox.tenant.settings import Settings

MEGABYTE = 1024 * 1024
PAUSES_SECONDS = (0.2, 0.5, 1, 2, 4, 4, 4, 4, 4)
"""Between the ten tries that a delivery gets."""
SIDE_BY_SIDE = 16
REORDER_SECONDS = 1.0
"""A reordered event starts up to so much later than it would."""
NOT_AGAIN = {
    400: "UndeliverableDueToHttpBadRequest",
    401: "UndeliverableDueToHttpUnauthorized",
    403: "UndeliverableDueToHttpForbidden",
    413: "UndeliverableDueToHttpRequestEntityTooLarge",
}
"""Statuses after which Event Grid does not try again, and the reason that the dead letter has."""


@dataclass
class Topic:
    """Subscriptions, what became of the events, and the deliveries under way.

    The deliveries are tasks that end with the server's loop.
    """

    subscriptions: dict[str, EventSubscription] = field(default_factory=dict)
    dead_letters: list[Event] = field(default_factory=list)
    pauses_seconds: Sequence[float] = PAUSES_SECONDS
    _counts: Counter[str] = field(default_factory=Counter)
    _deliveries: set[asyncio.Task[None]] = field(default_factory=set)
    _sending: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SIDE_BY_SIDE))

    def counts(self) -> dict[str, int]:
        """Return how many events were ``published``, and what became of their deliveries.

        There is one delivery for each subscription and copy.
        """
        kinds = ("published", "delivered", "retried", "dead_lettered")
        return {kind: self._counts[kind] for kind in kinds} | {"pending": len(self._deliveries)}

    async def subscribe(self, subscription: EventSubscription) -> None:
        """Add or replace the subscription of this name. Raises ValueError when its endpoint does not want it."""
        await subscription.shake_hands()
        self.subscriptions[subscription.name] = subscription

    def publish(self, events: Sequence[Event], settings: Settings) -> None:
        """Begin to deliver. Raises ValueError when a subscription's schema cannot be made of an event."""
        for subscription in self.subscriptions.values():
            if subscription.delivery_schema == "eventgrid" and any("specversion" in event for event in events):
                raise ValueError(f"the subscription {subscription.name} wants the Event Grid schema, not CloudEvents")
        for event in events:
            self._counts["published"] += 1
            for subscription in self.subscriptions.values():
                for copy in range(settings.event_copies):
                    after = settings.event_delay_seconds + self._lag(copy, settings.event_reorder_seed)
                    task = asyncio.create_task(self._deliver(event, subscription, after))
                    self._deliveries.add(task)
                    task.add_done_callback(self._deliveries.discard)

    def _lag(self, copy: int, seed: int | None) -> float:
        if seed is None:
            return 0.0
        return random.Random(f"{seed}:{self._counts['published']}:{copy}").uniform(0, REORDER_SECONDS)

    async def _deliver(self, event: Event, subscription: EventSubscription, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        for tries, pause in enumerate((*self.pauses_seconds, None)):
            async with self._sending:
                status = await subscription.send(event, tries=tries)
            if status is not None and httpx.codes.is_success(status):
                self._counts["delivered"] += 1
                return
            if pause is None or status in NOT_AGAIN:
                self._give_up(event, tries + 1, status)
                return
            self._counts["retried"] += 1
            await asyncio.sleep(pause)

    def _give_up(self, event: Event, attempts: int, status: int | None) -> None:
        self._counts["dead_lettered"] += 1
        reason = NOT_AGAIN.get(status or 0, "MaxDeliveryAttemptsExceeded")
        why = {"deadLetterReason": reason, "deliveryAttempts": attempts, "lastHttpStatusCode": status}
        self.dead_letters.append(event | why)


async def receive(request: Request, topic: Topic, settings: Settings) -> Response:
    """``POST /topic/api/events``."""
    body = await request.body()
    if len(body) > MEGABYTE:
        return _refusal(413, "PayloadTooLarge", f"The request is larger than {MEGABYTE} bytes.")
    try:
        topic.publish(events_in(body), settings)
    except ValueError as error:
        return _refusal(400, "BadRequest", str(error))
    return Response(status_code=200)


def _refusal(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)


def events_in(body: bytes) -> list[Event]:
    """Return the events of an array in either schema, or of one CloudEvent, as Event Grid stamps them.

    Raises ValueError with what is wrong.
    """
    given = json.loads(body)
    if isinstance(given, dict) and "specversion" not in given:
        raise ValueError("events in the Event Grid schema come in an array")
    return [_checked(event, index) for index, event in enumerate(given if isinstance(given, list) else [given])]


def _checked(event: object, index: int) -> Event:
    if not isinstance(event, dict):
        raise ValueError(f"event {index} is not an object")  # noqa: TRY004 - of what was sent, not of an argument
    cloud = "specversion" in event
    required = ("id", "source", "type") if cloud else ("id", "subject", "eventType", "eventTime")
    for name in required:
        if not isinstance(event.get(name), str) or not event[name]:
            raise ValueError(f"event {index} has no {name}")
    time = event.get("time" if cloud else "eventTime")
    if time is not None:
        datetime.fromisoformat(str(time))
    fixed = {"specversion": "1.0"} if cloud else {"topic": TOPIC, "metadataVersion": "1"}
    for name, value in fixed.items():
        if event.get(name, value) != value:
            raise ValueError(f"event {index} has another {name} than {value}")
    return event if cloud else {"dataVersion": ""} | event | fixed
