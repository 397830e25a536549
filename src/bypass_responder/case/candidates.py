"""The accounts that an incident or a record in it may be about, each checked in Exchange in turn."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.exchange_question import outstanding
from bypass_responder.case.plain_text import name_of
from bypass_responder.model.base import backoff
from bypass_responder.model.incident import Candidate, Incident
from bypass_responder.model.message import MOST_CANDIDATES, CommandKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.case import Case
    from bypass_responder.model.finding import Check
    from bypass_responder.model.message import Command

AGAIN_AFTER, LONGEST_WAIT = timedelta(minutes=10), timedelta(days=1)
"""Wait after the first failed question about a candidate, doubled each time, and its maximum."""


def name_candidates(draft: Draft, incident: Incident, accounts: Iterable[Account], *, reason: str) -> None:
    """Add accounts that the names of an unresolved finding stand for.

    Of an incident about another account this is notified, once without candidates and again for each new one: deciding
    the incident decides nothing about them.
    """
    known = {candidate.object_id: candidate for candidate in incident.candidates}
    new = {
        each.object_id: Candidate(object_id=each.object_id, name=each.user_principal_name)
        for each in accounts
        if not _is_its_own(incident, each.object_id)
    }
    every = tuple((known | new | known).values())[:MOST_CANDIDATES]  # others that take the name later displace none
    incident = incident.model_copy(update={"candidates": every})
    draft.put(incident)
    added = [each.object_id for each in every if each.object_id not in known]
    if incident.account is not None and (added or not known):
        draft.notify_about(
            "held",
            incident,
            f"A record may be about another account: {name_of(incident)}",
            "The record is evidence of this incident, and deciding the incident decides nothing about another account. "
            f"Why: {reason}. What Exchange reports of each candidate: bypassctl incidents show {incident.id}.",
            key="-".join(["unresolved", *added]),
        )


def _is_its_own(incident: Incident, object_id: str) -> bool:
    return incident.account is not None and incident.account.object_id == object_id


def next_candidate(case: Case) -> tuple[Incident, Candidate] | None:
    """Return the candidate to ask Exchange about next; None while another question is outstanding."""
    if outstanding(case, CommandKind.CHECK_BYPASS) is not None:
        return None
    return next(iter(_unchecked(case)), None)


def due_at(case: Case, now: datetime) -> list[datetime]:
    """Return when Exchange is to be asked about a candidate."""
    return [candidate.ask_at or now for _, candidate in _unchecked(case)]


def _unchecked(case: Case) -> list[tuple[Incident, Candidate]]:
    found = [
        (incident, candidate)
        for incident in case.rows(Incident)
        if not incident.status.final and incident.row_key not in case.kept
        for candidate in incident.candidates
        if candidate.checked_at is None
    ]
    return sorted(found, key=lambda each: (each[1].ask_at is not None, each[1].ask_at or each[0].opened_at))


def is_about_a_candidate(command: Command) -> bool:
    """Return True for a check that asks about a candidate, not about the target of the case."""
    return command.command is CommandKind.CHECK_BYPASS and command.incident_id is not None and not command.recheck


def record_check(draft: Draft, command: Command, check: Check, *, failed: bool) -> None:
    """Record what Exchange reported of a candidate. ``failed``: the question is retried later."""
    incident = draft.case.incident(command.incident_id)
    if incident is None:
        return
    changes: dict[str, object] = {"bypass_on": check.bypass_on, "checked_at": check.read_at or draft.now}
    candidates = tuple(
        each.model_copy(update=_after_failure(each, draft.now) if failed else changes)
        if each.object_id == command.object_id
        else each
        for each in incident.candidates
    )
    incident = incident.model_copy(update={"candidates": candidates})
    draft.put(incident)
    on = sorted(each.object_id for each in candidates if each.bypass_on and not _is_its_own(incident, each.object_id))
    if on and all(each.checked_at or each.asks_failed for each in candidates):
        draft.notify_about(
            "held",
            incident,
            f"Candidates checked in Exchange, decision required: {name_of(incident)}",
            f"The name may stand for: {', '.join(map(str, candidates))}. The sweep opens an incident for each that is "
            "bypassed and not on the allowlist.",
            key=f"candidates-{'-'.join(on)}",
        )


def _after_failure(candidate: Candidate, now: datetime) -> dict[str, object]:
    again = backoff(candidate.asks_failed, first=AGAIN_AFTER, longest=LONGEST_WAIT)
    return {"asks_failed": candidate.asks_failed + 1, "ask_at": now + again}
