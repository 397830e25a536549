"""Instances that all functions of an app share."""

from __future__ import annotations

import asyncio

from sandbox.host.index import HostedFunction
from sandbox.host.instances import sharing
from sandbox.host.invocation import invoke


class Slow:
    """Functions that run until they are let go, and what began so far."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.let_go = asyncio.Event()

    def function(self, name: str, trigger: str = "queueTrigger") -> HostedFunction:
        async def code(message: object) -> None:
            self.began.append(str(message))
            await self.let_go.wait()

        return HostedFunction(name, {"type": trigger, "name": "message"}, code)


async def began_of(slow: Slow, functions: list[HostedFunction], messages: list[str]) -> list[str]:
    runs = [asyncio.create_task(invoke(*each)) for each in zip(functions, messages, strict=True)]
    await asyncio.sleep(0.01)
    began = list(slow.began)
    slow.let_go.set()
    await asyncio.gather(*runs)
    return began


async def test_with_one_instance_a_sweep_holds_up_a_command() -> None:
    slow = Slow()
    sweeps, commands = sharing([slow.function("sweeps"), slow.function("commands")], 1)
    began = await began_of(slow, [sweeps, commands], ["sweep", "command"])

    assert began == ["sweep"]
    assert slow.began == ["sweep", "command"]


async def test_with_two_instances_it_does_not() -> None:
    slow = Slow()
    sweeps, commands = sharing([slow.function("sweeps"), slow.function("commands")], 2)

    assert await began_of(slow, [sweeps, commands], ["sweep", "command"]) == ["sweep", "command"]


async def test_a_group_that_has_an_instance_needs_no_other() -> None:
    slow = Slow()
    first, second = sharing([slow.function("one", "httpTrigger"), slow.function("two", "httpTrigger")], 1)

    assert await began_of(slow, [first, second], ["one", "two"]) == ["one", "two"]


async def test_without_a_limit_each_function_has_its_own() -> None:
    slow = Slow()

    assert await began_of(slow, [slow.function("a"), slow.function("b")], ["a", "b"]) == ["a", "b"]
