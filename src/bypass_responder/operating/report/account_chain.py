"""The response log of one incident's account: hashes of the lines about it, and the end of the chain."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from bypass_responder.errors import InputError
from bypass_responder.model.base import Utc, Value
from bypass_responder.operating.log_chain import ChainWalk

if TYPE_CHECKING:
    from bypass_responder.model.log import LogEntry
    from bypass_responder.ports import Ledger

MOST_LINES = 500


class LogLine(Value):
    """One entry of the response log, without its facts; ``hash`` covers those too."""

    seq: int
    at: Utc
    event: str
    text: str
    who: str
    hash: str


class AccountChain(Value):
    """The chain of one account, read from its first entry to its last."""

    target: str
    entries: int
    """Of the whole chain."""
    head: str
    """The hash of the last entry."""
    problem: str
    """Why the chain breaks, or cannot be read; empty when every entry holds the hash of the one before it."""
    lines: tuple[LogLine, ...]
    """About the incident: the earliest and the latest, at most ``MOST_LINES``."""
    lines_total: int


async def read_chain(target: str, incident_id: str, ledger: Ledger, *, most: int = MOST_LINES) -> AccountChain:
    """Return the chain. Reads entry by entry, and keeps at most ``most`` lines."""
    walk, unreadable, total = ChainWalk(), "", 0
    first: list[LogLine] = []
    last: deque[LogLine] = deque(maxlen=most - most // 2)
    try:
        async for entry in ledger.log(target):
            walk.take(entry)
            if entry.incident_id not in {incident_id, None}:
                continue
            total += 1
            (first if len(first) < most // 2 else last).append(_line(entry))
    except InputError as error:
        unreadable = str(error)
    return AccountChain(
        target=target,
        entries=walk.entries,
        head=walk.head,
        problem=unreadable or walk.problem,
        lines=(*first, *last),
        lines_total=total,
    )


def _line(entry: LogEntry) -> LogLine:
    return LogLine(seq=entry.seq, at=entry.at, event=entry.event, text=entry.text, who=entry.who, hash=entry.hash)
