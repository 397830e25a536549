"""Bring one target forward: decide, act, read back, re-check. Safe to run twice, or halfway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bypass_responder.bounded import limited
from bypass_responder.case import candidates, control, enabled_again, filing, person_decision, reminder
from bypass_responder.case.exchange_answer import revive
from bypass_responder.case.unread import mark_read, unread_since
from bypass_responder.errors import PermissionMissingError, ResponderError, TransientError, UnreadError
from bypass_responder.event_lines import write_line
from bypass_responder.handling import run_steps
from bypass_responder.handling.decide_findings import decide_findings
from bypass_responder.handling.follow_rules import follow_rules, report_protected, rules_due_at
from bypass_responder.handling.identify import Lookups
from bypass_responder.handling.notify import announce
from bypass_responder.handling.record_events import (
    adopt_earlier,
    file_rows,
    list_entries,
    record_events,
    reopen_filed,
)
from bypass_responder.handling.watch_actors import fresh, watch_actors
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.message import Command
from bypass_responder.model.step import Recheck, Step, StepKind, StepState
from bypass_responder.ports import Finished, WorkItem
from bypass_responder.session import Session, open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Iterable, Sequence

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.base import Row
    from bypass_responder.model.case import Case
    from bypass_responder.services import Services

E = TypeVar("E")
T = TypeVar("T")
ROUNDS = 8
DELETED_AT_ONCE = 40
TARGET_SECONDS = 120
ALL_SECONDS = 300
"""No target is begun later: the host ends a run after ten minutes, and what follows would be left out."""
MARK_SECONDS = 20
"""For marking a case that ran out of time."""
TOGETHER_SECONDS, LONGEST_TOGETHER_SECONDS = 0.1, 5.0
"""Targets that are settled within this time are finished together, with those that they handed findings on to; a slower
one holds them back no longer."""


async def settle_all(
    targets: Collection[str],
    services: Services,
    *,
    lookups: Lookups | None = None,
    first: Callable[[Draft], object] | None = None,
    seconds: float = ALL_SECONDS,
) -> None:
    """Settle targets side by side.

    One target's trouble never holds back another; it is raised at the end.
    ``targets``: begun by name; of a mapping, target → since when it is due, in its order. What is not begun within
    ``seconds`` keeps that time in the work list.
    ``lookups`` may have reads under way already that deciding will need. ``first``: a transition of these targets.
    Raises TransientError, before anything is done, when they cannot be marked in the work list.
    """
    given = targets if isinstance(targets, Mapping) else dict.fromkeys(sorted(targets), services.clock())
    marked = {item.target: item for item in await services.work.touch_all(given)}
    ends_at = asyncio.get_running_loop().time() + seconds

    def in_time(name: str) -> Coroutine[None, None, Settled]:
        return _settle_in_time(marked[name], services, lookups, ends_at, first if name in given else None)

    one = limited(in_time)
    names: dict[asyncio.Task[Settled], str] = {}
    done = set[str]()
    problems: list[Exception] = []

    def start(targets: Iterable[str]) -> None:
        for name in [each for each in targets if each not in done]:
            done.add(name)
            names[asyncio.create_task(one(name))] = name

    start(given)
    together = TOGETHER_SECONDS
    held_back: list[Settled] = []
    """Until the next time, for the targets that they handed findings on to."""
    try:
        while names:
            finished, _ = await asyncio.wait(names, timeout=together)
            together = min(together * 2, LONGEST_TOGETHER_SECONDS)
            settled: list[Settled] = []
            for task in sorted(finished, key=lambda task: names[task]):
                failed = _outcome(task, settled)
                for problem in failed:
                    error_class = type(problem).__name__
                    write_line("settling_failed", logging.ERROR, target=names[task], error_class=error_class)
                problems += failed
                del names[task]
            for one_settled in settled:
                marked |= {name: item for name, item in one_settled.elsewhere.items() if name not in done}
                start(sorted(one_settled.elsewhere))
            waiting = [one_settled for one_settled in settled if one_settled.elsewhere and names]
            problems += await _finish_all(held_back + [each for each in settled if each not in waiting], services)
            held_back = waiting
    finally:
        for task in names:
            task.cancel()
    if problems:
        raise ExceptionGroup(
            f"{len(problems)} of {len(done)} targets could not be settled; they are tried again", problems
        )


def _outcome(task: asyncio.Task[Settled], settled: list[Settled]) -> list[Exception]:
    """Add what was settled; return the problems. Raises errors of no single target, as a cancellation."""
    if task.cancelled():
        raise asyncio.CancelledError
    error = task.exception()
    if error is None:
        settled.append(task.result())
        return task.result().problems
    if not isinstance(error, Exception):
        raise error
    return [error]


async def _settle_in_time(
    item: WorkItem,
    services: Services,
    lookups: Lookups | None,
    ends_at: float,
    first: Callable[[Draft], object] | None,
) -> Settled:
    """Settle one target within its time, so that it holds back no other; none is begun after ``ends_at``."""
    target = item.target
    if asyncio.get_running_loop().time() >= ends_at:
        raise TransientError(f"The case of {target} was not reached in this run; it is continued.")
    try:
        async with asyncio.timeout(TARGET_SECONDS):
            return await settle(target, services, lookups=lookups, item=item, first=first)
    except TimeoutError as error:
        late = TransientError(f"The case of {target} took longer than {TARGET_SECONDS} s; it is continued.")
        raise await _mark_unread(item, late, services) from error


async def _mark_unread(item: WorkItem, late: TransientError, services: Services) -> TransientError:
    """Mark a case that ran out of time as unread, and due after the others. Returns the error to raise."""
    target = item.target
    with suppress(ResponderError, TimeoutError):
        async with asyncio.timeout(MARK_SECONDS):
            await services.work.finish(item, services.clock())
            session = await open_session(target, services)
            await session.apply(partial(mark_read, read=False))
            if since := unread_since(session.case, services.clock()):
                return UnreadError(target, since, late)
    return late


@dataclass(frozen=True)
class Settled:
    """One target after a run.

    ``elsewhere``: targets with handed-over findings, as marked; ``problems`` are retried.
    """

    item: WorkItem
    session: Session
    elsewhere: dict[str, WorkItem]
    problems: list[Exception]


async def _finish_all(settled: Sequence[Settled], services: Services) -> list[Exception]:
    """Announce notifications, update the case index and set the next due time. Failures stay due."""
    try:
        await announce([one.session for one in settled], services)
    except ResponderError as problem:
        return [problem]
    problems: list[Exception] = []
    listing = [list_entries(one.session, services) for one in settled]
    listed = _without_problems(settled, await asyncio.gather(*listing, return_exceptions=True), problems)
    watching = watch_actors([one.session for one, _ in listed], services)
    if not _without_problems([None], await asyncio.gather(watching, return_exceptions=True), problems):
        listed = [(one, rows) for one, rows in listed if not fresh(one.session)]
    finishing = [_finish(one, rows, services) for one, rows in listed]
    finished = _without_problems(listed, await asyncio.gather(*finishing, return_exceptions=True), problems)
    return [*problems, *await services.work.finish_all([each for _, each in finished])]


def _without_problems(
    given: Sequence[E], outcomes: Sequence[T | BaseException], problems: list[Exception]
) -> list[tuple[E, T]]:
    """Return what worked, each with its outcome; what did not is added to the problems."""
    problems += [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    worked = zip(given, outcomes, strict=True)
    return [(each, outcome) for each, outcome in worked if not isinstance(outcome, BaseException)]


async def settle(
    target: str,
    services: Services,
    *,
    lookups: Lookups | None = None,
    item: WorkItem | None = None,
    first: Callable[[Draft], object] | None = None,
) -> Settled:
    """Settle one target after a ``first`` transition. ``item``: already marked in the work list."""
    item = item or await services.work.touch(target, services.clock())
    session = await open_session(target, services)
    elsewhere: dict[str, WorkItem] = {}
    problems: list[Exception] = []
    for _ in range(ROUNDS):
        before = session.commits
        reads = lookups or Lookups(services)
        try:
            moved, problems = await _round(session, services, reads, first)
        finally:
            if reads is not lookups:
                await reads.aclose()
        lookups = first = None
        elsewhere |= moved
        if problems or session.commits == before:
            break
    await adopt_earlier(session, services)
    await record_events(session, services)
    return Settled(item, session, elsewhere, problems)


async def _round(
    session: Session, services: Services, lookups: Lookups, first: Callable[[Draft], object] | None
) -> tuple[dict[str, WorkItem], list[Exception]]:
    """Run one round.

    What is decided after ``first`` is committed with it, and all of it before anything is sent.
    """
    if first is not None:
        session.defer(first)
    head = session.case.head
    if head.ending or head.enabled_again_at or head.taking_over:
        await session.read_history()
    await reopen_filed(session, services)
    for continued in _continuations(session, services):
        await session.apply(continued)
    claimed, handed_on, problems = await decide_findings(session, services, lookups)
    await run_steps.ask_about_candidates(session, services)
    unread: list[ResponderError] = []
    try:
        claimed += await run_steps.claim_due(session, services, lookups)
    except ResponderError as error:
        unread.append(error)
    if first is not None:
        await session.flush()
    problems += await run_steps.act(claimed, session, services)
    for look in (run_steps.read_back, run_steps.recheck, report_protected):
        try:
            await look(session, services)
        except ResponderError as error:
            unread.append(error)
    counts = bool(unread) and not isinstance(unread[0], PermissionMissingError)  # which has a health alert
    if counts or (session.case.head.unread_since and not unread):
        await session.apply(partial(mark_read, read=not counts))
    if since := unread_since(session.case, services.clock()):
        unread.append(UnreadError(session.target, since, unread[0]))
    return handed_on, [*problems, *unread]


async def _finish(one: Settled, listed: Mapping[str, Row], services: Services) -> Finished:
    session = one.session
    more = await file_rows(session, services, listed)
    await session.flush()
    await _delete_sent(session, services)
    head = session.case.head
    now = services.clock()
    due_at = now if more else next_due(session, services)
    due_at = due_at and max(due_at, now)  # one whose re-check fails is not due before those that were not reached
    return Finished(one.item, due_at, (head.log_seq, head.log_hash))


async def _delete_sent(session: Session, services: Services) -> None:
    """Delete delivered notifications of the history that are old enough."""
    if filing.deletes_sent(session.case, services.clock()):
        before_it = services.clock() - filing.KEPT_FOR
        read = partial(services.ledger.sent, session.target, before_it, DELETED_AT_ONCE)
        old = await session.read_besides(read)
        await session.apply(partial(filing.delete_sent, old=old.by_key))


def next_due(session: Session, services: Services) -> datetime | None:
    """When the target is due again; None when nothing is left to do."""
    now = services.clock()
    moments: list[datetime | None] = [*control.due_at(session.case, now), *candidates.due_at(session.case, now)]
    moments += rules_due_at(session.case, services.settings, now)
    moments += reminder.due_at(session.case, services.settings.decision_reminder_hours)
    head = session.case.head
    if head.ending or head.enabled_again_at or head.taking_over or head.adopting or head.reopening:
        moments.append(now)
    moments += [_due_at(row, session.case, services) for row in session.case.by_key.values()]
    return min((moment for moment in moments if moment is not None), default=None)


def _due_at(row: Row, case: Case, services: Services) -> datetime | None:
    match row:
        case Finding(state=FindingState.UNDECIDED) if not row.decides_nothing:
            return row.next_at or services.clock()
        case Step(step=StepKind.DISABLE_BYPASS, state=StepState.PLANNED):
            return row.next_at or services.clock()
        case Step(step=StepKind.DISABLE_BYPASS, state=StepState.CLAIMED):
            return row.lease_until
        case Step(step=StepKind.RELEASE, state=StepState.ACTED):
            return row.next_at
        case Command(state="outstanding"):
            return row.not_after if row.sent else services.clock()
        case Recheck(done=False, result="") if not _ended(case, row):
            return row.due_at
        case _:
            return None


def _ended(case: Case, row: Recheck) -> bool:
    """True when there is nothing to re-check: the incident has no account, or a person ended it."""
    incident = case.incident(row.incident_id)
    return incident is None or incident.account is None or control.ended(case, incident)


def _continuations(session: Session, services: Services) -> list[Callable[[Draft], object]]:
    """Return the transitions that continue what was too much for one transaction, under today's rules."""
    history = [enabled_again.show_reverted, person_decision.end_released, filing.take_over] if session.history else []
    return [
        revive,
        *history,
        partial(follow_rules, settings=services.settings),
        partial(reminder.remind, hours=services.settings.decision_reminder_hours),
    ]
