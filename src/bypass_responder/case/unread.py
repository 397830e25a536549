"""An account that cannot be read: what is due is not done, and what was done is not proven. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case import control
from bypass_responder.model.step import Recheck, Step, StepKind, StepState

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

UNREAD_FOR = timedelta(minutes=15)
CONTROLS = (control.BLOCK, control.REVOKE)


def mark_due(draft: Draft) -> None:
    """Give each control that is due now a time, to know later since when."""
    for kind in CONTROLS:
        row = draft.case.control(kind)
        if row.next_at is None and _is_due(draft.case, kind, draft.now):
            draft.put(row.model_copy(update={"next_at": draft.now}))


def overdue_since(case: Case, now: datetime) -> datetime | None:
    """Return since when a call, its proof or a re-check has been due; None if that is less than ``UNREAD_FOR``."""
    due = [case.control(kind).next_at for kind in CONTROLS if _is_due(case, kind, now)]
    due += [step.next_at for step in case.rows(Step) if step.step is StepKind.RELEASE and step.state is StepState.ACTED]
    due += [row.due_at for row in case.rows(Recheck) if _is_open(case, row)]
    since = min((at for at in due if at is not None), default=now)
    return since if now - since >= UNREAD_FOR else None


def _is_due(case: Case, kind: StepKind, now: datetime) -> bool:
    wants = control.wanting(case, kind)
    if kind is control.BLOCK and control.releases(case):
        return True
    return bool(wants) and control.next_of(case.control(kind), wants, now)[0] in {control.Next.ACT, control.Next.READ}


def _is_open(case: Case, row: Recheck) -> bool:
    incident = case.incident(row.incident_id)
    ended = incident is None or incident.account is None or control.ended(case, incident)
    return not (ended or row.done or row.result)
