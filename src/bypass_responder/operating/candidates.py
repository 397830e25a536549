"""The candidates of an unresolved incident, each with the incident that is open for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.incident import Incident
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from bypass_responder.model.incident import Candidate
    from bypass_responder.services import Services


async def linked(incident: Incident, services: Services) -> list[tuple[Candidate, Incident | None]]:
    """Return each candidate with the newest incident of its account, None when it has none; bypassed ones first."""
    found = []
    for candidate in sorted(incident.candidates, key=lambda each: each.unlikely):
        case = (await open_session(candidate.object_id, services)).case
        own = case.incident(case.head.last_incident)
        if own is not None and own.about_actor:
            episodes = [row for row in case.rows(Incident) if not row.about_actor]
            own = max(episodes, key=lambda row: row.opened_at, default=own)
        found.append((candidate, own if own is None or own.id != incident.id else None))
    return found
