"""Notify people of an account that cannot be read. Pure.

As long as it cannot be read, what is due is not done, and what was done is not proven.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case import control
from bypass_responder.case.plain_text import name_of
from bypass_responder.model.step import Recheck, Step, StepKind, StepState

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft

UNREAD_FOR = timedelta(minutes=15)


def note_unread(draft: Draft, why: str) -> None:
    """Remember since when the account's reads have been due; notify once when that is ``UNREAD_FOR`` ago."""
    due = [*_of_controls(draft), *_of_releases(draft), *_of_rechecks(draft)]
    if not due:
        return
    since = min(at for at, _ in due)
    incidents = (draft.case.incident(incident_id) for _, incident_id in due)
    newest = max((each for each in incidents if each), key=lambda each: each.opened_at, default=None)
    if newest is None or draft.now - since < UNREAD_FOR:
        return
    draft.notify_about(
        "step_failed",
        newest,
        f"Action required: the account cannot be read: {name_of(newest)}",
        f"What has been due since {since:%Y-%m-%d %H:%M:%SZ} is not done or not proven, because Entra ID does not say "
        f"whether the account can sign in: {why.rstrip('.')}. It is retried every minute.",
        key=f"unread-{since.isoformat()}",
    )


def _of_controls(draft: Draft) -> list[tuple[datetime, str]]:
    found = []
    for kind in (control.BLOCK, control.REVOKE):
        row, wants = draft.case.control(kind), control.wanting(draft.case, kind)
        waits = [*wants, *control.releases(draft.case)] if kind is control.BLOCK else wants
        due = control.next_of(row, wants, draft.now)[0] in {control.Next.ACT, control.Next.READ}
        if not waits or not (due or control.releases(draft.case)):
            continue
        if row.next_at is None:
            row = row.model_copy(update={"next_at": draft.now})
            draft.put(row)
        found.append((row.next_at or draft.now, waits[-1].incident_id))
    return found


def _of_releases(draft: Draft) -> list[tuple[datetime, str]]:
    return [
        (step.next_at, step.incident_id)
        for step in draft.case.rows(Step)
        if step.step is StepKind.RELEASE and step.state is StepState.ACTED and step.next_at
    ]


def _of_rechecks(draft: Draft) -> list[tuple[datetime, str]]:
    found = []
    for row in draft.case.rows(Recheck):
        incident = draft.case.incident(row.incident_id)
        open_ = incident is not None and incident.account is not None and not control.ended(draft.case, incident)
        if open_ and not row.done and not row.result and row.due_at <= draft.now:
            found.append((row.due_at, row.incident_id))
    return found
