"""What every way to build shares: connections to close, the clock and the ids of production."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


def new_id() -> str:
    """The random ids of production."""
    return str(uuid.uuid4())


@dataclass(frozen=True, kw_only=True)
class Connected:
    """Something with connections to close."""

    _closing: tuple[Callable[[], Awaitable[None]], ...]

    async def aclose(self) -> None:
        """Close every connection."""
        for close in self._closing:
            await close()
