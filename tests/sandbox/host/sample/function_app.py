"""A function app with one function per trigger, for the tests of the host.

Each run adds a line to a file.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def _ran(function: str, **seen: object) -> None:
    with Path(os.environ["SAMPLE_RUNS"]).open("a", encoding="utf-8") as runs:
        runs.write(json.dumps({"function": function} | seen) + "\n")


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_SCHEDULE%")
def tick(timer: func.TimerRequest) -> None:
    _ran("tick", past_due=timer.past_due)


@app.queue_trigger(arg_name="message", queue_name="%SAMPLE_QUEUE%", connection="SampleStorage")
async def take(message: func.QueueMessage) -> None:
    order = message.get_json()
    _ran("take", id=order["id"], dequeue_count=message.dequeue_count, message_id=message.id)
    await asyncio.sleep(order.get("seconds", 0))
    if order.get("fail"):
        msg = "fails as requested"
        raise RuntimeError(msg)
    _ran("taken", id=order["id"])


@app.route(trigger_arg_name="request", route="echo/{word}", methods=["POST"])
async def echo(request: func.HttpRequest) -> func.HttpResponse:
    if request.params.get("fail"):
        msg = "fails as requested"
        raise RuntimeError(msg)
    seen = {
        "word": request.route_params["word"],
        "body": request.get_body().decode(),
        "agent": request.headers["agent"],
    }
    return func.HttpResponse(json.dumps(seen), status_code=201, mimetype="application/json", headers={"made": "here"})


@app.event_grid_trigger(arg_name="event")
async def alert(event: func.EventGridEvent) -> None:
    _ran("alert", id=event.id, schema=type(event).__name__, data=event.get_json())
    if event.subject == "fail":
        msg = "fails as requested"
        raise RuntimeError(msg)


@app.event_grid_trigger(arg_name="event")
def hear(event: func.CloudEvent) -> None:
    _ran("hear", id=event.id, schema=type(event).__name__, source=event.source, data=event.get_json())
