"""A read of all mailboxes under way: its parts, which is asked next, and what is missing. Pure.

One part is one message to the worker. A part that is too large is split by time of creation, at the times of the
mailboxes that it returned; the next read begins with these parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from bypass_responder.model.base import EARLIEST, Stored, Utc
from bypass_responder.model.exchange_read import ReadOutcome, ReadResult, Recipients, Shard
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.read import MOST_PROBLEMS
from bypass_responder.posture.stored import PostureRead

MOST_ASKED = 2
"""Parts that are asked at a time: a question about an account waits for these, not for the whole read."""
MOST_ATTEMPTS = 3
MOST_PARTS = 200
"""What a row holds. 1,000,000 mailboxes are about 40 parts of at most 50,000."""
FEW_ROWS, FEW_SECONDS = 25_000, 240.0
"""Neighboring parts with no more than these together become one in the next read."""
PIECES = 4
"""How many parts a part that is too large becomes."""
ANSWER_WITHIN = timedelta(hours=1)
"""Then the worker refuses the question."""
ASKED_AGAIN_AFTER = ANSWER_WITHIN + timedelta(minutes=10)
"""A read that began before its question ended takes at most ten minutes more."""
LONGEST_PROBLEM = 300
"""Characters of why a part is missing: the row of a read holds all of its parts."""
NO_RETRY = frozenset({"permission"})


class Part(Stored):
    """One question to the worker; ``shard`` None: about the organization's switches."""

    shard: Shard | None
    command_id: str = ""
    """Of the last question; empty while it is not asked."""
    asked_at: Utc | None = None
    attempts: int = 0
    result: ReadResult | None = None
    """The answer that counts; None without one."""
    ended: bool = False
    problem: str = ""
    """Why it is missing, or incomplete."""

    @property
    def name(self) -> str:
        """What it is about, for people."""
        if self.shard is None:
            return "organization"
        bounds = [f"{word} {at:%Y-%m-%d %H:%M:%SZ}" for word, at in self._bounds() if at]
        return " ".join((self.shard.recipients.value, *bounds))

    def _bounds(self) -> tuple[tuple[str, datetime | None], ...]:
        return (("from", self.shard.since), ("before", self.shard.until)) if self.shard else ()


class PostureRun(Stored):
    """One read of all mailboxes. The row of the last one is kept; its parts are how the next one begins."""

    schema_version: int = 1
    id: str
    started_at: Utc
    parts: tuple[Part, ...]
    ended_at: Utc | None = None
    """When its last part ended."""
    compared_at: Utc | None = None
    """When it was compared and stored; None while it is under way."""
    partial: str = ""
    """The first reason why it is partial, once it was compared; empty for a complete one."""
    etag: str | None = None

    @property
    def asked(self) -> tuple[Part, ...]:
        """Parts whose answer is awaited."""
        return tuple(part for part in self.parts if part.command_id and not part.ended)

    @property
    def progress(self) -> str:
        """How far it is, for people."""
        mailboxes = sum(part.result.rows for part in self.parts if part.result and part.ended and _has_mailboxes(part))
        return f"{sum(part.ended for part in self.parts)} of {len(self.parts)} parts, {mailboxes} mailboxes"

    def replace(self, old: Part, *new: Part) -> PostureRun:
        """Return it with one part replaced."""
        parts = [each for part in self.parts for each in (new if part is old else (part,))]
        return self.model_copy(update={"parts": tuple(parts)})


def _has_mailboxes(part: Part) -> bool:
    return part.shard is not None and part.shard.recipients is not Recipients.BYPASSED


def begin(run_id: str, now: datetime, before: PostureRun | None) -> PostureRun:
    """Return a read with the earlier read's parts if they cover all mailboxes; else one for each type.

    Parts that are small by now are merged with their neighbors.
    """
    wanted: list[Shard] = []
    for recipients in Recipients:
        known = [part for part in before.parts if part.shard and part.shard.recipients is recipients] if before else []
        shards = _merged(known)
        wanted += shards if shards and not uncovered(shards) else [Shard(recipients=recipients)]
    parts = (Part(shard=None), *(Part(shard=shard) for shard in wanted))
    return PostureRun(id=run_id, started_at=now, parts=parts, etag=before.etag if before else None)


def _merged(parts: Sequence[Part]) -> list[Shard]:
    """Return the shards of one type in order, small neighbors merged.

    So a slow day leaves no small parts for good.
    """
    found: list[tuple[Shard, float, float]] = []
    for part in sorted(parts, key=lambda part: (part.shard and part.shard.since) or EARLIEST):
        if part.shard is None:
            continue
        rows, seconds = _size(part)
        if found and found[-1][1] + rows <= FEW_ROWS and found[-1][2] + seconds <= FEW_SECONDS:
            last, more_rows, more_seconds = found.pop()
            rows, seconds = more_rows + rows, more_seconds + seconds
            shard = last.model_copy(update={"until": part.shard.until})
        else:
            shard = part.shard
        found.append((shard, rows, seconds))
    return [shard for shard, _, _ in found]


def _size(part: Part) -> tuple[float, float]:
    """Return the rows and the seconds of a part; infinite where it was not read whole."""
    if part.result is None or part.problem:
        return math.inf, math.inf
    return part.result.rows, part.result.duration_seconds


def ask_next(run: PostureRun, now: datetime, new_ids: Iterable[str]) -> PostureRun:
    """Return it with further parts asked, up to ``MOST_ASKED``, or ended when none is left.

    Sends no question.
    """
    run = _overdue_ended(run, now)
    ids = iter(new_ids)
    for part in [part for part in run.parts if not part.command_id and not part.ended]:
        if len(run.asked) >= MOST_ASKED:
            break
        asked = {"command_id": next(ids), "asked_at": now, "attempts": part.attempts + 1}
        run = run.replace(part, part.model_copy(update=asked))
    if run.ended_at is None and all(part.ended for part in run.parts):
        return run.model_copy(update={"ended_at": now})
    return run


def _overdue_ended(run: PostureRun, now: datetime) -> PostureRun:
    for part in run.asked:
        if part.asked_at and part.asked_at + ASKED_AGAIN_AFTER <= now:
            run = run.replace(part, _again(part, "the worker did not answer"))
    return run


def take(run: PostureRun, part: Part, result: ReadResult, created: Sequence[datetime]) -> PostureRun:
    """Return it with an answer. ``created``: when the mailboxes of an incomplete part were created."""
    if result.outcome is not ReadOutcome.READ:
        why = result.error or f"the worker answered {result.outcome}"
        given_up = result.error_class in NO_RETRY
        return run.replace(part, _ended(part, why) if given_up else _again(part, why))
    if result.complete or part.shard is None:
        return run.replace(part, _ended(part, "", result))
    why = result.partial or "; ".join(result.warnings) or "the worker did not read it whole"
    pieces = split(part.shard, created) if result.partial else ()
    if pieces and len(run.parts) + len(pieces) <= MOST_PARTS:
        return run.replace(part, *(Part(shard=piece) for piece in pieces))
    return run.replace(part, _ended(part, why, result))


def _again(part: Part, why: str) -> Part:
    if part.attempts >= MOST_ATTEMPTS:
        return _ended(part, why)
    return part.model_copy(update={"command_id": "", "asked_at": None})


def _ended(part: Part, problem: str, result: ReadResult | None = None) -> Part:
    """Return it ended, with what is needed of its answer: the warnings are in the problem."""
    if result is not None:
        partial = result.partial[:LONGEST_PROBLEM] if result.partial else None
        result = result.model_copy(update={"warnings": (), "error": None, "partial": partial})
    return part.model_copy(update={"ended": True, "problem": problem[:LONGEST_PROBLEM], "result": result})


def split(shard: Shard, created: Sequence[datetime]) -> tuple[Shard, ...]:
    """Return a shard's pieces with equally many of these mailboxes; none if one moment holds them all."""
    since, until = shard.since or EARLIEST, shard.until
    inside = sorted(at for at in created if at > since and (until is None or at < until))
    cuts = sorted({inside[len(inside) * number // PIECES] for number in range(1, PIECES)}) if inside else []
    bounds = [shard.since, *cuts, shard.until]
    if len(bounds) == 2:  # noqa: PLR2004 - its own bounds
        return ()
    return tuple(Shard(recipients=shard.recipients, since=since, until=until) for since, until in pairwise(bounds))


def uncovered(shards: Sequence[Shard]) -> str:
    """Return what shards of one type leave out or have twice; empty when each mailbox is in exactly one."""
    ordered = sorted(shards, key=lambda shard: shard.since or EARLIEST)
    if ordered[0].since is not None:
        return f"nothing before {ordered[0].since:%Y-%m-%d %H:%M:%SZ}"
    for one, other in pairwise(ordered):
        if one.until is None or other.since is None or other.since < one.until:
            return f"parts overlap at {other.since or EARLIEST:%Y-%m-%d %H:%M:%SZ}"
        if other.since > one.until:
            return f"nothing from {one.until:%Y-%m-%d %H:%M:%SZ} to {other.since:%Y-%m-%d %H:%M:%SZ}"
    return f"nothing from {ordered[-1].until:%Y-%m-%d %H:%M:%SZ}" if ordered[-1].until else ""


def problems(run: PostureRun) -> tuple[str, ...]:
    """Return why a read is partial; nothing for a complete one."""
    found = [f"{part.name}: {part.problem or 'not read'}" for part in run.parts if part.problem or not part.result]
    if len(found) > MOST_PROBLEMS:
        found = [*found[:MOST_PROBLEMS], f"{len(found) - MOST_PROBLEMS} parts more"]
    for recipients in Recipients:
        shards = [part.shard for part in run.parts if part.shard and part.shard.recipients is recipients]
        if why := uncovered(shards) if shards else "not asked":
            found.append(f"{recipients}: {why}")
    return tuple(found)


def comparable(run: PostureRun) -> tuple[Recipients, ...]:
    """Return the types of mailboxes whose every part was read to its end, be it with warnings."""
    return tuple(
        each for each, parts in _by_type(run) if all(part.result and not part.result.partial for part in parts)
    )


def whole(run: PostureRun) -> tuple[Recipients, ...]:
    """Return the types of mailboxes of which none can be missing."""
    return tuple(each for each, parts in _by_type(run) if all(part.result and not part.problem for part in parts))


def _by_type(run: PostureRun) -> list[tuple[Recipients, list[Part]]]:
    """Return the parts of each type of mailboxes that its parts cover."""
    found: dict[Recipients, list[Part]] = {}
    for part in run.parts:
        if part.shard and part.shard.recipients is not Recipients.BYPASSED:
            found.setdefault(part.shard.recipients, []).append(part)
    return [
        (each, parts) for each, parts in found.items() if not uncovered([part.shard for part in parts if part.shard])
    ]


def stored_read(run: PostureRun, organization: Organization, now: datetime) -> PostureRead:
    """Return what is stored of a read that has ended."""
    of_mailboxes = [part for part in run.parts if part.shard and part.result]
    results = tuple(part.result for part in of_mailboxes if part.result)
    recipients = tuple(part.shard.recipients for part in of_mailboxes if part.shard)
    bypassed = [part for part in of_mailboxes if part.shard and part.shard.recipients is Recipients.BYPASSED]
    return PostureRead(
        id=run.id,
        read_at=min((result.started_at for result in results), default=run.started_at),
        ended_at=run.ended_at or now,
        results=results,
        recipients=recipients,
        comparable=comparable(run),
        whole=whole(run),
        bypassed_read=bool(bypassed) and not any(part.problem for part in bypassed),
        organization=organization,
        problems=problems(run),
    )
