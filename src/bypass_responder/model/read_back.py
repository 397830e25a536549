"""Whether a change is still in effect: what was read after it, and when."""

from __future__ import annotations

from enum import StrEnum

from bypass_responder.model.base import Utc, Value


class Persists(StrEnum):
    """What a later read showed of a change."""

    STILL_SO = "still_so"
    UNDONE = "undone"
    UNKNOWN = "unknown"
    """Not read, or not readable."""


_WORDS = {
    Persists.STILL_SO: "Still in effect",
    Persists.UNDONE: "Undone",
    Persists.UNKNOWN: "Unknown whether still in effect",
}


class ReadBack(Value):
    """What a read showed; ``detail`` says what was read, or why nothing was."""

    state: Persists
    read_at: Utc | None = None
    """When it was read; None where it was not."""
    detail: str

    def __str__(self) -> str:
        """As people read it."""
        when = f", read at {self.read_at:%Y-%m-%d %H:%M:%SZ}" if self.read_at else ""
        return f"{_WORDS[self.state]}{when}: {self.detail}."
