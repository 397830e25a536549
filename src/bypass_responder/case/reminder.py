"""Who has an incident, and the reminders of those that nobody has. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.follow_up import tasks
from bypass_responder.case.plain_text import name_of, what_happened, what_is_true
from bypass_responder.case.tasks import decide
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import ANSWERED_BY_PEOPLE
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

MOST = 3
"""Reminders of one incident: after the hours of the setting, twice and four times as many."""
ROOM = 20
"""Operations left in a transaction that makes another reminder, which takes four."""


def give_to(draft: Draft, incident_id: str, person: str) -> Incident | None:
    """Set the person who has the incident from now on. Returns the incident."""
    incident = draft.case.incident(incident_id)
    if incident is None:
        return None
    incident = incident.model_copy(update={"acknowledged_at": draft.now, "acknowledged_by": person})
    draft.put(incident)
    return incident


def who_has_it(incident: Incident) -> str:
    """Return who has the incident since when; empty for nobody."""
    if incident.acknowledged_at is None:
        return ""
    return f"{incident.acknowledged_by} has been handling it since {incident.acknowledged_at:%Y-%m-%d %H:%MZ}"


def has_it_already(incident: Incident, person: str) -> str:
    """Return why a person cannot take the incident: they have it. Empty when they do not."""
    if incident.acknowledged_at is None or incident.acknowledged_by.casefold() != person.casefold():
        return ""
    return f"{who_has_it(incident)}: nothing to acknowledge."


def waits_in_list(incident: Incident) -> bool:
    """Return True for an incident of the first sweep that nobody has: its reminders name all of them together."""
    return incident.status in ANSWERED_BY_PEOPLE and incident.acknowledged_at is None and incident.listed_once


def made_after(waited: timedelta, hours: int) -> int:
    """Return how many reminders are due after so long."""
    return sum(waited >= _after(number, hours) for number in range(MOST))


def due_at(case: Case, hours: int) -> list[datetime]:
    """Return when people are to be reminded next, for each loaded incident that nobody has."""
    return [_due(incident, hours) for incident in case.rows(Incident) if _waits(case, incident)]


def remind(draft: Draft, hours: int) -> None:
    """Notify, more severely, of incidents that nobody has acknowledged in time.

    As many as one transaction takes. Missed reminders are made once.
    """
    for incident in draft.case.rows(Incident):
        if not draft.has_room(ROOM):
            return
        if not _waits(draft.case, incident) or _due(incident, hours) > draft.now or incident.waits_since is None:
            continue
        made = made_after(draft.now - incident.waits_since, hours)
        draft.put(incident.model_copy(update={"reminded": made}))
        draft.log("reminded", f"nobody has acknowledged it, reminder {made} of {MOST}", incident=incident.id)
        _notify(draft, incident, made)


def _waits(case: Case, incident: Incident) -> bool:
    return (
        incident.status in ANSWERED_BY_PEOPLE
        and incident.acknowledged_at is None
        and incident.waits_since is not None
        and incident.reminded < MOST
        and not incident.listed_once
        and incident.row_key not in case.kept
    )


def _due(incident: Incident, hours: int) -> datetime:
    return (incident.waits_since or incident.opened_at) + _after(incident.reminded, hours)


def _after(number: int, hours: int) -> timedelta:
    return timedelta(hours=hours << number)


def _notify(draft: Draft, incident: Incident, made: int) -> None:
    steps = draft.case.steps(incident.id)
    draft.notify(
        "unacknowledged",
        f"Not acknowledged: the incident about {name_of(incident)}",
        f"{what_happened(incident)} {what_is_true(incident, draft.case)} Nobody has acknowledged the incident since "
        f"{incident.waits_since:%Y-%m-%d %H:%MZ}. This is reminder {made} of {MOST}.",
        key=f"{incident.id}-{made}",
        severity=Severity.EMERGENCY,
        incident=incident.id,
        left_to_do=(
            decide("ack", incident.id, "Acknowledge it"),
            *tasks(incident, steps=steps),
        ),
        actor=[str(actor) for actor in incident.actors],
    )
