"""Objects that are built at their first use.

Importing an SDK takes longer than most commands of bypassctl.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar, cast

T = TypeVar("T")
V = TypeVar("V")


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
    """Return a stand-in that builds the object at its first use.

    It has no special methods such as ``__aenter__``.
    """
    return cast("T", _Late(build))


class _LateMapping(Mapping[str, V]):
    """Stands for the mapping that ``build`` returns."""

    def __init__(self, build: Callable[[], Mapping[str, V]]) -> None:
        self._build = build

    @cached_property
    def _built(self) -> Mapping[str, V]:
        return self._build()

    def __getitem__(self, key: str) -> V:
        return self._built[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._built)

    def __len__(self) -> int:
        return len(self._built)


def late_mapping(build: Callable[[], Mapping[str, V]]) -> Mapping[str, V]:
    """Return a mapping that is built at its first use."""
    return _LateMapping(build)


def closing(it: object, method: str = "close") -> Callable[[], Awaitable[None]]:
    """Return a function that closes the object, unless it was never built."""

    async def close() -> None:
        if not isinstance(it, _Late) or "_built" in vars(it):
            await getattr(it, method)()

    return close
