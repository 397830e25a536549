"""Read one incident, or a finding without one, as pages, API, report and bypassctl show it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.account_state import shown_of
from bypass_responder.case.follow_up import left_to_do
from bypass_responder.case.rules import in_force
from bypass_responder.errors import InputError, NotFoundError
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.feed import Window
from bypass_responder.model.finding import RECORDS, Finding
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.listing import IndexEntry
from bypass_responder.model.step import Recheck
from bypass_responder.operating.blind_windows.read_windows import windows_besides
from bypass_responder.operating.candidates import linked
from bypass_responder.operating.incident_case import find_entry, incident_in
from bypass_responder.operating.incidents.actor_accounts import actor_accounts
from bypass_responder.operating.incidents.chronology import rows
from bypass_responder.operating.incidents.current_state import current_state
from bypass_responder.operating.incidents.gap import blind_window_of
from bypass_responder.operating.incidents.gathered import gathered_view
from bypass_responder.operating.incidents.next_step import next_step
from bypass_responder.operating.incidents.portal_links import portal_links
from bypass_responder.operating.incidents.proof import controls_of
from bypass_responder.operating.incidents.sentence import name_of, situation_of, state_sentence
from bypass_responder.operating.incidents.tampering import read_tampering, with_tampering
from bypass_responder.operating.incidents.view import (
    Acknowledgement,
    CandidateView,
    DecisionView,
    EvidenceView,
    FindingView,
    IncidentView,
    RecheckView,
)
from bypass_responder.operating.timeline import timeline
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.model.case import Case
    from bypass_responder.model.hunting import Arrival
    from bypass_responder.model.incident import Candidate
    from bypass_responder.model.log import LogEntry
    from bypass_responder.services import Services

MOST_FINDINGS = 200
"""Findings in a view, half of them the earliest and half the latest."""


async def read_entry(entry_id: str, services: Services) -> IncidentView | FindingView:
    """Return what the index lists under this id or unique prefix. Raises NotFoundError."""
    entry, case = await find_entry(entry_id, services)
    if entry.kind == "incident":
        return await _incident(entry, case, services)
    finding = case.row(Finding, f"finding-{entry.id}")
    if finding is None:
        raise NotFoundError(f"{entry.id} is in the index but not in the ledger: run bypassctl log verify.")
    return FindingView(entry=entry, evidence=_evidence(finding), claimed_at=finding.claimed_at)


async def read_incident(entry_id: str, services: Services, *, findings: int = MOST_FINDINGS) -> IncidentView:
    """Return one incident, with at most ``findings`` findings.

    Raises NotFoundError, RefusedError for no incident.
    """
    entry, case = await find_entry(entry_id, services)
    return await _incident(entry, case, services, findings=findings)


async def _incident(
    entry: IndexEntry, case: Case, services: Services, *, findings: int = MOST_FINDINGS
) -> IncidentView:
    incident = incident_in(entry, case)
    tenant = (await open_session(TENANT_TARGET, services)).case
    view = view_of(
        case,
        incident,
        tenant=tenant,
        log=await _log(entry.target, services),
        arrivals=await _arrivals(incident, case, services),
        candidates=await linked(incident, services),
        services=services,
        most=findings,
    )
    besides = await windows_besides(services, entry.target, view.blind.start, view.blind.end)
    changes = await read_tampering(incident, services.ledger, services.clock(), tenant=tenant)
    added = {
        "tampering": changes,
        "timeline": with_tampering(view.timeline, changes),
        "gathered": gathered_view(await services.gathered.inquiries(incident.id)),
        "other_windows": besides.windows,
        "windows_incomplete": besides.incomplete,
        "inspected": await services.inspections.of(entry.target),
        "actor_accounts": await actor_accounts(incident, services),
    }
    return view.model_copy(update=added)


def _acknowledgement(incident: Incident) -> Acknowledgement | None:
    at = incident.acknowledged_at
    return Acknowledgement(by=incident.acknowledged_by, at=at) if at else None


def view_of(
    case: Case,
    incident: Incident,
    *,
    tenant: Case,
    log: Sequence[LogEntry] | None,
    arrivals: Sequence[Arrival] = (),
    candidates: Sequence[tuple[Candidate, Incident | None]] = (),
    services: Services,
    most: int = MOST_FINDINGS,
) -> IncidentView:
    """Return the view of a case that was read with its history. ``log`` None: it cannot be read.

    Which decisions are possible follows from the app's mode, as ``tenant`` has it; before its first run, from ours.
    """
    settings, read_at = services.settings, services.clock()
    steps = case.steps(incident.id)
    every = [row for row in case.rows(Finding) if row.incident_id == incident.id]
    every.sort(key=lambda row: (row.effective_at, row.id))
    findings = every if len(every) <= most else [*every[: most // 2], *every[len(every) - (most - most // 2) :]]
    rules = in_force(tenant)
    enforce = rules.mode == "enforce" if rules else settings.enforce
    now = current_state(case, incident, tenant)
    situation = situation_of(incident, steps, now.sign_in)
    return IncidentView(
        id=incident.id,
        target=incident.target,
        read_at=read_at,
        status=incident.status,
        situation=situation,
        state=state_sentence(situation, incident, steps, now),
        next=next_step(situation, case, incident, enforce=enforce),
        now=now,
        shown=shown_of(case, incident),
        acknowledged=_acknowledgement(incident),
        name=name_of(incident),
        account=incident.account,
        names=incident.names,
        actors=incident.actors,
        verdict=incident.verdict,
        reason=incident.reason,
        opened_at=incident.opened_at,
        closed_at=incident.closed_at,
        closed_by=incident.closed_by,
        follows=incident.refers_to,
        flapping=incident.flapping,
        controls=controls_of(case, incident.id),
        blind=blind_window_of(incident, read_at),
        timeline=rows(timeline(incident, findings, steps, log or [], arrivals)),
        log_readable=log is not None,
        evidence=tuple(_evidence(finding) for finding in findings),
        findings=len(every),
        decisions=_decisions(case, incident.id),
        rechecks=_rechecks(case, incident.id),
        left_to_do=left_to_do(incident, steps=steps),
        candidates=tuple(_candidate(each, own) for each, own in candidates),
        links=portal_links(incident, settings.tenant_id, read_at),
    )


async def _log(target: str, services: Services) -> list[LogEntry] | None:
    """Return the response log; None when it cannot be read, so that the incident is still shown."""
    try:
        return [entry async for entry in services.ledger.log(target)]
    except InputError:
        return None


async def _arrivals(incident: Incident, case: Case, services: Services) -> list[Arrival]:
    """Return when each sensor brought the records of an incident."""
    own = [row for row in case.rows(Finding) if row.incident_id == incident.id and row.source in RECORDS]
    if not own:
        return []
    times = [row.effective_at for row in own]
    found = await services.hunting_store.arrivals(Window(start=min(times), end=max(times) + timedelta(seconds=1)))
    ids = {row.record_id for row in own}
    return [each for each in found if each.record_id in ids]


def _evidence(finding: Finding) -> EvidenceView:
    return EvidenceView(
        id=finding.id,
        source=finding.source,
        switch=finding.switch,
        outcome=finding.outcome,
        happened_at=finding.effective_at,
        received_at=finding.received_at,
        available_at=finding.available_at,
        actor=finding.actor,
        verdict=finding.verdict,
        reason=finding.reason,
        sender=finding.sender,
        link=finding.link,
        raw=finding.evidence,
    )


def _decisions(case: Case, incident_id: str) -> tuple[DecisionView, ...]:
    found = [row for row in case.rows(PersonDecision) if row.incident_id == incident_id]
    return tuple(
        DecisionView(
            at=row.at,
            decision=row.verb,
            who=row.who,
            verified=row.channel.verified,
            reason=row.reason,
            outcome=row.outcome,
            why=row.why,
        )
        for row in sorted(found, key=lambda row: row.at)
    )


def _rechecks(case: Case, incident_id: str) -> tuple[RecheckView, ...]:
    found = sorted((row for row in case.rows(Recheck) if row.incident_id == incident_id), key=lambda row: row.due_at)
    return tuple(
        RecheckView(due_at=row.due_at, after_hours=row.after_hours, done=row.done, result=row.result) for row in found
    )


def _candidate(candidate: Candidate, own: Incident | None) -> CandidateView:
    return CandidateView(
        object_id=candidate.object_id,
        name=candidate.name,
        in_exchange=candidate.in_exchange,
        checked_at=candidate.checked_at,
        incident=own.id if own else None,
        incident_status=own.status if own else None,
    )
