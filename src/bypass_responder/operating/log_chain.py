"""One hash chain of the response log, followed entry by entry. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bypass_responder.model.log import LogEntry


class ChainWalk:
    """Follows a chain.

    ``problem`` names its first break; empty while each entry holds the hash of the one before.
    """

    def __init__(self) -> None:
        """Start before the first entry."""
        self.entries, self.head, self.problem = 0, "", ""

    def take(self, entry: LogEntry) -> None:
        """Go on to the next entry."""
        fits = entry.digest() == entry.hash and entry.previous == self.head
        if not (fits or self.problem):
            self.problem = f"Entry {entry.seq} does not fit the chain. Verify the log: bypassctl log verify."
        self.entries, self.head = self.entries + 1, entry.hash


def first_break(chain: Iterable[LogEntry]) -> str:
    """Return the first break of a whole chain; empty when there is none."""
    walk = ChainWalk()
    for entry in chain:
        walk.take(entry)
    return walk.problem
