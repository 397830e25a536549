"""A PowerShell function app, run as the platform runs it: one long-lived process for each function.

Where there is no ``pwsh``, the Python stand-in of the Exchange worker answers, on the same queues.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from sandbox.exchange_online import Function, PowerShellError, missing
from sandbox.host.index import HostedFunction, HostError, filled
from sandbox.worker.stand_in import StandIn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    import azure.functions as func

    from sandbox.worker.stand_in import Outputs

    Inputs = Mapping[str, str | None]
    """What each input binding found; None where there is no blob."""
    Invoke = Callable[[str, str, int, Inputs], Awaitable[Outputs]]
    """Body, message id, dequeue count and inputs to what goes to the output bindings."""


@dataclass(frozen=True)
class PowerShellApp:
    """The functions, and what answers: ``PowerShell 7.6.9``, or a stand-in with the reason."""

    functions: list[HostedFunction]
    answers: str


async def load_powershell(
    app_folder: Path, environment: Mapping[str, str], resources: AsyncExitStack, *, stand_in: bool, seed: int = 0
) -> PowerShellApp:
    """Read every ``function.json`` and start what answers. Raises HostError for a missing setting.

    ``seed`` chooses the order in which a function's outputs are written: the platform promises none.
    """
    order = random.Random(seed)
    declared = _declared(app_folder, environment)
    why = "asked for" if stand_in else missing()
    answers = f"a stand-in in Python ({why})"
    invokes: dict[str, Invoke] = {}
    if why:
        python = await resources.enter_async_context(StandIn(environment))
        invokes = {name: _of_the_stand_in(python, name) for name in declared}
    else:
        started = {name: Function(name, environment=environment, app=app_folder) for name in declared}
        for name, function in started.items():
            resources.callback(function.close)
            invokes[name] = _of(function)
        await asyncio.gather(*(asyncio.to_thread(function.start) for function in started.values()))
        answers = f"PowerShell {next(iter(started.values())).version}" if started else answers
    functions = [
        await _hosted(name, each, invokes[name], environment, resources, order) for name, each in declared.items()
    ]
    return PowerShellApp(functions, answers)


def _declared(app_folder: Path, environment: Mapping[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The bindings of every function, by its folder's name."""
    return {
        file.parent.name: [filled(each, environment) for each in json.loads(file.read_text("utf-8"))["bindings"]]
        for file in sorted(app_folder.glob("*/function.json"))
    }


def _of(function: Function) -> Invoke:
    async def invoke(body: str, message_id: str, dequeue_count: int, inputs: Inputs) -> Outputs:
        call = partial(function.invoke, body, message_id=message_id, dequeue_count=dequeue_count, inputs=inputs)
        try:
            ended = await asyncio.to_thread(call)
        except PowerShellError:
            function.close()
            function.start()  # as the platform restarts a worker that died; in this thread, which outlives it
            raise
        if not ended.ok:
            raise PowerShellError(ended.error)
        return ended.outputs

    return invoke


def _of_the_stand_in(python: StandIn, name: str) -> Invoke:
    async def invoke(body: str, message_id: str, dequeue_count: int, inputs: Inputs) -> Outputs:
        return await python.invoke(name, body, message_id=message_id, deliveries=dequeue_count, inputs=inputs)

    return invoke


async def _hosted(
    name: str,
    bindings: list[dict[str, Any]],
    invoke: Invoke,
    environment: Mapping[str, str],
    resources: AsyncExitStack,
    order: random.Random,
) -> HostedFunction:
    [trigger] = [each for each in bindings if each["type"] == "queueTrigger"]
    read = [each for each in bindings if each["direction"] == "in" and each is not trigger]
    pulls = {each["name"]: await _pull(each, environment, resources) for each in read}
    pushes = {
        each["name"]: await _push(each, environment, resources) for each in bindings if each["direction"] == "out"
    }

    async def run(**given: func.QueueMessage) -> None:
        message = given[trigger["name"]]
        body = message.get_body().decode()
        found = {binding: await pull(body) for binding, pull in pulls.items()}
        outputs = await invoke(body, str(message.id), int(message.dequeue_count or 1), found)
        for binding, push in order.sample(sorted(pushes.items()), len(pushes)):
            for value in outputs.get(binding, []):
                await push(value, str(message.id), body)

    return HostedFunction(name, trigger, run)


async def _pull(
    binding: Mapping[str, Any], environment: Mapping[str, str], resources: AsyncExitStack
) -> Callable[[str], Awaitable[str | None]]:
    """What reads an input blob; ``{name}`` in a path is a field of the message, which must have it."""
    connection = environment.get(binding["connection"], "")
    blobs = await resources.enter_async_context(BlobServiceClient.from_connection_string(connection))
    container, _, path = str(binding["path"]).partition("/")

    async def download(body: str) -> str | None:
        try:
            blob = blobs.get_blob_client(container, _path(path, body))
            return bytes(await (await blob.download_blob()).readall()).decode()
        except ResourceNotFoundError:
            return None

    return download


async def _push(
    binding: Mapping[str, Any], environment: Mapping[str, str], resources: AsyncExitStack
) -> Callable[[str | bytes, str, str], Awaitable[object]]:
    """Return the function that puts one value to an output binding.

    In the path of a blob, ``{id}`` is the id of the message; other names are its fields.
    """
    connection = environment.get(binding["connection"], "")
    if binding["type"] == "queue":
        queues = await resources.enter_async_context(QueueServiceClient.from_connection_string(connection))
        queue = queues.get_queue_client(binding["queueName"])

        async def send(value: str | bytes, _message_id: str, _body: str) -> object:
            data = value.encode() if isinstance(value, str) else value
            return await queue.send_message(base64.b64encode(data).decode())

        return send
    if binding["type"] != "blob":
        msg = f"the output binding {binding['name']} is of the type {binding['type']}, which this host does not know"
        raise HostError(msg)
    blobs = await resources.enter_async_context(BlobServiceClient.from_connection_string(connection))
    container, _, path = str(binding["path"]).partition("/")

    async def upload(value: str | bytes, message_id: str, body: str) -> object:
        blob = blobs.get_blob_client(container, _path(path.replace("{id}", message_id), body))
        return await blob.upload_blob(value, overwrite=True)

    return upload


def _path(pattern: str, body: str) -> str:
    """The path of a blob; ``{name}`` is a field of the message. Raises HostError for one that it lacks."""
    if "{" not in pattern:
        return pattern
    try:
        return pattern.format_map(json.loads(body))
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(f"the message has no value for the path {pattern}") from error
