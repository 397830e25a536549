"""What the worker wrote of a tenant, in the fakes of a world."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bypass_responder.model.exchange_read import ReadKind, ReadOutcome, ReadResult
from bypass_responder.posture.stored import PostureRead
from tests.posture.mailboxes import CASES, ON, Case, a_read
from tests.world import START, TENANT

if TYPE_CHECKING:
    from bypass_responder.posture.mailbox import Bypassed, Mailbox
    from tests.world import World


WRITTEN = tuple(case for case in CASES if case.owner is not None)
"""The sixty without the one of which the lists were not read: the worker always writes them."""


def line(mailbox: Mailbox) -> bytes:
    row = mailbox._asdict() | {"capabilities": ["BPOS_S_Standard"], "audit": mailbox.audit._asdict()}
    for unknown in ("license", "delegated"):
        del row[unknown]
    return json.dumps(row).encode()


def bypass_line(account: Bypassed) -> bytes:
    return json.dumps(account._asdict()).encode()


def part(world: World, name: str, lines: list[bytes]) -> ReadResult:
    """A blob of the worker with these lines, and its answer."""
    packed = gzip.compress(b"\n".join(lines), mtime=0)
    world.reads.blobs[name] = packed
    return ReadResult(
        command_id=f"0d0d0d0d-0000-4000-8000-{int(hashlib.sha256(name.encode()).hexdigest()[:12], 16):012x}",
        kind=ReadKind.MAILBOXES,
        tenant_id=TENANT,
        outcome=ReadOutcome.READ,
        started_at=START,
        complete=True,
        blob=name,
        sha256=hashlib.sha256(packed).hexdigest(),
        rows=len(lines),
    )


def read_of(world: World, *cases: Case, id: str = "read-1", read_at: datetime = START, **fields: Any) -> PostureRead:  # noqa: A002 - the field's name
    """A read in two parts, which the worker has written."""
    given = a_read(cases)
    half = len(given.mailboxes) // 2
    lines = [*map(line, given.mailboxes[half:]), *map(bypass_line, given.bypassed or ())]
    parts = (part(world, f"{id}-1", list(map(line, given.mailboxes[:half]))), part(world, f"{id}-2", lines))
    return PostureRead(
        **{
            "id": id,
            "read_at": read_at,
            "ended_at": read_at + timedelta(minutes=5),
            "results": parts,
            "bypassed_read": True,
            "organization": ON,
        }
        | fields
    )
