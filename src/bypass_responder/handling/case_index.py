"""The index of cases, derived from the ledger each time a target was settled."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from bypass_responder.model.case import IndexEntry
from bypass_responder.model.finding import Finding, FindingState
from bypass_responder.model.incident import Incident

if TYPE_CHECKING:
    from bypass_responder.model.case import Case
    from bypass_responder.session import Services, Session

_KINDS: dict[str, Literal["stood_down", "attempt", "switched_off", "unconfirmed"]] = {
    "attempt": "attempt",
    "switched_off": "switched_off",
    "unconfirmed": "unconfirmed",
    "allowlisted": "stood_down",
    "protected": "stood_down",
    "past": "stood_down",
}


async def update(session: Session, services: Services) -> None:
    """Write the index entries of a target."""
    await asyncio.gather(*(services.index.put(entry) for entry in entries(session.case)))


def entries(case: Case) -> list[IndexEntry]:
    """What a listing shows of a case: its incidents, and decided findings that belong to none."""
    incidents = [_of_incident(incident) for incident in case.rows(Incident)]
    findings = [
        _of_finding(finding, _KINDS[finding.verdict])
        for finding in case.rows(Finding)
        if finding.state is FindingState.DECIDED and finding.incident_id is None and finding.verdict in _KINDS
    ]
    return [*incidents, *findings]


def _of_incident(incident: Incident) -> IndexEntry:
    account = incident.account.user_principal_name if incident.account else (incident.names or (incident.target,))[-1]
    return IndexEntry(
        id=incident.id,
        target=incident.target,
        kind="incident",
        status=incident.status.value,
        at=incident.opened_at,
        account=account,
        actor=", ".join(str(actor) for actor in incident.actors),
        reason=f"{incident.verdict}: {incident.reason}",
    )


def _of_finding(finding: Finding, kind: Literal["stood_down", "attempt", "switched_off", "unconfirmed"]) -> IndexEntry:
    return IndexEntry(
        id=finding.id,
        target=finding.target,
        kind=kind,
        status="recorded",
        at=finding.received_at,
        account=finding.identity_text or finding.object_id_text or finding.target,
        actor=str(finding.actor),
        reason=finding.reason,
    )
