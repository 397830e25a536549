"""The end of an episode: auditing is proven restored, and a later *on* begins a new episode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.evidence import FINDINGS_PER_TRANSACTION, counts_as_on
from bypass_responder.case.follow_up import blind_window, tasks
from bypass_responder.case.plain_text import name_of, what_happened, what_is_true
from bypass_responder.case.step import plan_rechecks
from bypass_responder.model.base import latest
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft

_PROOF = {
    "verified": "Exchange was read after the removal",
    "already_off": "Exchange was read, and no removal was needed",
}
_ALSO_WAITS = {
    IncidentStatus.HELD: ", decision required",
    IncidentStatus.FAILED: ", action required",
}


def mark_restored(draft: Draft, incident: Incident, at: datetime, *, how: str) -> None:
    """Record that auditing is proven restored: the episode ends, and evidence from before never acts again."""
    first = incident.restored_at or at
    draft.put(incident.model_copy(update={"restored_at": first}))
    draft.move_head(
        restored_at=latest(draft.case.head.restored_at, at),
        off_at=latest(draft.case.head.off_at, at),
        active_incident=None if draft.case.head.active_incident == incident.id else draft.case.head.active_incident,
    )
    reopen(draft)
    if incident.filed_on_until is not None and incident.filed_on_until > first:
        draft.move_head(reopening=incident.id)
    draft.log(
        "restored",
        f"auditing restored ({how})",
        incident=incident.id,
        blind_from=incident.blind_from.isoformat() if incident.blind_from else None,
        blind_from_proven=incident.blind_from_proven,
        blind_until=first.isoformat(),
    )
    if incident.restored_at is None:
        _notify_restored(draft, incident.id, how=how)
    plan_rechecks(draft, incident.id)


def _notify_restored(draft: Draft, incident_id: str, *, how: str) -> None:
    incident = draft.case.incident(incident_id)
    if incident is None:
        return
    steps = draft.case.steps(incident.id)
    text = (
        f"{what_happened(incident)} {what_is_true(incident, draft.case)} Proof: {_PROOF.get(how, how)}. "
        f"Blind window: {blind_window(incident)}."
    )
    draft.notify(
        "restored",
        f"Auditing restored{_ALSO_WAITS.get(incident.status, '')}: {name_of(incident)}",
        text,
        key=incident.id,
        severity=Severity.INFO,
        incident=incident.id,
        left_to_do=tasks(incident, steps=steps),
        account=str(incident.account) if incident.account else None,
        actor=[actor.described for actor in incident.actors],
    )


def reopen(draft: Draft) -> None:
    """Decide records of *on* from after the restoration again, as a new episode, in batches."""
    ends = {row.id: row.restored_at for row in draft.case.rows(Incident)}
    late = [
        finding
        for finding in draft.case.rows(Finding)
        if counts_as_on(finding)
        and (end := ends.get(finding.incident_id or "")) is not None
        and finding.effective_at > end
    ]
    for finding in late[:FINDINGS_PER_TRANSACTION]:
        draft.file(finding.model_copy(update={"state": FindingState.UNDECIDED, "next_at": None}), "")
