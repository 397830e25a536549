"""A person takes an incident on, and everybody is notified of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case import filing
from bypass_responder.case.decision_refusal import refusal
from bypass_responder.case.recorded_decision import log_decision, out_of_time, recorded_already, recorded_as, refuse
from bypass_responder.case.reminder import give_to, has_it_already, who_has_it
from bypass_responder.case.tasks import decide, show
from bypass_responder.model.notification import EVERYBODY, Severity

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft
    from bypass_responder.model.account import Account
    from bypass_responder.model.decision_message import Channel, DecisionMessage
    from bypass_responder.model.incident import Incident, PersonDecision


def acknowledge(
    draft: Draft, message: DecisionMessage, *, channel: Channel, itself: Account | None = None
) -> PersonDecision:
    """Record who has the incident now, and notify every receiver; or refuse, as any decision about it.

    A second acknowledgment by the same person is not notified. ``itself``: the author's account.
    """
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    why = out_of_time(message, draft.now) or refusal(draft.case, message, enforce=True, itself=itself)
    if why:
        incident = draft.case.incident(message.incident_id)
        repeated = incident is not None and bool(has_it_already(incident, message.author.name))
        return refuse(draft, message, why, channel=channel, notified=not repeated)
    filing.take_back(draft, message.incident_id)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    incident = give_to(draft, message.incident_id, message.author.name)
    if incident is not None:
        log_decision(draft, decision, "acknowledged", decision.reason)
        _notify(draft, incident, decision)
    return decision


def _notify(draft: Draft, incident: Incident, decision: PersonDecision) -> None:
    draft.notify(
        "acknowledged",
        f"{decision.author.name} has it: {incident.account or incident.target}",
        f"{who_has_it(incident)}. Incident {incident.id} is {incident.status.value}, and the reminders have stopped.",
        key=f"{incident.id}-{decision.id}",
        severity=Severity.INFO,
        incident=incident.id,
        left_to_do=(show(incident.id), decide("ack", incident.id, "To take it over")),
        to=EVERYBODY,
    )
