"""Verifies the response log: every hash chain from its start, against every checkpoint."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from bypass_responder.errors import InputError
from bypass_responder.model.allowlist import SeenRow
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.log import TornLine
from bypass_responder.operating.known_heads import KnownHeads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from bypass_responder.model.case import Case
    from bypass_responder.model.log import Checkpoint
    from bypass_responder.ports import Checkpoints, Ledger

    Copy = Mapping[str, Mapping[int, str]]

READ_AGAIN = 2
CHECKPOINTS = "checkpoints"
"""The name of the checkpoint chain in a copy."""


@dataclass
class Verification:
    """The result. Without ``problems``, nothing was changed, deleted or cut, up to the last checkpoint."""

    targets: int = 0
    entries: int = 0
    checkpoints: int = 0
    torn_lines: int = 0
    """Appends that did not end. A checkpoint that was lost with one is a separate problem."""
    first_checkpoint_seq: int = 0
    last_checkpoint_seq: int = 0
    last_checkpoint_hash: str = ""
    last_checkpoint: datetime | None = None
    problems: list[str] = field(default_factory=list)
    heads: dict[str, tuple[int, str]] | None = None
    """The end of each verified log, number and hash; None: not kept."""


async def verify_log(
    ledger: Ledger,
    checkpoints: Checkpoints,
    *,
    copy: Copy | None = None,
    since: date | None = None,
    keep_heads: bool = False,
) -> Verification:
    """Verify the log, or the checkpoints ``since`` a day. Raises TransientError without storage.

    An unreadable row is a problem, not an error. ``copy`` holds hashes by number, for each target and for
    ``checkpoints``, from a copy that is kept elsewhere. With ``since``, the first checkpoint that is read is trusted,
    and only the logs that changed after it are verified.

    A concurrent write can look like a broken chain, so only a problem that persists in a second read is returned.
    """
    found = await _verify(ledger, checkpoints, copy or {}, since, keep_heads=keep_heads)
    for _ in range(READ_AGAIN):
        if found.problems:
            before, found = found.problems, await _verify(ledger, checkpoints, copy or {}, since, keep_heads=keep_heads)
            found.problems = [problem for problem in found.problems if problem in before]
    return found


async def _verify(
    ledger: Ledger, checkpoints: Checkpoints, copy: Copy, since: date | None, *, keep_heads: bool
) -> Verification:
    found = Verification(heads={} if keep_heads else None)
    with closing(KnownHeads()) as heads:
        await _checkpoints(checkpoints, copy.get(CHECKPOINTS, {}), since, heads, found)
        for target in copy.keys() - {CHECKPOINTS}:
            differing = [seq for seq, digest in copy[target].items() if not heads.add(target, seq, digest)]
            if differing:
                found.problems.append(f"{target}: a checkpoint differs from the copy")
        for target in sorted(heads.targets() if since else await ledger.targets() | heads.targets()):
            found.targets += 1
            try:
                await _target(target, heads.of(target), ledger, found)
            except InputError as problem:
                found.problems.append(f"{target}: {problem.detail}")
    return found


async def _checkpoints(
    checkpoints: Checkpoints, kept: Mapping[int, str], since: date | None, heads: KnownHeads, found: Verification
) -> None:
    last: Checkpoint | None = None
    try:
        async for checkpoint in checkpoints.all(since):
            if isinstance(checkpoint, TornLine):
                found.torn_lines += 1
                continue
            if last or not since:
                _after(last, checkpoint, found)
            if checkpoint.digest() != checkpoint.hash:
                found.problems.append(f"checkpoint {checkpoint.seq} was changed")
            if kept.get(checkpoint.seq, checkpoint.hash) != checkpoint.hash:
                found.problems.append(f"checkpoint {checkpoint.seq} differs from the copy")
            for target, (seq, digest) in checkpoint.heads.items():
                if not heads.add(target, seq, digest):
                    found.problems.append(f"{target}: checkpoint {checkpoint.seq} contradicts an earlier checkpoint")
            last = checkpoint
            found.checkpoints += 1
            found.first_checkpoint_seq = found.first_checkpoint_seq or checkpoint.seq
            found.last_checkpoint, found.last_checkpoint_seq = checkpoint.at, checkpoint.seq
            found.last_checkpoint_hash = checkpoint.hash
    except InputError as problem:
        found.problems.append(problem.detail)
    newest = last.seq if last else 0
    if (copied := max(kept, default=0)) > newest:
        found.problems.append(f"cut after checkpoint {newest}; the copy has {copied}")


def _after(last: Checkpoint | None, checkpoint: Checkpoint, found: Verification) -> None:
    expected, previous = (last.seq + 1, last.hash) if last else (1, "")
    if checkpoint.seq != expected:
        found.problems.append(f"checkpoint {expected} is missing")
    elif checkpoint.previous != previous:
        found.problems.append(f"checkpoint {checkpoint.seq} or the one before it was changed")


async def _target(target: str, heads: Iterator[tuple[int, str]], ledger: Ledger, found: Verification) -> None:
    seq, previous, incidents, decisions = 0, "", set[str](), dict[str, str]()
    known = next(heads, None)
    async for entry in ledger.log(target):
        seq += 1
        found.entries += 1
        if entry.seq != seq:
            found.problems.append(f"{target}: log entry {seq} is missing (the next entry is {entry.seq})")
            seq, previous = entry.seq, entry.previous
        if entry.previous != previous or entry.digest() != entry.hash:
            found.problems.append(f"{target}: log entry {seq} was changed")
        while known and known[0] < seq:
            known = next(heads, None)
        if known and known[0] == seq and known[1] != entry.hash:
            found.problems.append(f"{target}: log entry {seq} differs from a checkpoint or the copy")
        previous = entry.hash
        if entry.event == "decided" and entry.incident_id:
            incidents.add(entry.incident_id)
        if "decision" in entry.facts:
            decisions[entry.facts["decision"]] = entry.facts.get("digest", "")
    if found.heads is not None:
        found.heads[target] = (seq, previous)
    case = await ledger.load(target, history=True)
    _against_rows(case, seq, previous, incidents, found)
    _against_decisions(case, decisions, found)
    last = max((number for number, _ in heads), default=known[0] if known else 0)
    if last > seq:
        found.problems.append(f"{target}: cut after log entry {seq}; a checkpoint or the copy has {last} entries")


def _against_rows(case: Case, seq: int, digest: str, incidents: set[str], found: Verification) -> None:
    target, head = case.target, case.head
    if (head.log_seq, head.log_hash) != (seq, digest):
        found.problems.append(f"{target}: the head names log entry {head.log_seq}, but the log ends with {seq}")
    there = {row.id for row in case.by_key.values() if isinstance(row, Incident)}
    found.problems.extend(f"{target}: incident {gone} was deleted" for gone in sorted(incidents - there))
    found.problems.extend(f"{target}: incident {new} is in no log entry" for new in sorted(there - incidents))


def _against_decisions(case: Case, decisions: Mapping[str, str], found: Verification) -> None:
    """Name the decisions of people that the responder has not logged, or logged otherwise."""
    for row in case.rows(PersonDecision):
        about = f"{case.target}: the decision {row.id} ({row.verb.value} by {row.author})"
        if row.id not in decisions:
            found.problems.append(f"{about} is in no log entry: nobody decided it")
        elif decisions[row.id] != row.digest():
            found.problems.append(f"{about} differs from its log entry")
    approved = {
        row.entry_sha256
        for row in case.rows(PersonDecision)
        if (row.verb, row.outcome) == (DecisionKind.APPROVE_ENTRY, "carried_out") and row.id in decisions
    }
    for seen in case.rows(SeenRow):
        if seen.approval and seen.approval.sha256 not in approved:
            found.problems.append(f"{case.target}: the approval of its allowlist entry is in no log entry")
