"""Record a change of the mode or of the protected accounts once, in the tenant's own case. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.tasks import Task
from bypass_responder.model.base import counted
from bypass_responder.model.notification import Severity
from bypass_responder.model.rules import RulesInForce

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

OLD_RUNS_END = timedelta(minutes=15)
"""Longer than any run may take. Runs with the old mode have ended by then, so what they stored is visited too."""
MOST_NAMED = 20


def in_force(case: Case) -> RulesInForce | None:
    """Return the rules that the last run had, None before the first."""
    return case.row(RulesInForce, "rules")


def record_rules(draft: Draft, *, mode: str, protected: Sequence[str], observed: Sequence[str] = ()) -> None:
    """Record the rules of this run.

    Notifies once of a new mode, with the accounts that were ``observed``.
    """
    before = in_force(draft.case)
    if before is None:
        draft.put(RulesInForce(mode=mode, protected=tuple(protected), since=draft.now))
        return
    added, removed = sorted({*protected} - {*before.protected}), sorted({*before.protected} - {*protected})
    if added or removed:
        text = f"PROTECTED_OBJECT_IDS: {len(added)} added, {len(removed)} removed"
        draft.log("protected_changed", text, added=added, removed=removed)
    rules = before.model_copy(update={"protected": tuple(protected), "since": draft.now})
    if mode != before.mode:
        rules = RulesInForce(mode=mode, protected=rules.protected, since=draft.now, visit_from=draft.now)
        draft.log("mode_changed", f"MODE was {before.mode}, is {mode}", mode=mode, observed=len(observed))
        _notify_mode(draft, mode, observed)
    draft.put(rules)


def _notify_mode(draft: Draft, mode: str, observed: Sequence[str]) -> None:
    if mode == "observe":
        title = "MODE is observe: nothing in the tenant is changed any longer"
        text = (
            "Planned steps are withheld. A command that the Exchange worker already has may still be carried out; "
            "its result is recorded."
        )
        todo: tuple[Task, ...] = (
            Task("If you did not change it, find out who did, then read the status", "bypassctl status"),
        )
    else:
        title = f"MODE is enforce: {counted(len(observed), 'incident')} decided in observe now held"
        more = f" and {len(observed) - MOST_NAMED} more" if len(observed) > MOST_NAMED else ""
        text = f"{', '.join(observed[:MOST_NAMED])}{more}: nothing is done until a person approves." if observed else ""
        text = text or "From now on violations are contained."
        todo = (Task("Read them, then approve or dismiss each", "bypassctl incidents list"),) if observed else ()
    draft.notify(
        "mode_changed",
        title,
        text,
        key=f"{mode}-{draft.now.isoformat()}",
        severity=Severity.CRITICAL,
        left_to_do=todo,
        mode=mode,
        observed=len(observed),
    )


def record_visits(draft: Draft, *, mode: str, before: datetime | None) -> None:
    """Record how far the cases were visited. None: all were; visit them again after the last old run."""
    rules = in_force(draft.case)
    if rules is None or rules.mode != mode or rules.visit_from is None:
        return
    again = rules.since + OLD_RUNS_END
    following = rules.visit_from if before else again if rules.visit_from < again else None
    draft.put(rules.model_copy(update={"visit_from": following, "visit_before": before}))
