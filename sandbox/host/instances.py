"""Instances that all groups of functions share.

This is one reading of Azure's `maximumInstanceCount`. The HTTP functions are one group, every other function is its
own. A group has an instance while anything of it runs, and waits for one while the others have them all. Microsoft's
sources differ on whether the limit is for each group (azure-rest-api-specs#45083) or for all of them
(azure-functions-host#10523).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.host.index import HostedFunction


class Group:
    """Functions that scale together. Enter it for as long as something runs.

    It may be entered many times over.
    """

    def __init__(self, instances: asyncio.Semaphore) -> None:
        """Take instances from those of the app."""
        self._instances = instances
        self._entering = asyncio.Lock()
        self._running = 0

    async def __aenter__(self) -> None:
        """Wait for an instance, unless the group has one."""
        async with self._entering:
            if self._running == 0:
                await self._instances.acquire()
            self._running += 1

    async def __aexit__(self, *_: object) -> None:
        """Return the instance when nothing runs any more."""
        self._running -= 1
        if self._running == 0:
            self._instances.release()


def sharing(functions: Sequence[HostedFunction], maximum: int) -> list[HostedFunction]:
    """The functions, with ``maximum`` instances between all of them."""
    instances = asyncio.Semaphore(maximum)
    http = Group(instances)
    return [
        replace(each, group=http if each.trigger["type"] == "httpTrigger" else Group(instances)) for each in functions
    ]
