"""Bounds: many calls started together, few at once; many keys seen, the newest ones remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

AT_ONCE = 8
MOST_REMEMBERED = 10_000
E = TypeVar("E")
T = TypeVar("T")


def limited(work: Callable[[E], Awaitable[T]]) -> Callable[[E], Coroutine[Any, Any, T]]:
    """The same work, of which at most AT_ONCE calls run at once."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(each: E) -> T:
        async with slots:
            return await work(each)

    return one


class Remembered:
    """The newest keys of many. Each is true for good: one that is forgotten costs a call, and no more."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        """Remember nothing yet, and never more keys than ``most``."""
        self._most = most
        self._keys: dict[str, None] = {}

    def add(self, keys: Iterable[str]) -> None:
        """Remember keys, and forget the oldest that are too many."""
        self._keys |= dict.fromkeys(keys)
        for key in list(self._keys)[: max(len(self._keys) - self._most, 0)]:
            del self._keys[key]

    def __contains__(self, key: str) -> bool:
        """Return True for a key that is remembered."""
        return key in self._keys
