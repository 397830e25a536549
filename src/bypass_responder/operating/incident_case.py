"""The entry that a person means, with its case and its incident."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.errors import NotFoundError, RefusedError
from bypass_responder.operating.find_incident import find_one
from bypass_responder.session import open_session

if TYPE_CHECKING:
    from bypass_responder.model.case import Case
    from bypass_responder.model.incident import Incident
    from bypass_responder.model.listing import IndexEntry
    from bypass_responder.services import Services


async def find_entry(entry_id: str, services: Services) -> tuple[IndexEntry, Case]:
    """Return the entry with this id, a unique part of it or its account's name, and its case.

    Raises NotFoundError.
    """
    entry = await find_one(entry_id, services)
    return entry, (await open_session(entry.target, services, history=True)).case


def incident_in(entry: IndexEntry, case: Case) -> Incident:
    """Return the incident of an entry. Raises RefusedError without one, NotFoundError without its row."""
    if entry.kind != "incident":
        raise RefusedError(
            f"{entry.id} opened no incident, so there is nothing to decide: bypassctl incidents show {entry.id}."
        )
    incident = case.incident(entry.id)
    if incident is None:
        raise NotFoundError(f"Incident {entry.id} is in the index but not in the ledger: run bypassctl log verify.")
    return incident
