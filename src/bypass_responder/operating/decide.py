"""Finds an incident and stores a person's decision about it, if the rules allow it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from bypass_responder.case.person_decision import write_decision
from bypass_responder.errors import NotFoundError, RefusedError
from bypass_responder.session import announced, open_session

if TYPE_CHECKING:
    from bypass_responder.model.case import Case, IndexEntry
    from bypass_responder.model.incident import Incident
    from bypass_responder.session import Services

Verb = Literal["approve", "dismiss", "release"]


async def find_entry(entry_id: str, services: Services) -> tuple[IndexEntry, Case]:
    """Return the entry with this id or unique prefix, and its case. Raises NotFoundError."""
    entry = await services.index.get(entry_id)
    if entry is None:
        raise NotFoundError(f"{entry_id} matches no incident, or several. List them: bypassctl incidents list.")
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


async def decide_incident(
    verb: Verb, entry_id: str, services: Services, *, reason: str, who: str, account: str | None = None
) -> Incident:
    """Store a decision, which ``resume_responses`` carries out within a minute. Returns the incident.

    ``account``: with approve, the object id or user principal name of an unresolved target. Raises NotFoundError and
    RefusedError, which name the fix.
    """
    incident = incident_in(*await find_entry(entry_id, services))
    object_id = None
    if account is not None:
        found = await services.directory.find(account)
        if found is None:
            raise NotFoundError(f"No account has the object id or user principal name {account}.")
        object_id = found.object_id
    enforce = services.settings.enforce
    given = partial(write_decision, who=who, reason=reason, enforce=enforce, account=object_id)
    async with announced(incident.target, services):
        session = await open_session(incident.target, services, history=True)
        await session.apply(lambda draft: given(draft, incident.id, verb))
    return incident
