"""Objects that are built at their first use: importing an SDK takes longer than most commands of bypassctl."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any, TypeVar, cast

T = TypeVar("T")


class _Late:
    """Stands for what ``build`` returns."""

    def __init__(self, build: Callable[[], object]) -> None:
        self._build = build

    @cached_property
    def _built(self) -> object:
        return self._build()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - it stands for anything
        return getattr(self._built, name)


def late(build: Callable[[], T]) -> T:
    """Return a stand-in that builds the object at its first use. It has no special methods such as ``__aenter__``."""
    return cast("T", _Late(build))


def closing(it: object, method: str = "close") -> Callable[[], Awaitable[None]]:
    """Return a function that closes the object, unless it was never built."""

    async def close() -> None:
        if not isinstance(it, _Late) or "_built" in vars(it):
            await getattr(it, method)()

    return close
