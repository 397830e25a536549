"""Bring one target as far as it gets now: decide, act, read back, look again. Safe to run twice, or halfway."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.command import Command
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.note import Note
from bypass_responder.model.step import Recheck, Step, StepKind, StepState
from bypass_responder.response import person
from bypass_responder.workflow import acting, listing
from bypass_responder.workflow.deciding import decide_findings
from bypass_responder.workflow.identify import Lookups
from bypass_responder.workflow.notify import deliver
from bypass_responder.workflow.services import Session, announced, open_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bypass_responder.ports import WorkItem
    from bypass_responder.workflow.services import Services

ROUNDS = 8
SIDE_BY_SIDE = 8
logger = logging.getLogger(__name__)


async def settle_all(targets: Iterable[str], services: Services, *, lookups: Lookups | None = None) -> None:
    """Settle targets side by side. One target's trouble never holds back another; it is raised at the end.

    ``lookups`` may have reads under way already that deciding will need.
    """
    slots = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(target: str) -> tuple[WorkItem, Session, set[str]]:
        async with slots:
            return await settle(target, services, lookups=lookups)

    waiting, done = set(targets), set[str]()
    settled: list[tuple[WorkItem, Session]] = []
    problems: list[Exception] = []
    while waiting:
        names = sorted(waiting)
        done |= waiting
        waiting = set()
        for name, outcome in zip(names, await asyncio.gather(*map(one, names), return_exceptions=True), strict=True):
            if isinstance(outcome, tuple):
                settled.append(outcome[:2])
                waiting |= outcome[2] - done
            elif isinstance(outcome, Exception):
                logger.error("settling failed", extra={"target": name, "error": str(outcome)})
                problems.append(outcome)
            else:
                raise outcome
    problems += await _deliver(settled, services)
    if problems:
        raise ExceptionGroup(
            f"{len(problems)} of {len(done)} targets could not be settled; they are tried again", problems
        )


async def _deliver(settled: Sequence[tuple[WorkItem, Session]], services: Services) -> list[Exception]:
    """Tell people, write the listing, say when each target is next due. What fails stays due."""
    tasks = [deliver([session for _, session in settled], services)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    outcomes += await asyncio.gather(*(_finish(*one, services) for one in settled), return_exceptions=True)
    return [outcome for outcome in outcomes if isinstance(outcome, Exception)]


async def settle(
    target: str, services: Services, *, lookups: Lookups | None = None
) -> tuple[WorkItem, Session, set[str]]:
    """Settle one target. Returns its work item, its session and the targets that findings were handed on to."""
    item = await services.work.touch(target, services.clock())
    session = await open_session(target, services)
    elsewhere: set[str] = set()
    for _ in range(ROUNDS):
        before = session.commits
        reads = lookups or Lookups(services.directory, services.allowlist)
        try:
            elsewhere |= await _round(session, services, reads)
        finally:
            if reads is not lookups:
                await reads.aclose()
        lookups = None
        if session.commits == before:
            break
    return item, session, elsewhere


async def _round(session: Session, services: Services, lookups: Lookups) -> set[str]:
    elsewhere = await _carry_out_decisions(session, services)
    claimed, handed_on = await decide_findings(session, services, lookups)
    claimed += await acting.claim_due(session, services, lookups)
    await acting.act(claimed, session, services)
    await acting.read_back(session, services)
    await acting.recheck(session, services)
    return elsewhere | handed_on


async def _carry_out_decisions(session: Session, services: Services) -> set[str]:
    elsewhere: set[str] = set()
    for decision in session.view().rows(PersonDecision):
        if decision.done:
            continue
        incident = session.view().incident(decision.incident_id)
        if decision.verb == "approve" and incident is not None and incident.account is None and decision.account:
            await _hand_on(decision, incident, session, services)
            elsewhere.add(decision.account)
        else:
            carry_out = {"approve": person.approve, "dismiss": person.dismiss, "release": person.release}[decision.verb]
            await session.apply(partial(carry_out, decision=decision))
    return elsewhere


async def _hand_on(decision: PersonDecision, incident: Incident, session: Session, services: Services) -> None:
    """A person said which account an unresolved incident is about: its findings move there, confirmed."""
    target = guid_or_none(decision.account or "") or ""
    for finding in session.view().rows(Finding):
        if finding.incident_id == incident.id and finding.verdict == "unresolved":
            moved = finding.model_copy(
                update={
                    "id": f"{finding.id}-by-person" if target == finding.target else finding.id,
                    "target": target,
                    "state": FindingState.UNDECIDED,
                    "confirmed_by": decision.who,
                    "incident_id": None,
                }
            )
            async with announced(target, services):
                await services.ledger.add_finding(moved)
    await session.apply(lambda draft: person.resolve_elsewhere(draft, decision))


async def _finish(item: WorkItem, session: Session, services: Services) -> None:
    await listing.update(session, services)
    await services.work.finish(item, next_due(session, services))


def next_due(session: Session, services: Services) -> datetime | None:
    """When the target needs to be looked at again; None when nothing is left to do."""
    view = session.view()
    moments: list[datetime | None] = []
    for row in session.case.rows.values():
        match row:
            case Finding(state=FindingState.UNDECIDED):
                moments.append(row.next_at or view.now)
            case Step(state=StepState.PLANNED):
                moments.append(row.next_at or view.now)
            case Step(state=StepState.CLAIMED):
                moments.append(row.lease_until)
            case Step(state=StepState.ACTED) if row.step is not StepKind.DISABLE_BYPASS:
                moments.append(row.next_at)
            case Command(state="outstanding"):
                moments.append(row.not_after if row.sent else view.now)
            case Recheck(done=False, result=""):
                moments.append(row.due_at)
            case PersonDecision(done=False):
                moments.append(view.now)
            case Note(sent_at=None) if services.notifier is not None:
                moments.append(row.next_at)
            case _:
                pass
    return min((moment for moment in moments if moment is not None), default=None)
