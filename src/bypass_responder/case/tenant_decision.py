"""A person's decision about the tenant, not an account: a warning, a read of all mailboxes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case import sweep_row
from bypass_responder.case.recorded_decision import log_decision, out_of_time, recorded_already, recorded_as, refuse
from bypass_responder.model.decision_message import Channel, DecisionMessage
from bypass_responder.model.incident import PersonDecision

if TYPE_CHECKING:
    from bypass_responder.case.draft import Draft


def accept_warning(draft: Draft, message: DecisionMessage, *, channel: Channel) -> PersonDecision:
    """Accept a warning of the sweeps, in the tenant's case, or refuse."""
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    text = message.warning or ""
    if why := out_of_time(message, draft.now) or sweep_row.warning_refusal(draft.case, text):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    sweep_row.accept_warning(draft, text, who=decision.who, reason=decision.reason)
    log_decision(draft, decision, "warning_accepted", f"{text}: {decision.reason}")
    return decision


def read_posture(draft: Draft, message: DecisionMessage, *, channel: Channel) -> PersonDecision:
    """Record that a person asked for a read of all mailboxes, or refuse.

    It begins unless one is under way.
    """
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    if why := out_of_time(message, draft.now):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    log_decision(draft, decision, "read_posture", decision.reason)
    return decision
