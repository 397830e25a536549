"""The error for an input of a check that cannot be read. It is a problem, and ends that check."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path


class UnreadableError(Exception):
    """The message says in one line what cannot be read, and why."""


def reported(run: Callable[[Path], Iterator[str]]) -> Callable[[Path], Iterator[str]]:
    """A check that ends with the message of an UnreadableError instead of raising it."""

    @wraps(run)
    def reporting(root: Path) -> Iterator[str]:
        try:
            yield from run(root)
        except UnreadableError as error:
            yield str(error)

    return reporting
