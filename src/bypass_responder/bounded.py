"""Bounded concurrency: many calls started together, few at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

AT_ONCE = 8
E = TypeVar("E")
T = TypeVar("T")


def limited(work: Callable[[E], Awaitable[T]]) -> Callable[[E], Coroutine[Any, Any, T]]:
    """The same work, of which at most AT_ONCE calls run at once."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(each: E) -> T:
        async with slots:
            return await work(each)

    return one
