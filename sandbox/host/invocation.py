"""One invocation: builds the object that the worker would build from the trigger's data.

The function then runs with this object.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import time
import traceback
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from azure.functions import get_binding_registry
from azure.functions.meta import Datum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.host.index import HostedFunction

_log = logging.getLogger("sandbox.host")


def notification(event: str, **fields: object) -> None:
    """Log one event as one line of JSON."""
    _log.info("%s", json.dumps({"event": event} | fields, default=str))


def decoded(function: HostedFunction, data: Datum, metadata: Mapping[str, Datum] | None = None) -> Any:  # noqa: ANN401 -- the type depends on the trigger
    """The object that the function is given, made by the converter that the Python worker uses."""
    converters: Any = get_binding_registry()  # type: ignore[no-untyped-call] # the library has no types here
    converter = converters.get(function.trigger["type"])
    return converter.decode(data, trigger_metadata=dict(metadata or {}))


def as_json(value: object) -> Datum:
    """Data as the host sends everything that is not text: JSON."""
    return Datum(json.dumps(value, default=str), "json")


async def invoke(function: HostedFunction, argument: object) -> Any:  # noqa: ANN401 -- whatever the function returns
    """Run the function: a coroutine on this loop, anything else in a thread.

    Its exception is logged and passed on.
    """
    started = time.perf_counter()
    given = {function.trigger["name"]: argument}
    error: BaseException | None = None
    try:
        async with function.group:
            if inspect.iscoroutinefunction(function.code):
                return await function.code(**given)
            return await asyncio.to_thread(function.code, **given)
    except BaseException as raised:
        error = raised
        raise
    finally:
        failed = {"error": repr(error), "traceback": "".join(traceback.format_exception(error))} if error else {}
        notification(
            "invocation",
            function=function.name,
            invocation_id=str(uuid4()),
            outcome="failed" if error else "succeeded",
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            **failed,
        )
