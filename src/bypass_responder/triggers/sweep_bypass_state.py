"""The sweep: compares all bypassed accounts with those of the last complete sweep.

Only one runs at a time, and an incomplete one changes nothing. Timer ``sweep_bypass_state`` requests it,
the answer arrives on the results queue, and ``resume_responses`` continues unfinished ones. Findings are stored before
the baseline moves, under ids derived from the sweep's id, so that an interrupted run can be repeated.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case import sweep_row
from bypass_responder.case.health_alerts import raise_alert
from bypass_responder.errors import ConflictError, InputError, NotFoundError
from bypass_responder.event_lines import write_line
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.sweep import Baseline, Sweep, SweepCommand, SweepResult
from bypass_responder.sensing.sweep import incomplete, read_content, too_few
from bypass_responder.session import announced, change, change_if_needed, open_session
from bypass_responder.triggers.ask_organization import ask_organization
from bypass_responder.triggers.sweep_findings import changes, listed_on, store_findings

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.model.finding import Finding
    from bypass_responder.model.sweep import SweepContent
    from bypass_responder.services import Services
    from bypass_responder.session import Session

SETTLED_AT_ONCE = 100
"""Maximum number of accounts that the comparing run settles. The others follow within a minute."""
SENDING = timedelta(seconds=10)
CLOCK_SKEW = timedelta(minutes=5)
LIST_WITHIN = timedelta(minutes=10)
"""The worker's message may overtake its blob; until then the list is read again each minute."""


async def sweep_bypass_state(services: Services) -> None:
    """Request a sweep, and ask about the organization when that is due (``ask_organization``)."""
    try:
        await plan_sweep(services)
    finally:
        await ask_organization(services)


async def plan_sweep(services: Services) -> None:
    """Request a sweep, unless one is outstanding or not yet compared."""
    async with announced(TENANT_TARGET, services):
        session = await open_session(TENANT_TARGET, services)
        if await session.apply(
            partial(
                sweep_row.plan, command_id=services.new_id(), timeout_seconds=services.settings.sweep_timeout_seconds
            )
        ):
            await _send(session, services)


async def resume_sweep(session: Session, services: Services) -> None:
    """Continue the current sweep: send, compare or expire it. An overdue one raises a health alert."""
    await change_if_needed(
        session, partial(sweep_row.watch, overdue_minutes=services.settings.sweep_overdue_minutes), services
    )
    row = sweep_row.current(session.case)
    if row.created_at and row.created_at + SENDING <= services.clock():  # before, the run that planned it sends it
        await _send(session, services)
    if row.state == "answered":
        await _compare(session, services)


async def take_sweep_answer(result: SweepResult, services: Services) -> None:
    """Apply the answer of the outstanding sweep. Any other answer is only logged."""
    session = await change(TENANT_TARGET, partial(sweep_row.take_answer, result=result), services)
    if sweep_row.current(session.case).state == "answered":
        await _compare(session, services)
    await settle_all([TENANT_TARGET], services)


async def _send(session: Session, services: Services) -> None:
    row = sweep_row.current(session.case)
    if row.state != "outstanding" or row.sent or row.not_after is None:
        return
    tenant = services.settings.tenant_id
    command = SweepCommand(command_id=row.command_id, tenant_id=tenant, not_after=row.not_after)
    await services.exchange.send(command)
    await session.apply(partial(sweep_row.mark_sent, command_id=row.command_id))


async def _compare(session: Session, services: Services) -> None:
    """Read the list, store its findings, then move the baseline."""
    row = sweep_row.current(session.case)
    if row.answer is None or row.answer.blob is None:
        return
    try:
        content = read_content(await services.sweeps.content(row.answer.blob), row.answer)
        baseline = await services.sweeps.baseline()
    except NotFoundError:
        if row.answered_at is None or services.clock() >= row.answered_at + LIST_WITHIN:
            await _apply(session, services, partial(sweep_row.end_incomplete, row=row, problem="its list is missing"))
        return
    except InputError as error:
        if error.reason == "corrupt_row":
            await _apply(session, services, partial(raise_alert, alert_id="baseline_lost", detail=error.detail))
        await _apply(session, services, partial(sweep_row.end_incomplete, row=row, problem=error.detail))
        return
    if baseline and baseline.command_id == row.command_id:  # an earlier run was interrupted after moving it
        await _end_complete(baseline, session, services)
    elif problem := _not_credible(content, row, baseline, services.clock()):
        await _apply(session, services, partial(sweep_row.end_incomplete, row=row, problem=problem))
    elif problem := _not_whole(content, row, baseline, sweep_row.accepted(session.case)):
        found = await listed_on(content, baseline, services)
        await store_findings(found, services)
        await _apply(
            session,
            services,
            partial(sweep_row.end_incomplete, row=row, problem=problem, short=_short(content, row, baseline)),
        )
        await _settle(found, services)
    else:
        await _move_baseline(content, baseline, session, services)


def _not_credible(content: SweepContent, row: Sweep, baseline: Baseline | None, now: datetime) -> str:
    """Return why the answer says nothing about now; empty when it does."""
    asked_at = row.created_at or now
    if not asked_at - CLOCK_SKEW <= content.started_at <= now + CLOCK_SKEW:
        return f"the worker's clock is wrong: {content.started_at:%Y-%m-%d %H:%M:%SZ}"
    if baseline and baseline.started_at >= content.started_at:
        return "a newer sweep is already complete"
    return ""


def _not_whole(content: SweepContent, row: Sweep, baseline: Baseline | None, accepted: frozenset[str]) -> str:
    """Return why the list may lack accounts; empty when it is complete."""
    if row.answer and (problem := incomplete(content, row.answer, accepted=accepted)):
        return problem
    if baseline and 0 < _short(content, row, baseline) < sweep_row.SHORT_IS_TRUE:
        return f"only {content.scanned} objects scanned, {baseline.scanned} in the last sweep"
    return ""


def _short(content: SweepContent, row: Sweep, baseline: Baseline | None) -> int:
    """Return how many sweeps in a row scanned similarly few objects; 0 when the number is plausible."""
    if baseline is None or not too_few(content.scanned, baseline.scanned):
        return 0
    again = abs(content.scanned - row.short_scanned) * 100 <= row.short_scanned
    return row.short + 1 if row.short and again else 1


async def _move_baseline(
    content: SweepContent, baseline: Baseline | None, session: Session, services: Services
) -> None:
    found, entries, still_on = await changes(content, baseline, services)
    await store_findings(found, services)
    new = Baseline(
        command_id=content.command_id,
        started_at=content.started_at,
        scanned=content.scanned,
        entries=entries,
        first_at=baseline.first_at if baseline else content.started_at,
        moved_at=services.clock(),
        blob=baseline.blob if baseline else "",
        etag=baseline.etag if baseline else None,
    )
    try:
        await services.sweeps.replace_baseline(new)
    except ConflictError:
        write_line("baseline_moved", command=content.command_id)
    await _end_complete(new, session, services)
    if still_on.dismissed:
        await _apply(session, services, partial(sweep_row.notify_dark, names=still_on.dismissed))
    hours = services.settings.decision_reminder_hours
    number = sweep_row.first_reminders(session.case, new, services.clock(), hours)
    if still_on.of_first and number:
        await _apply(session, services, partial(sweep_row.remind_of_first, names=still_on.of_first, number=number))
    await _settle(found, services)


async def _settle(found: list[Finding], services: Services) -> None:
    targets = sorted({finding.target for finding in found})
    with suppress(ExceptionGroup):  # stored: resume_responses continues, and a redelivery would not help
        await settle_all(targets[:SETTLED_AT_ONCE], services)


async def _end_complete(new: Baseline, session: Session, services: Services) -> None:
    await _apply(session, services, partial(sweep_row.end_complete, new=new))
    covered = sum(entry.covered for entry in new.entries.values())
    write_line("swept", command=new.command_id, scanned=new.scanned, on=len(new.entries), covered=covered)


async def _apply(session: Session, services: Services, transition: partial[None]) -> None:
    async with announced(TENANT_TARGET, services):
        await session.apply(transition)
