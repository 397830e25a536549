"""Record *off* and failed attempts in batches. They decide nothing, so they come after what acts."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case import evidence, no_action
from bypass_responder.case.filing import file_what_is_over
from bypass_responder.case.listing import entries, listed_statuses
from bypass_responder.case.restoration import reopen
from bypass_responder.model.change import Switch
from bypass_responder.model.finding import Alone, Finding, FindingState, Unrecorded
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.base import Row
    from bypass_responder.model.case import Case
    from bypass_responder.model.notification import Notification
    from bypass_responder.services import Services
    from bypass_responder.session import Session

RECORDS_PER_TRANSACTION = 20
"""A record changes at most four rows and writes one log entry; a transaction holds 100."""
MOST_FILINGS = 8
"""Transactions of one run that move rows; the next run continues."""
MARGIN = timedelta(minutes=5)
"""How long after the end of an episode a record of our own remediation may be dated."""


async def list_entries(session: Session, services: Services) -> Mapping[str, Row]:
    """Update the index.

    Returns the rows that it has its entries from: only those may move to the history.
    """
    listed = session.case.by_key
    if new := entries(session.case):
        await services.index.put(new, was=listed_statuses(session.case))
    return listed


async def file_rows(session: Session, services: Services, listed: Mapping[str, Row]) -> bool:
    """Move rows that are over to the history. Returns True when more may move."""
    for _ in range(MOST_FILINGS):
        before = session.commits
        await session.apply(partial(file_what_is_over, listed=listed, waits=partial(_waits, services=services)))
        if session.commits == before:
            return False
    return True


def _waits(note: Notification, services: Services) -> bool:
    """Return True when a receiver is to get the notification."""
    minimum = services.settings.minimum_severities
    return any(note.is_for(receiver, minimum.get(receiver, Severity.INFO)) for receiver in services.receivers)


async def recall(finding: Finding, session: Session, services: Services) -> None:
    """Read the episodes of the history that a finding this old may be about."""
    through = session.case.head.filed_through
    since = finding.effective_at - MARGIN
    if not session.history and through is not None and since <= through:
        await session.read_besides(partial(services.ledger.episodes, session.target, since))


async def record_events(session: Session, services: Services) -> None:
    """Record the waiting *off* and attempts of a target in batches, and list them in the index."""
    worker_ids = services.settings.exchange_worker_ids
    while (seen := session.case.row(Unrecorded, Unrecorded.key)) is not None:
        read = partial(services.ledger.records, session.target, RECORDS_PER_TRANSACTION)
        batch = [row for row in (await session.read_besides(read)).by_key.values() if isinstance(row, Finding)]
        for finding in batch:
            await recall(finding, session, services)
        await session.apply(partial(_record, findings=batch, worker_ids=worker_ids))
        more = await file_rows(session, services, await list_entries(session, services))
        session.forget()
        if len(batch) < RECORDS_PER_TRANSACTION and not more:
            await session.apply(partial(_end_waiting, seen=seen))


def _record(draft: Draft, findings: Sequence[Finding], *, worker_ids: frozenset[str]) -> None:
    for finding in sorted(findings, key=lambda each: (each.effective_at, each.id)):
        current = draft.case.row(Finding, finding.row_key)
        if current is None or current.state is FindingState.DECIDED:
            continue
        if current.switch is Switch.OFF:
            no_action.record_switch_off(draft, current, worker_ids=worker_ids)
        else:
            no_action.record_attempt(draft, current)


def _end_waiting(draft: Draft, seen: Unrecorded) -> None:
    """Announce no record any more, unless another one came since the case was read."""
    if draft.case.row(Unrecorded, Unrecorded.key) == seen:
        draft.remove(seen)


async def adopt_earlier(session: Session, services: Services) -> None:
    """Adopt findings that were recorded before an incident was opened and are about it."""
    incident = session.case.incident(session.case.head.adopting)
    if incident is not None:
        read = partial(services.ledger.alone, session.target, evidence.begun(incident) - evidence.BEFORE)
        async for page in _pages(session, read):
            await session.apply(partial(_adopt, alone=page.rows(Alone)))
    if session.case.head.adopting is not None:
        await session.apply(lambda draft: draft.move_head(adopting=None))


async def reopen_filed(session: Session, services: Services) -> None:
    """Decide again the findings of the history that are later than the end of their episode."""
    incident = session.case.incident(session.case.head.reopening)
    if incident is not None and incident.restored_at is not None:
        read = partial(services.ledger.findings, session.target, incident.id, incident.restored_at)
        async for _ in _pages(session, read):
            await session.apply(reopen)
    if session.case.head.reopening is not None:
        await session.apply(lambda draft: draft.move_head(reopening=None))


async def _pages(session: Session, read: Callable[..., Awaitable[Case]]) -> AsyncIterator[Case]:
    """Read a range of the history besides the case, as many rows at a time as one transaction takes."""
    after = ""
    while True:
        page = await session.read_besides(partial(read, after=after, limit=evidence.FINDINGS_PER_TRANSACTION))
        if not page.by_key:
            return
        yield page
        after = max(page.by_key)


def _adopt(draft: Draft, alone: Sequence[Alone]) -> None:
    adopting = draft.case.head.adopting
    evidence.adopt(draft, alone)
    if adopting is not None:
        no_action.notify_flapping(draft, adopting)
