"""Findings without a decision: attempts, switching off, late evidence, standing down."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.evidence import EVIDENCE, MILD, OWN, add_evidence, flaps, incident_of
from bypass_responder.case.tasks import contain_actors, show
from bypass_responder.model.base import latest
from bypass_responder.model.change import Actor
from bypass_responder.model.finding import STATES, Alone, Finding, FindingState
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.notification import Severity
from bypass_responder.model.step import StepKind

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft

OWN_TRACE = timedelta(minutes=2)
"""How close to our attempt a record of our own remediation is."""


def close_finding(draft: Draft, finding: Finding, *, verdict: str, reason: str, incident: str | None = None) -> Finding:
    """Mark a finding decided."""
    closed = finding.model_copy(
        update={"state": FindingState.DECIDED, "verdict": verdict, "reason": reason, "incident_id": incident}
    )
    draft.put(closed)
    if incident is None and verdict in EVIDENCE:
        draft.put(Alone(finding=closed))
        draft.move_head(alone_until=latest(draft.case.head.alone_until, closed.effective_at))
    return closed


def record_attempt(draft: Draft, finding: Finding) -> None:
    """Record and notify a failed attempt to switch the bypass on. Nobody is contained."""
    reason = f"{finding.actor} tried to switch the bypass on and failed"
    incident = incident_of(draft.case, finding)
    finding = close_finding(
        draft, finding, verdict="attempt", reason=reason, incident=incident.id if incident else None
    )
    if incident:
        attach(draft, incident, finding)
    draft.log(
        "attempt", reason, incident=incident.id if incident else None, record=finding.id, names=list(finding.names)
    )
    draft.notify(
        "attempt",
        f"Failed attempt to hide {_first_name(finding)} from mailbox auditing",
        f"{finding.actor.described} tried to switch the bypass on at {finding.effective_at:%Y-%m-%d %H:%M:%SZ}, and "
        "failed. The account's auditing was not changed.",
        key=finding.id,
        left_to_do=(show(finding.id), *contain_actors(() if str(finding.actor) == "unknown" else (finding.actor,))),
        actor=[finding.actor.described],
        record=finding.id,
        occurred_at=finding.effective_at.isoformat(),
    )


def record_switch_off(draft: Draft, finding: Finding, *, worker_ids: frozenset[str]) -> None:
    """A bypass was switched off: evidence that closes nothing and softens nothing, unless it is our own."""
    own = [each for each in draft.case.rows(Incident) if _is_ours(draft, each, finding, worker_ids)]
    ours = bool(own) or bool(finding.actor.ids & worker_ids)
    incident = own[-1] if own else incident_of(draft.case, finding)
    incident_id = incident.id if incident else None
    reason = OWN if ours else f"{finding.actor} switched the bypass off"
    finding = close_finding(draft, finding, verdict="switched_off", reason=reason, incident=incident_id)
    if incident:
        attach(draft, incident, finding.model_copy(update={"actor": Actor()}) if ours else finding)
    draft.log("switched_off", reason, incident=incident_id, record=finding.id, ours=ours, names=list(finding.names))


def record_swept_off(draft: Draft, finding: Finding, *, reason: str) -> None:
    """A sweep does not list the account any more, and Exchange agrees: evidence by its time."""
    incident = incident_of(draft.case, finding)
    incident_id = incident.id if incident else None
    finding = close_finding(draft, finding, verdict="switched_off", reason=reason, incident=incident_id)
    draft.move_head(reported_off=finding.on_since)
    if incident:
        attach(draft, incident, finding)
    draft.log("switched_off", reason, incident=incident_id, record=finding.id, ours=False)


def stand_down(draft: Draft, finding: Finding, *, verdict: str, reason: str) -> None:
    """Record doing nothing, with the reason. A hint about a known episode is still its evidence."""
    incident = incident_of(draft.case, finding) if verdict in EVIDENCE else None
    incident_id = incident.id if incident else None
    finding = close_finding(draft, finding, verdict=verdict, reason=reason, incident=incident_id)
    if incident:
        attach(draft, incident, finding)
    draft.log(
        "stood_down",
        f"{verdict}: {reason}",
        incident=incident_id,
        verdict=verdict,
        record=finding.id,
        actor=str(finding.actor),
        names=list(finding.names),
    )


def add_to_past(draft: Draft, finding: Finding) -> None:
    """Late evidence: it widens the blind window of the old episode and never acts."""
    incident = incident_of(draft.case, finding)
    if incident is None and finding.source not in STATES:
        head = draft.case.head
        newest = draft.case.incident(head.active_incident) or draft.case.incident(head.last_incident)
        incident = None if newest is None or newest.about_actor else newest
    reason = "belongs to an earlier, resolved bypass"
    finding = close_finding(draft, finding, verdict="past", reason=reason, incident=incident.id if incident else None)
    if incident:
        attach(draft, incident, finding)
        closed = incident.status is IncidentStatus.CLOSED and incident.verdict in MILD
        if (closed or incident.status is IncidentStatus.DISMISSED) and finding.source not in STATES:
            _notify_late(draft, incident, finding)
    draft.log("evidence", reason, incident=incident.id if incident else None, record=finding.id)


def _notify_late(draft: Draft, incident: Incident, finding: Finding) -> None:
    """Notify once a day of evidence of an incident that a person has dismissed or closed: nothing is done."""
    draft.notify(
        "late_evidence",
        f"Late evidence of a {incident.status.value} incident: {incident.account or incident.target}",
        f"{finding.actor.described} switched the bypass on at {finding.effective_at:%Y-%m-%d %H:%M:%SZ}, within the "
        f"episode that was {incident.status.value}. Nothing is done about it.",
        key=f"{incident.id}-{draft.now:%Y-%m-%d}",
        severity=Severity.INFO,
        incident=incident.id,
    )


def attach(draft: Draft, incident: Incident, finding: Finding) -> None:
    """Make a finding evidence of an incident, and say so where that shows flapping."""
    add_evidence(draft, incident, finding)
    notify_flapping(draft, incident.id)


def notify_flapping(draft: Draft, incident_id: str) -> None:
    """Notify of on, off and on again.

    The actor still has the right, so blocking the target is not enough.
    """
    incident = draft.case.incident(incident_id)
    if incident is None or incident.flapping or not flaps(incident):
        return
    incident = incident.model_copy(update={"flapping": True})
    draft.put(incident)
    draft.log("flapping", "switched on again after it was off", incident=incident_id)
    draft.notify_about(
        "flapping",
        incident,
        f"Switched on again after it was off: {incident.account or incident.target}",
        "It was switched off and on again, so the actor still has the right to do this: contain the actor, and review "
        "who holds roles in Exchange.",
        key="",
    )


def _is_ours(draft: Draft, incident: Incident, finding: Finding, worker_ids: frozenset[str]) -> bool:
    step = draft.case.step(incident.id, StepKind.DISABLE_BYPASS)
    if step is None or step.first_attempt_at is None:
        return False
    last = incident.restored_at or draft.now
    if not step.first_attempt_at - OWN_TRACE <= finding.effective_at <= last + OWN_TRACE:
        return False
    return finding.actor.may_be(worker_ids)


def _first_name(finding: Finding) -> str:
    return finding.identity_text or finding.object_id_text or finding.target
