"""(q) Reading and comparing 100,000 mailboxes ÷ ``json.loads`` of the same lines.

CPU seconds of this process. A fifth of the mailboxes have one of 300 other settings; the rest have the same, as in a
real tenant. A floor: nobody can compare what they have not parsed.
"""

from __future__ import annotations

import json
import random
import statistics
import time
import uuid
from typing import TYPE_CHECKING, Any

from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import compare
from bypass_responder.posture.mailbox import MailboxReader
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.read import TenantRead, read_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LARGE = 100_000
_VARIANTS = 300
_USUAL = 0.8


def measure(mailboxes: int = LARGE, rounds: int = 5) -> dict[str, Any]:
    """Medians of both, and their ratio."""
    lines = make(mailboxes)
    seconds: dict[str, list[float]] = {"floor": [], "compare": []}
    runs: dict[str, Callable[[], object]] = {"floor": lambda: _floor(lines), "compare": lambda: compared(lines)}
    for number in range(rounds):
        for name, run in sorted(runs.items(), reverse=number % 2 == 1):
            start = time.process_time()
            run()
            seconds[name].append(time.process_time() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "times_json": round(medians["compare"] / medians["floor"], 2),
        "compare_cpu_seconds": round(medians["compare"], 2),
        "json_cpu_seconds": round(medians["floor"], 2),
        "runs": rounds,
    }


def _floor(lines: Sequence[bytes]) -> None:
    for line in lines:
        json.loads(line)


def compared(lines: Sequence[bytes]) -> int:
    """Return how many mailboxes are in the comparison."""
    read = TenantRead("bench", bypassed=[], organization=Organization(audit_disabled=False, ingestion_enabled=True))
    reader = MailboxReader()
    for line in lines:
        read_line(line, read, reader)
    return len(compare(read, measures(), watched={"user5@contoso.com"}).rows)


def make(mailboxes: int) -> list[bytes]:
    """Lines as the worker writes them."""
    return list(lines_of(mailboxes))


def lines_of(mailboxes: int) -> Iterator[bytes]:
    """The same, one by one."""
    dice = random.Random(1)
    defaults = [list(measures().microsoft.actions[logon]) for logon in LogonType]
    others = [[dice.sample(each, len(each) - dice.randint(0, 3)) for each in defaults] for _ in range(_VARIANTS)]
    for number in range(mailboxes):
        yield _line(number, dice, defaults if dice.random() < _USUAL else dice.choice(others))


def _line(number: int, dice: random.Random, lists: list[list[str]]) -> bytes:
    row = {
        "object_id": str(uuid.UUID(int=dice.getrandbits(128))),
        "exchange_guid": str(uuid.UUID(int=dice.getrandbits(128))),
        "upn": f"user{number}@contoso.onmicrosoft.com",
        "address": f"user{number}@contoso.com",
        "display_name": f"User {number}",
        "type": dice.choice(["UserMailbox", "UserMailbox", "SharedMailbox"]),
        "created_at": "2026-01-01T00:00:00Z",
        "capabilities": ["BPOS_S_Standard"],
        "audit": {
            "enabled": True,
            "age_limit": "90.00:00:00",
            "default_set": list(LogonType),
            **dict(zip(("admin", "delegate", "owner"), lists, strict=True)),
        },
    }
    return json.dumps(row, separators=(",", ":")).encode()


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
