"""Every external call passes a gate before and after it.

The list of calls is generated from the ports.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from bypass_responder import ports
from bypass_responder.services import Services

Reach = Callable[[str, str], Awaitable[None] | None]
"""Called with ``port.method`` and ``before`` or ``after``; returns what has to be awaited before the call may go on.

None: it may go on at once. Either may raise.
"""
UnderWay = Callable[[], AbstractContextManager[None]]
"""Entered while the call itself is made."""


def gated_ports() -> dict[str, dict[str, bool]]:
    """The methods of every port in ``Services``, by field; True for a method that yields."""
    found: dict[str, dict[str, bool]] = {}
    for field in dataclasses.fields(Services):
        name = _port_of(str(field.type))
        if name and name != "Clock":
            found[field.name] = {
                name: not inspect.iscoroutinefunction(method)
                for base in reversed(getattr(ports, name).__mro__)
                if base.__module__ == ports.__name__
                for name, method in vars(base).items()
                if inspect.isfunction(method) and not name.startswith("_")
            }
    return found


def _port_of(annotation: str) -> str:
    """The port that a field holds, one or several by name."""
    found = re.fullmatch(r"(?:Mapping\[str, )?ports\.(\w+)\]?", annotation)
    return found[1] if found else ""


PORTS = gated_ports()
CALLS = [f"{field}.{method}" for field, methods in PORTS.items() for method in methods]
"""Every external call of the responder."""
_END = object()


class Gated:
    """A port whose calls pass ``reach`` before and after."""

    def __init__(self, field: str, port: Any, reach: Reach, under_way: UnderWay) -> None:
        self._of = field, port, reach, under_way

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Wrap a method at its first use: a process that is soon killed uses few."""
        field, port, reach, under_way = self._of
        if name not in PORTS[field]:
            raise AttributeError(name)
        wrap = _iterated if PORTS[field][name] else _called
        wrapped = wrap(f"{field}.{name}", getattr(port, name), reach, under_way)
        setattr(self, name, wrapped)
        return wrapped


def _called(
    name: str, method: Callable[..., Awaitable[Any]], reach: Reach, under_way: UnderWay
) -> Callable[..., Awaitable[Any]]:
    async def call(*args: Any, **kwargs: Any) -> Any:
        if waits := reach(name, "before"):
            await waits
        if under_way is nullcontext:
            result = await method(*args, **kwargs)
        else:
            with under_way():
                result = await method(*args, **kwargs)
        if waits := reach(name, "after"):
            await waits
        return result

    return call


def _iterated(
    name: str, method: Callable[..., AsyncIterator[Any]], reach: Reach, under_way: UnderWay
) -> Callable[..., AsyncIterator[Any]]:
    async def call(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        if waits := reach(name, "before"):
            await waits
        stream = method(*args, **kwargs)
        while True:
            with under_way():
                each = await anext(stream, _END)
            if each is _END:
                break
            yield each
        if waits := reach(name, "after"):
            await waits

    return call


def gate(services: Services, reach: Reach, under_way: UnderWay = nullcontext) -> Services:
    """The same services, every port of them behind the gate."""
    behind: dict[str, Any] = {}
    for field in PORTS:
        port = getattr(services, field)
        if isinstance(port, Mapping):
            behind[field] = {name: Gated(field, each, reach, under_way) for name, each in port.items()}
        else:
            behind[field] = Gated(field, port, reach, under_way)
    return dataclasses.replace(services, **behind)
