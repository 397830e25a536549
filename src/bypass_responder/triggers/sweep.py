"""The sweep: who is bypassed now, against who was at the last complete one. One at a time, never believed halfway.

Timer ``sweep_bypass_state`` asks; the answer comes on the results queue; ``resume_responses`` takes up what was not
finished. Findings are stored before the baseline moves, under ids that the sweep's own id gives, so that a run that
breaks off is simply run again.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from bypass_responder.case.health_alerts import end_alert, end_decayed, raise_alert
from bypass_responder.errors import ConflictError, InputError, NotFoundError
from bypass_responder.event_lines import tell
from bypass_responder.handling.reconcile import settle_all
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.note import Severity
from bypass_responder.model.sweep import Baseline, Sweep, SweepCommand, SweepResult
from bypass_responder.sensing.sweep import incomplete, read_content, too_few
from bypass_responder.session import announced, change, change_if_needed, open_session
from bypass_responder.triggers.sweep_findings import changes, store_findings

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.sweep import SweepContent
    from bypass_responder.session import Services, Session

SETTLED_AT_ONCE = 100
"""So many accounts are decided in the run that compared; the others are due, and taken up within a minute."""
SILENT_AFTER_SWEEPS = 2
SHORT_IS_TRUE = 3
"""So many sweeps in a row with about as few objects: they were deleted. Whoever is missing is still asked about."""
SENDING = timedelta(seconds=10)
CLOCK_SKEW = timedelta(minutes=5)
MOST_NAMED = 20


async def plan_sweep(services: Services) -> None:
    """Ask for a sweep, unless one is outstanding or still to be compared."""
    async with announced(TENANT_TARGET, services):
        session = await open_session(TENANT_TARGET, services)
        if await session.apply(partial(_plan, services=services)):
            await _send(session, services)


async def resume_sweep(services: Services) -> None:
    """Send what was not sent, compare what was not compared, give up what is not answered, say what is overdue."""
    session = await open_session(TENANT_TARGET, services)
    await change_if_needed(session, partial(_watch, services=services), services)
    row = sweep_row(session.view())
    if row.created_at and row.created_at + SENDING <= services.clock():  # before, the run that planned it sends it
        await _send(session, services)
    if row.state == "answered":
        await _compare(session, services)


async def take_sweep_answer(result: SweepResult, services: Services) -> None:
    """An answer counts once, for the one command that is outstanding; any other is logged and no more."""
    session = await change(TENANT_TARGET, partial(_take, result=result), services)
    if sweep_row(session.view()).state == "answered":
        await _compare(session, services)
    await settle_all([TENANT_TARGET], services)


def sweep_row(draft: Draft) -> Sweep:
    """The tenant's one sweep, or a fresh one."""
    return draft.row(Sweep, Sweep().row_key) or Sweep()


def _plan(draft: Draft, services: Services) -> bool:
    """True when there is a new one, to be sent by whoever planned it."""
    row = sweep_row(draft)
    if row.state == "answered" or (row.state == "outstanding" and row.not_after and row.not_after > draft.now):
        return False
    anew: dict[str, object] = {
        "command_id": services.new_id(),
        "state": "outstanding",
        "sent": False,
        "created_at": draft.now,
        "not_after": draft.now + timedelta(seconds=services.settings.sweep_timeout_seconds),
        "answer": None,
        "first_at": row.first_at or draft.now,
        "unanswered": row.unanswered + (row.state == "outstanding"),
    }
    draft.put(row.model_copy(update=anew))
    return True


async def _send(session: Session, services: Services) -> None:
    row = sweep_row(session.view())
    if row.state != "outstanding" or row.sent or row.not_after is None:
        return
    tenant = services.settings.tenant_id
    command = SweepCommand(command_id=row.command_id, tenant_id=tenant, not_after=row.not_after)
    await services.exchange.send(command)
    await session.apply(partial(_mark_sent, command_id=row.command_id))


def _mark_sent(draft: Draft, command_id: str) -> None:
    row = sweep_row(draft)
    if row.command_id == command_id and not row.sent:
        draft.put(row.model_copy(update={"sent": True}))


def _watch(draft: Draft, services: Services) -> None:
    """What time alone changes: alerts that are over, and a sweep that should have been complete by now."""
    end_decayed(draft)
    row = sweep_row(draft)
    if row.first_at is None:
        return
    overdue = timedelta(minutes=services.settings.sweep_overdue_minutes)
    if draft.now - (row.complete_at or row.first_at) > overdue:
        since = f"since {row.complete_at:%Y-%m-%d %H:%M:%SZ}" if row.complete_at else "ever"
        why = f": {row.problem}" if row.problem else ""
        raise_alert(draft, "sweep_overdue", f"No sweep was complete {since}{why}.")
    late = row.state == "outstanding" and row.not_after is not None and row.not_after <= draft.now
    if row.unanswered + late >= SILENT_AFTER_SWEEPS:
        raise_alert(draft, "sweeps_silent", f"{row.unanswered + late} sweeps in a row had no answer.")


def _take(draft: Draft, result: SweepResult) -> None:
    row = sweep_row(draft)
    if row.answer is not None and row.command_id == result.command_id:
        return  # answered once already: a message may come twice
    if row.state != "outstanding" or row.command_id != result.command_id:
        draft.log("answer_ignored", "a sweep's answer to no outstanding command", command=result.command_id)
        return
    end_alert(draft, "sweeps_silent")
    _tell_switches(draft, result)
    row = row.model_copy(update={"sent": True, "unanswered": 0, "answer": result})
    if result.outcome == "listed":
        draft.put(row.model_copy(update={"state": "answered"}))
    else:
        _not_complete(draft, row, f"the worker {result.outcome} it: {result.error or 'no reason was given'}")


def _not_complete(draft: Draft, row: Sweep, problem: str) -> None:
    draft.put(row.model_copy(update={"state": "idle", "problem": problem}))
    raise_alert(draft, "sweep_incomplete", f"A sweep was not complete: {problem}.")
    draft.log("sweep_incomplete", problem, command=row.command_id)


def _tell_switches(draft: Draft, result: SweepResult) -> None:
    """The organization's switches as they are now. Nobody is blocked for them; the feed's record says who it was."""
    ingestion = result.unified_audit_log_ingestion_enabled
    switches = {
        "audit_disabled": (result.audit_disabled, "AuditDisabled is on: no mailbox of the organisation is audited."),
        "ingestion_disabled": (
            None if ingestion is None else not ingestion,
            "UnifiedAuditLogIngestionEnabled is off: the unified audit log, and so the feed, records nothing.",
        ),
    }
    for alert_id, (bad, detail) in switches.items():
        if bad:
            raise_alert(draft, alert_id, detail)
        elif bad is not None:
            end_alert(draft, alert_id)


async def _compare(session: Session, services: Services) -> None:
    """Read the list, store what it says, and only then move the baseline."""
    row = sweep_row(session.view())
    if row.answer is None or row.answer.blob is None:
        return
    try:
        content = read_content(await services.sweeps.content(row.answer.blob), row.answer)
        baseline = await services.sweeps.baseline()
    except NotFoundError:
        await _apply(session, services, partial(_ended, row=row, problem="its list is not there"))
        return
    except InputError as error:
        if error.reason == "corrupt_row":
            await _apply(session, services, partial(raise_alert, alert_id="baseline_lost", detail=error.detail))
        await _apply(session, services, partial(_ended, row=row, problem=error.detail))
        return
    if baseline and baseline.command_id == row.command_id:  # a run before this one broke off after it was moved
        await _end_complete(baseline, session, services)
    elif problem := _problem(content, row, baseline, services.clock()):
        await _apply(session, services, partial(_ended, row=row, problem=problem, short=_short(content, row, baseline)))
    else:
        await _move_on(content, baseline, session, services)


def _problem(content: SweepContent, row: Sweep, baseline: Baseline | None, now: datetime) -> str:
    """Why the answer is not believed; empty when it is."""
    asked_at = row.created_at or now
    if not asked_at - CLOCK_SKEW <= content.started_at <= now + CLOCK_SKEW:
        return f"the worker's clock says {content.started_at:%Y-%m-%d %H:%M:%SZ}"
    if baseline and baseline.started_at >= content.started_at:
        return "a newer sweep was complete already"
    if row.answer and (problem := incomplete(content, row.answer)):
        return problem
    if baseline and 0 < _short(content, row, baseline) < SHORT_IS_TRUE:
        return f"only {content.scanned} objects were looked at, last time {baseline.scanned}"
    return ""


def _short(content: SweepContent, row: Sweep, baseline: Baseline | None) -> int:
    """How often in a row about so few objects were looked at; 0 when they are enough."""
    if baseline is None or not too_few(content.scanned, baseline.scanned):
        return 0
    again = abs(content.scanned - row.short_scanned) * 100 <= row.short_scanned
    return row.short + 1 if row.short and again else 1


async def _move_on(content: SweepContent, baseline: Baseline | None, session: Session, services: Services) -> None:
    found, entries = await changes(content, baseline, services)
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
        tell("baseline_moved", command=content.command_id)
    await _end_complete(new, session, services)
    targets = sorted({finding.target for finding in found})
    await settle_all(targets[:SETTLED_AT_ONCE], services)


async def _end_complete(new: Baseline, session: Session, services: Services) -> None:
    await _apply(session, services, partial(_complete, new=new))
    covered = sum(entry.covered for entry in new.entries.values())
    tell("swept", command=new.command_id, scanned=new.scanned, on=len(new.entries), covered=covered)


async def _apply(session: Session, services: Services, transition: partial[None]) -> None:
    async with announced(TENANT_TARGET, services):
        await session.apply(transition)


def _ended(draft: Draft, row: Sweep, problem: str, *, short: int = 0) -> None:
    current = sweep_row(draft)
    if current.command_id == row.command_id and current.state == "answered":
        scanned = current.answer.scanned if current.answer else 0
        _not_complete(draft, current.model_copy(update={"short": short, "short_scanned": scanned}), problem)


def _complete(draft: Draft, new: Baseline) -> None:
    row = sweep_row(draft)
    if row.command_id != new.command_id or row.state != "answered":
        return
    covered = sum(entry.covered for entry in new.entries.values())
    took = row.answer.duration_seconds if row.answer else 0
    counts = {"took_seconds": took, "scanned": new.scanned, "on": len(new.entries), "covered": covered}
    if row.short:
        draft.log("fewer_objects", f"{new.scanned} objects are the truth: {SHORT_IS_TRUE} sweeps in a row say so")
    done = {"state": "idle", "complete_at": new.started_at, "problem": "", "short": 0} | counts
    draft.put(row.model_copy(update=done))
    for alert_id in ("sweep_incomplete", "sweep_overdue", "baseline_lost"):
        end_alert(draft, alert_id)
    if new.first_at == new.started_at:
        said = f"{len(new.entries)} of {new.scanned} accounts are bypassed, {covered} of them on the allowlist"
        draft.log("first_sweep", said, command=new.command_id)
        _tell_first(draft, new)


def _tell_first(draft: Draft, new: Baseline) -> None:
    """Everything that was on before this responder came is listed once; nobody is contained for it."""
    held = [entry.name or entry.object_id or guid for guid, entry in new.entries.items() if not entry.covered]
    if not held:
        return
    more = f" and {len(held) - MOST_NAMED} more" if len(held) > MOST_NAMED else ""
    draft.note(
        "first_sweep",
        f"{len(held)} accounts were bypassed before this responder came",
        f"{', '.join(sorted(held)[:MOST_NAMED])}{more}. Each waits for a person; none was contained.",
        key=new.command_id,
        severity=Severity.CRITICAL,
        left_to_do=(
            "See them: bypassctl incidents list",
            "A service account: bypassctl allowlist add ACCOUNT …, then bypassctl incidents dismiss ID",
            "Anybody else: bypassctl incidents approve ID",
        ),
        held=len(held),
        covered=len(new.entries) - len(held),
    )
