"""The tenant's one sweep: planned, sent, answered, complete or not. Pure transitions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.health_alerts import end_alert, end_decayed, raise_alert
from bypass_responder.case.reminder import MOST, made_after
from bypass_responder.case.tasks import Task, switch_off
from bypass_responder.model.base import counted
from bypass_responder.model.decision_message import MOST_WARNING
from bypass_responder.model.notification import Severity
from bypass_responder.model.sweep import (
    AcceptedWarning,
    Baseline,
    Sweep,
    SweepResult,
    says_rows_are_missing,
    warning_form,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

SILENT_AFTER_SWEEPS = 2
SHORT_IS_TRUE = 3
"""This many sweeps in a row with about as few objects: the rest were deleted. Missing accounts are still checked."""
MOST_NAMED = 20
MOST_COMMANDS = 5
MOST_ACCEPTED = 50
MOST_WARNINGS = 50
"""Of an answer that are kept, one of each form."""


def current(case: Case) -> Sweep:
    """The tenant's one sweep, or a fresh one."""
    return case.row(Sweep, Sweep.key) or Sweep()


def plan(draft: Draft, *, command_id: str, timeout_seconds: float) -> bool:
    """Plan a sweep. True when there is a new one, which the caller sends."""
    row = current(draft.case)
    if row.state == "answered" or (row.state == "outstanding" and row.not_after and row.not_after > draft.now):
        return False
    planned: dict[str, object] = {
        "command_id": command_id,
        "state": "outstanding",
        "sent": False,
        "created_at": draft.now,
        "not_after": draft.now + timedelta(seconds=timeout_seconds),
        "answer": None,
        "first_at": row.first_at or draft.now,
        "unanswered": row.unanswered + (row.state == "outstanding"),
    }
    draft.put(row.model_copy(update=planned))
    return True


def mark_sent(draft: Draft, command_id: str) -> None:
    """Record that the command of this sweep is on the queue."""
    row = current(draft.case)
    if row.command_id == command_id and not row.sent:
        draft.put(row.model_copy(update={"sent": True}))


def watch(draft: Draft, *, overdue_minutes: int) -> None:
    """What time alone changes: alerts that are over, and a sweep that should have been complete by now."""
    end_decayed(draft)
    row = current(draft.case)
    if row.first_at is None:
        return
    overdue = timedelta(minutes=overdue_minutes)
    if draft.now - (row.complete_at or row.first_at) > overdue:
        since = f"since {row.complete_at:%Y-%m-%d %H:%M:%SZ}" if row.complete_at else "ever"
        why = f": {row.problem}" if row.problem else ""
        raise_alert(draft, "sweep_overdue", f"No sweep was complete {since}{why}.")
    late = row.state == "outstanding" and row.not_after is not None and row.not_after <= draft.now
    if row.unanswered + late >= SILENT_AFTER_SWEEPS:
        raise_alert(draft, "sweeps_silent", f"{row.unanswered + late} sweeps in a row had no answer.")


def take_answer(draft: Draft, result: SweepResult) -> None:
    """Record the answer to the outstanding command. Repeated answers change nothing; others are logged."""
    row = current(draft.case)
    if row.answer is not None and row.command_id == result.command_id:
        return  # answered once already: a message may come twice
    if row.state != "outstanding" or row.command_id != result.command_id:
        draft.log("answer_ignored", "a sweep's answer to no outstanding command", command=result.command_id)
        return
    end_alert(draft, "sweeps_silent")
    _report_switches(draft, result)
    warnings = {warning_form(text): text for text in result.warnings if len(text) <= MOST_WARNING}
    kept = {"warnings": tuple(warnings.values())[:MOST_WARNINGS], "answer": result, "answered_at": draft.now}
    row = row.model_copy(update={"sent": True, "unanswered": 0} | kept | _switches_of(result))
    if result.outcome == "listed":
        draft.put(row.model_copy(update={"state": "answered"}))
    else:
        _not_complete(draft, row, f"the worker {result.outcome} it: {result.error or 'no reason was given'}")


def accepted(case: Case) -> frozenset[str]:
    """Return the forms of the warnings that people accepted."""
    return frozenset(row.text for row in case.rows(AcceptedWarning))


def warning_refusal(case: Case, text: str) -> str:
    """Return why a warning cannot be accepted, with the fix; empty when it can."""
    form, known = warning_form(text), accepted(case)
    seen = [each for each in current(case).warnings if warning_form(each) == form]
    if not seen:
        return "The last answered sweep has no such warning. Its warnings: bypassctl status."
    if any(map(says_rows_are_missing, (text, *seen))):
        return "This warning says that rows are missing: a sweep with it cannot count as complete."
    if form in known:
        return "This warning is accepted already."
    return f"{MOST_ACCEPTED} warnings are accepted already." if len(known) >= MOST_ACCEPTED else ""


def accept_warning(draft: Draft, text: str, *, who: str, reason: str) -> None:
    """Accept a warning that is not refused: it leaves the next sweeps complete."""
    draft.put(AcceptedWarning(text=warning_form(text), who=who, reason=reason, at=draft.now))


def _not_complete(draft: Draft, row: Sweep, problem: str) -> None:
    draft.put(row.model_copy(update={"state": "idle", "problem": problem}))
    raise_alert(draft, "sweep_incomplete", f"A sweep was not complete: {problem}.")
    draft.log("sweep_incomplete", problem, command=row.command_id)


def _switches_of(result: SweepResult) -> dict[str, object]:
    """Return what was read of the organization's switches; nothing leaves what was read before."""
    read = {"audit_disabled": result.audit_disabled, "ingestion_enabled": result.unified_audit_log_ingestion_enabled}
    return {} if None in read.values() else read | {"switches_at": result.started_at}


def _report_switches(draft: Draft, result: SweepResult) -> None:
    """Raise or end the alerts about the organization's switches. Nobody is blocked for them."""
    ingestion = result.unified_audit_log_ingestion_enabled
    switches = {
        "audit_disabled": (result.audit_disabled, "AuditDisabled is on: no mailbox of the organization is audited."),
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


def end_incomplete(draft: Draft, row: Sweep, problem: str, *, short: int = 0) -> None:
    """End an answered sweep that is not trusted. ``short``: how many in a row read about as few objects."""
    now = current(draft.case)
    if now.command_id == row.command_id and now.state == "answered":
        scanned = now.answer.scanned if now.answer else 0
        _not_complete(draft, now.model_copy(update={"short": short, "short_scanned": scanned}), problem)


def end_complete(draft: Draft, new: Baseline) -> None:
    """End an answered sweep with a stored baseline, and the health alerts that it disproves."""
    row = current(draft.case)
    if row.command_id != new.command_id or row.state != "answered":
        return
    covered = sum(entry.covered for entry in new.entries.values())
    took = row.answer.duration_seconds if row.answer else 0
    counts = {"took_seconds": took, "scanned": new.scanned, "on": len(new.entries), "covered": covered}
    if row.short:
        draft.log(
            "fewer_objects",
            f"{counted(new.scanned, 'object')} accepted: {SHORT_IS_TRUE} sweeps in a row read about as few",
        )
    done = {"state": "idle", "complete_at": new.started_at, "problem": "", "short": 0} | counts
    draft.put(row.model_copy(update=done))
    for alert_id in ("sweep_incomplete", "sweep_overdue", "baseline_lost"):
        end_alert(draft, alert_id)
    if new.first_at == new.started_at:
        summary = (
            f"{len(new.entries)} of {counted(new.scanned, 'account')} bypassed, {covered} of them on the allowlist"
        )
        draft.log("first_sweep", summary, command=new.command_id)
        _notify_first(draft, new)


def _notify_first(draft: Draft, new: Baseline) -> None:
    """Notify once of everything that was on before monitoring began. Nobody is contained for it."""
    held = [entry.name or entry.object_id or guid for guid, entry in new.entries.items() if not entry.covered]
    if not held:
        return
    draft.notify(
        "first_sweep",
        f"{counted(len(held), 'account')} {'was' if len(held) == 1 else 'were'} bypassed before monitoring began",
        f"{_some_of(held)}. Each needs a decision; none was contained.",
        key=new.command_id,
        severity=Severity.CRITICAL,
        left_to_do=_of_first(),
        held=len(held),
        covered=len(new.entries) - len(held),
    )


def _some_of(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return f"{', '.join(sorted(names)[:MOST_NAMED])}{more}"


def _of_first() -> tuple[Task, ...]:
    return (
        Task("Read them", "bypassctl incidents list"),
        Task("A service account: add it to the allowlist, then dismiss its incident", "bypassctl allowlist add --help"),
        Task("Any other account: approve its incident", "bypassctl incidents approve --help"),
    )


def first_reminders(case: Case, new: Baseline, now: datetime, hours: int) -> int:
    """Return the number of the reminder about the first sweep that is due; 0 when none is."""
    made = made_after(now - new.first_at, hours)
    return made if made > current(case).first_reminded else 0


def remind_of_first(draft: Draft, names: Sequence[str], number: int) -> None:
    """Notify again of the accounts of the first sweep that are still on, and wait for a decision."""
    row = current(draft.case)
    if number <= row.first_reminded:
        return
    draft.put(row.model_copy(update={"first_reminded": number}))
    draft.log("reminded", f"{counted(len(names), 'account')} of the first sweep without a decision, reminder {number}")
    draft.notify(
        "first_sweep",
        f"No decision yet: {counted(len(names), 'account')} bypassed since before monitoring began",
        f"{_some_of(names)}. Each needs a decision; none was contained. Nobody has "
        f"acknowledged their incidents. This is reminder {number} of {MOST}.",
        key=f"reminder-{number}",
        severity=Severity.CRITICAL,
        left_to_do=_of_first(),
        held=len(names),
    )


def notify_dark(draft: Draft, names: Sequence[str]) -> None:
    """Notify once a day of accounts whose incident was dismissed and whose bypass is still on."""
    draft.notify(
        "still_dark",
        f"Dismissed, and still not audited: {len(names)}",
        f"{_some_of(names)}. Their bypass is on; nothing is done about it.",
        key=f"{draft.now:%Y-%m-%d}",
        left_to_do=(
            Task("To exempt an account, add it to the allowlist", "bypassctl allowlist add --help"),
            *(
                switch_off(name, "To restore auditing, in Exchange Online PowerShell as Exchange Administrator")
                for name in sorted(names)[:MOST_COMMANDS]
            ),
        ),
    )
