"""The function app: only triggers and bindings. Each function decodes its input and calls a use case.

The host imports this file on every cold start, and an import error takes away every function. So nothing is built
here, and the packages that take long to load are imported by the first invocation, inside the function.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import azure.functions as func
from azure.functions.eventgrid import EventGridEventInConverter

sys.path.insert(0, str(Path(__file__).parent / "src"))

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

# The library raises on a time with an offset, valid in RFC 3339, before the function runs: each delivery fails until
# the event is a dead letter. So the time stays text, which ``sensing`` reads.
EventGridEventInConverter._parse_datetime = classmethod(lambda _, text: text)  # type: ignore[method-assign,assignment] # noqa: SLF001


@app.timer_trigger(arg_name="timer", schedule="%POLL_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def poll_audit_feed(timer: func.TimerRequest) -> None:
    """Read what is new in the Management Activity API. Works from its own cursor, not from the schedule."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.poll_audit_feed()


@app.timer_trigger(arg_name="timer", schedule="%HUNTING_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def hunt_audit_events(timer: func.TimerRequest) -> None:
    """Read the same records in Microsoft Defender, where they may arrive earlier. Off without the permission."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.hunt_audit_events()


@app.timer_trigger(arg_name="timer", schedule="%RESUME_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def resume_responses(timer: func.TimerRequest) -> None:
    """Take up everything that is due: findings, claims, commands, re-checks, notifications, checkpoints."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.resume_responses()


@app.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def sweep_bypass_state(timer: func.TimerRequest) -> None:
    """Ask the Exchange worker who is bypassed now, unless it is asked already."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.sweep_bypass_state()


@app.timer_trigger(arg_name="timer", schedule="%EVIDENCE_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def gather_evidence(timer: func.TimerRequest) -> None:
    """Ask other sources what actor and target of each incident did. Changes nothing in the tenant."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.gather_evidence()


@app.timer_trigger(arg_name="timer", schedule="%POSTURE_SCHEDULE%", run_on_startup=False, use_monitor=True)
async def read_posture(timer: func.TimerRequest) -> None:
    """Begin, continue or compare the day's read of what all mailboxes audit."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.read_posture()


@app.event_grid_trigger(arg_name="event")
async def receive_alert(event: func.EventGridEvent) -> None:
    """Receive a hint from Event Grid. Raises only where another delivery helps."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.receive_alert(_as_json(event))


def _as_json(event: func.EventGridEvent | func.CloudEvent) -> bytes:
    """Return the event's envelope as JSON. The library chooses the event's class by the payload."""
    if isinstance(event, func.CloudEvent):
        own = {"specversion": event.specversion, "source": event.source, "type": event.type, **event.extension_attrs}
        named, time = "time", event.time
    else:
        own = {"topic": event.topic, "eventType": event.event_type, "dataVersion": event.data_version}
        named, time = "eventTime", event.event_time
    envelope = own | {"id": event.id, "subject": event.subject, "data": event.get_json(), named: time}
    return json.dumps(envelope).encode()


@app.queue_trigger(arg_name="message", queue_name="%ALERTS_QUEUE%", connection="ResponderStorage")
async def receive_queued_alert(message: func.QueueMessage) -> None:
    """Take a hint from the queue to which Event Grid delivers where it cannot reach the app."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.receive_alert(message.get_body())


@app.queue_trigger(arg_name="message", queue_name="%EXCHANGE_RESULTS_QUEUE%", connection="ResponderStorage")
async def record_exchange_result(message: func.QueueMessage) -> None:
    """Record one answer of the Exchange worker. On an exception, the host retries the message."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.record_exchange_result(message.get_body())


@app.queue_trigger(arg_name="message", queue_name="%EXCHANGE_READ_RESULTS_QUEUE%", connection="ResponderStorage")
async def record_exchange_read(message: func.QueueMessage) -> None:
    """Record one answer of the worker's slow side. On an exception, the host retries the message."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.record_exchange_read(message.get_body())


@app.queue_trigger(arg_name="message", queue_name="%DECISIONS_QUEUE%", connection="ResponderStorage")
async def carry_out_decision(message: func.QueueMessage) -> None:
    """Carry out or refuse a person's decision. On an exception, the host retries the message."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.carry_out_decision(message.get_body(), "bypassctl")


@app.queue_trigger(arg_name="message", queue_name="%NOTIFICATIONS_QUEUE%", connection="ResponderStorage")
async def send_notifications(message: func.QueueMessage) -> None:
    """Deliver the notifications that are due. The message names none: the outbox holds them."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.send_notifications()


@app.queue_trigger(arg_name="message", queue_name="%DECISIONS_CONSOLE_QUEUE%", connection="ResponderStorage")
async def carry_out_console_decision(message: func.QueueMessage) -> None:
    """Carry out or refuse what a person decided in the console, which has verified them."""
    from bypass_responder import bootstrap

    responder = await bootstrap.responder()
    await responder.carry_out_decision(message.get_body(), "console")


@app.route(trigger_arg_name="request", route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(request: func.HttpRequest) -> func.HttpResponse:
    """Report that the app is up, and nothing else: the page is public. `bypassctl status` has the rest."""
    return func.HttpResponse("up")
