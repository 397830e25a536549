"""Compares the allowlist with the last run's read, in ``resume_responses``. Writes only on a change."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case.allowlist import record_compared, target_of
from bypass_responder.case.allowlist_summary import (
    DIGEST_EVERY,
    MOST_NAMED,
    expiring,
    report_many,
    report_unread,
    send_digest,
    summarize,
    summarize_changes,
)
from bypass_responder.errors import ConflictError
from bypass_responder.model.account import MOST_MISSPELLED, MOST_READ, MalformedEntry
from bypass_responder.model.allowlist import SeenRow, Snapshot
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.session import change_if_needed, open_session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import AllowlistEntry
    from bypass_responder.services import Services
    from bypass_responder.session import Session

    Rows = Mapping[str, AllowlistEntry | MalformedEntry]

ATTEMPTS = 5
UNKNOWN = ""
"""In place of the ETag of a row that is being recorded, or that could not be."""
ROWS_PER_TRANSACTION = 20
"""Of one case: rows, log entries and notifications of each are in one transaction, which holds 100."""


async def watch_allowlist(services: Services) -> None:
    """Record each added, changed or removed allowlist row in its account's case, and notify people.

    The first run records what is there, with one summary. A row that cannot be recorded is retried at the next run.
    When another run has compared them meanwhile, what this one recorded may be older, and is compared again.
    """
    recorded: set[str] = set()
    for _ in range(ATTEMPTS):
        try:
            await _compare(recorded, services)
        except ConflictError:
            continue
        return
    raise ConflictError(TENANT_TARGET)


async def _compare(recorded: set[str], services: Services) -> None:
    """Record the differences from the snapshot, added to ``recorded``, and replace the snapshot."""
    before = await services.allowlist_snapshot.read()  # first: rows older than it would undo what another run recorded
    rows = {row.row_id: row async for row in services.allowlist.entries()}
    known = before.rows if before else {}
    changed = sorted(recorded | {row_id for row_id in {*rows, *known} if _etag(row_id, rows) != known.get(row_id)})
    digest_at = await _send_digest(rows, before, services)
    if before is not None and not changed and digest_at == before.digest_at:
        return
    etag = before.etag if before else None
    comparison = _number(before, services)
    if before is not None:  # a run that ends here leaves a trace of what it was about to record
        pending = Snapshot({**known, **dict.fromkeys(changed, UNKNOWN)}, etag, digest_at, comparison)
        etag = await services.allowlist_snapshot.replace(pending)
    many = before is not None and len(changed) > MOST_NAMED
    if many:
        summary = partial(summarize_changes, changes={row_id: rows.get(row_id) for row_id in changed})
        await change_if_needed(await open_session(TENANT_TARGET, services), summary, services)
    misspelled = sum(isinstance(row, MalformedEntry) and row.keys is not None for row in rows.values())
    if len(rows) > MOST_READ or misspelled > MOST_MISSPELLED:
        await change_if_needed(await open_session(TENANT_TARGET, services), report_unread, services)
    by_target: dict[str, list[str]] = {}
    for row_id in changed:
        by_target.setdefault(target_of(row_id), []).append(row_id)

    async def record(target: str) -> None:
        await _record(target, by_target[target], rows, services, before=before, summarized=many, comparison=comparison)

    targets = sorted(by_target)
    outcomes = await asyncio.gather(*map(limited(record), targets), return_exceptions=True)
    failed = {target: error for target, error in zip(targets, outcomes, strict=True) if isinstance(error, Exception)}
    if before is None and rows:
        summary = partial(summarize, rows=list(rows.values()))
        await change_if_needed(await open_session(TENANT_TARGET, services), summary, services)
    stale = {row_id for target in failed for row_id in by_target[target]}
    now = {row_id: row.etag for row_id, row in rows.items()}
    recorded |= {*changed} - stale
    kept = Snapshot(now | dict.fromkeys(stale, UNKNOWN), etag, digest_at, comparison)
    await services.allowlist_snapshot.replace(kept)
    if failed:
        raise ExceptionGroup("some allowlist rows could not be recorded; they are tried again", list(failed.values()))


def _number(before: Snapshot | None, services: Services) -> int:
    """Return the comparison's number: greater than the last one's, also when the snapshot was lost."""
    return max(before.comparison + 1 if before else 1, int(services.clock().timestamp() * 1000))


def _etag(row_id: str, rows: Rows) -> str | None:
    return rows[row_id].etag if row_id in rows else None


async def _send_digest(rows: Rows, before: Snapshot | None, services: Services) -> datetime | None:
    """Notify of what expires, once a week. Returns when that was last done."""
    now, last = services.clock(), before.digest_at if before else None
    due = expiring(rows.values(), now=now)
    if not due or (last is not None and now - last < DIGEST_EVERY):
        return last
    session = await open_session(TENANT_TARGET, services)
    await change_if_needed(session, partial(send_digest, entries=due), services)
    return now


async def _record(
    target: str,
    row_ids: list[str],
    rows: Rows,
    services: Services,
    *,
    before: Snapshot | None,
    summarized: bool,
    comparison: int,
) -> None:
    session = await open_session(target, services)
    if target == TENANT_TARGET:
        row_ids = await _bounded(row_ids, session, services)
    for start in range(0, len(row_ids), ROWS_PER_TRANSACTION):

        def transition(draft: Draft, ids: list[str] = row_ids[start : start + ROWS_PER_TRANSACTION]) -> None:
            for row_id in ids:
                record_compared(
                    draft,
                    row_id,
                    rows.get(row_id),
                    comparison=comparison,
                    begun=before is not None and before.rows.get(row_id) == UNKNOWN,
                    quiet=before is None,
                    summarized=summarized,
                    anew=before is not None and row_id not in before.rows,
                )

        await change_if_needed(session, transition, services)


async def _bounded(row_ids: list[str], session: Session, services: Services) -> list[str]:
    """Return the rows without an account that the tenant's case takes: known ones, others up to a bound."""
    seen = {row.id for row in session.case.rows(SeenRow)}
    new = [row_id for row_id in row_ids if row_id not in seen]
    room = max(0, MOST_MISSPELLED - len(seen))
    if len(new) > room:
        await change_if_needed(session, partial(report_many, count=len(new) - room), services)
    return [row_id for row_id in row_ids if row_id in seen] + new[:room]
