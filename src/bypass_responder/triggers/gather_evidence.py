"""Timer ``gather_evidence``: plans the evidence run of each new incident, and asks what is due.

It is separate from everything that acts: it finds incidents in the index, keeps its state in a separate table, and
writes the ledger only to record a complete round and to notify people. Sources are asked at the same time, each within
its own time: one that hangs, throttles or fails is asked again by a later run, and ends as unavailable.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bypass_responder.bounded import limited
from bypass_responder.case.gathered_evidence import FollowOn, follow_on, record_round, report_follow_on
from bypass_responder.errors import ConflictError, ResponderError
from bypass_responder.event_lines import write_line
from bypass_responder.evidence.asking import ask, claimed
from bypass_responder.evidence.planning import look_again_at, missing_inquiries, next_round, plan_for
from bypass_responder.session import announced, open_session
from bypass_responder.triggers.store_tampering import own_of
from bypass_responder.triggers.watch_mailbox_access import watch_mailbox_access
from bypass_responder.triggers.watch_service_accounts import watch_service_accounts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.gathered import EvidencePlan, Inquiry
    from bypass_responder.model.incident import Incident
    from bypass_responder.model.question import AskedAccount
    from bypass_responder.services import Services
    from bypass_responder.session import Session

PLANNED_WITHIN = timedelta(days=7)
"""An incident that was opened in this time, and has no plan, gets one."""
MOST_LISTED = 1_000
PLANS_AT_ONCE = 20
RUN_SECONDS = 120.0
"""No source is asked later in a run."""
PUT_OFF = timedelta(minutes=5)
"""How long a plan waits after a failed read or write, so that other plans have their turn."""
FORGOTTEN_AT_ONCE = 5
NOTIFY_AFTER = timedelta(minutes=15)
"""Notable items are notified together when the round is complete, or after this time."""


@dataclass
class Visit:
    """One plan that is due, with its incident and its questions by key."""

    plan: EvidencePlan
    session: Session
    incident: Incident
    inquiries: dict[str, Inquiry] = field(default_factory=dict)
    unstored: bool = False
    """True when a question or its answer could not be stored."""
    ids: dict[str, str | None] = field(default_factory=dict)
    """Object ids by user principal name, as the directory knows them."""

    @property
    def of_round(self) -> list[Inquiry]:
        """The questions of the present round."""
        return [each for each in self.inquiries.values() if each.round is self.plan.round]

    @property
    def open(self) -> list[Inquiry]:
        """The questions without an answer."""
        return [each for each in self.inquiries.values() if each.answer is None]


async def gather_evidence(services: Services) -> None:
    """Plan, ask what is due, record, notify, and delete what is too old.

    Raises at the end what could not be read, stored or deleted.
    """
    ends_at = asyncio.get_running_loop().time() + RUN_SECONDS
    now = services.clock()
    problems = await _forget_old(now, services)
    await _plan_new(now, services)
    visits: list[Visit] = []
    for plan in await services.gathered.due(now, PLANS_AT_ONCE):
        try:
            visits += await _begin(plan, now, services)
        except ResponderError as problem:
            problems.append(problem)
            await _put_off(plan, services)
    asked = await _ask_due(visits, now, ends_at, services, problems)
    for visit in visits:
        try:
            await _end(visit, services)
        except ConflictError:
            continue  # another run has visited it, and goes on
        except ResponderError as problem:
            problems.append(problem)
            await _put_off(visit.plan, services)
    for watch in (watch_service_accounts, watch_mailbox_access):
        try:
            await watch(services)
        except ResponderError as problem:
            problems.append(problem)
    if visits:
        write_line("gathered", targets=len(visits), asked=asked, problems=len(problems))
    if problems:
        raise ExceptionGroup("some evidence could not be read, stored or deleted; a later run goes on", problems)


async def _forget_old(now: datetime, services: Services) -> list[ResponderError]:
    kept = timedelta(days=services.settings.evidence_retention_days)
    try:
        await services.gathered.forget(now - kept, FORGOTTEN_AT_ONCE)
    except ResponderError as problem:
        return [problem]
    return []


async def _put_off(plan: EvidencePlan, services: Services) -> None:
    with suppress(ResponderError):  # the first error is reported
        await services.gathered.save(plan.model_copy(update={"next_at": services.clock() + PUT_OFF}))


async def _plan_new(now: datetime, services: Services) -> None:
    """Give a plan to each incident of the index that has none."""
    since, listed = now - PLANNED_WITHIN, 0
    planned: set[str] | None = None
    async for entry in services.index.newest(kinds=["incident"]):
        listed += 1
        if entry.at < since or listed > MOST_LISTED:
            return
        if planned is None:
            planned = await services.gathered.plans(since)
        if entry.id not in planned:
            await services.gathered.add(plan_for(entry.id, target=entry.target, opened_at=entry.at, now=now))


async def _begin(plan: EvidencePlan, now: datetime, services: Services) -> list[Visit]:
    """Return the visit of a plan that has questions left. Begins its next round when that is due."""
    session = await open_session(plan.target, services)
    incident = session.case.incident(plan.incident_id)
    if incident is None:
        await session.read_history()
        incident = session.case.incident(plan.incident_id)
    if incident is None:  # the index was ahead of the ledger
        await services.gathered.save(plan.model_copy(update={"next_at": None}))
        return []
    if plan.complete and (following := next_round(plan, incident, now=now)):
        plan = plan.model_copy(update={"round": following, "began_at": now, "complete": False})
    stored = await services.gathered.inquiries(plan.incident_id)
    new = missing_inquiries(incident, plan.round, stored, now=now)
    if new:
        stored = await services.gathered.start(plan.incident_id, new)
        plan = plan.model_copy(update={"complete": False})
    return [Visit(plan, session, incident, {each.key: each for each in stored})]


async def _ask_due(
    visits: Sequence[Visit], now: datetime, ends_at: float, services: Services, problems: list[ResponderError]
) -> int:
    """Ask what is due: all sources at the same time, the questions of one source one after the other."""
    lanes: dict[str, list[tuple[Visit, Inquiry]]] = defaultdict(list)
    for visit in visits:
        for inquiry in visit.open:
            if inquiry.next_at <= now:
                lanes[inquiry.source].append((visit, inquiry))

    @limited
    async def one(lane: Sequence[tuple[Visit, Inquiry]]) -> int:
        for number, (visit, inquiry) in enumerate(lane):
            if asyncio.get_running_loop().time() >= ends_at:
                return number
            try:
                left_alone = await _ask(visit, inquiry, services)
            except ConflictError:
                continue  # another run is asking
            except ResponderError as problem:
                problems.append(problem)
                visit.unstored = True
                continue
            if left_alone:
                return number + 1
        return len(lane)

    return sum(await asyncio.gather(*map(one, lanes.values())))


async def _ask(visit: Visit, inquiry: Inquiry, services: Services) -> bool:
    """Claim a question, ask it, and store what came of it.

    Returns True if the source is to be left alone.
    """
    gathered = services.gathered
    asked = await gathered.put(claimed(inquiry, visit.incident, now=services.clock()))
    if asked.answer is not None:
        visit.inquiries[asked.key] = asked
        return False
    account = await _with_id(asked.account, visit, services)
    own_ids = own_of(services.settings).ids
    outcome = await ask(asked, visit.incident, services.sources, services.clock, account=account, own_ids=own_ids)
    done = outcome.inquiry
    if outcome.raw:
        raw = await asyncio.to_thread(_as_bytes, outcome.raw)
        done = done.model_copy(update={"raw": await gathered.keep(visit.plan.incident_id, raw)})
    visit.inquiries[done.key] = await gathered.put(done)
    if outcome.failed:
        write_line("source_failed", logging.WARNING, source=done.source, count=done.failed)
    return outcome.failed


async def _with_id(account: AskedAccount, visit: Visit, services: Services) -> AskedAccount:
    """Return the account with its object id, which an actor's record may lack; unchanged if not found."""
    name = account.user_principal_name
    if account.object_id or not name:
        return account
    if name not in visit.ids:
        try:
            found = await services.directory.find(name)
        except ResponderError:
            return account
        visit.ids[name] = found.object_id if found else None
    return account.model_copy(update={"object_id": visit.ids[name]})


def _as_bytes(records: Sequence[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(each, ensure_ascii=False, default=str) for each in records).encode(errors="replace")


async def _end(visit: Visit, services: Services) -> None:
    """Record a complete round, notify people of what is new, and store when the plan is due again."""
    plan, now = visit.plan, services.clock()
    complete = all(each.answer for each in visit.of_round)
    found = [each for each in follow_on(visit.inquiries.values()) if each.digest not in plan.notified]
    reported = found if complete or now >= plan.began_at + NOTIFY_AFTER else []
    finished = complete and not plan.complete
    if reported or finished:
        async with announced(plan.target, services):
            await visit.session.apply(partial(_report, visit=visit, found=reported, finished=finished))
    waits = [each.next_at for each in visit.open]
    next_at = look_again_at(plan, visit.incident, now=now) if complete else min(waits)
    if visit.unstored and next_at:
        next_at = max(next_at, now + PUT_OFF)
    notified = (*plan.notified, *(each.digest for each in reported))
    changes = {"complete": complete, "notified": notified, "next_at": next_at}
    await services.gathered.save(plan.model_copy(update=changes))


def _report(draft: Draft, visit: Visit, found: Sequence[FollowOn], *, finished: bool) -> None:
    incident = draft.case.incident(visit.incident.id) or visit.incident
    if finished:
        record_round(draft, incident, visit.plan.round, visit.of_round)
    if found:
        report_follow_on(draft, incident, found)
