"""A test of the notifications: a person asks for one, and it takes the way of every other. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.recorded_decision import log_decision, out_of_time, recorded_already, recorded_as, refuse
from bypass_responder.case.tasks import Task
from bypass_responder.model.notification import EVERYBODY, Severity

if TYPE_CHECKING:
    from collections.abc import Collection

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.decision_message import Channel, DecisionMessage
    from bypass_responder.model.incident import PersonDecision


def send_test(
    draft: Draft, message: DecisionMessage, *, channel: Channel, receivers: Collection[str]
) -> PersonDecision:
    """Put a test notification in the tenant's case, or refuse. ``receivers``: the names that there are."""
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    if why := out_of_time(message, draft.now) or _refusal(message, receivers):
        return refuse(draft, message, why, channel=channel)
    decision = recorded_as(draft, message, channel, outcome="carried_out", why="")
    log_decision(draft, decision, "test_notification", f"to {message.receiver or 'all receivers'}")
    draft.notify(
        "test",
        "Test of the notifications",
        f"{decision.who} asked for this test at {message.sent_at:%Y-%m-%d %H:%M:%SZ}. Nothing has happened.",
        key=message.message_id,
        severity=Severity.INFO,
        left_to_do=(Task("Nothing. To see which receivers accepted it", "bypassctl status"),),
        to=message.receiver or EVERYBODY,
        message=message.message_id,
    )
    return decision


def _refusal(message: DecisionMessage, receivers: Collection[str]) -> str:
    """Return why no test can be sent, with the fix; empty when it can."""
    if not receivers:
        return "The app has no receiver: set NOTIFICATION_RECEIVERS or NOTIFICATION_WEBHOOK_URL."
    if message.receiver is not None and message.receiver not in receivers:
        return f"The app has no receiver {message.receiver}. It has: {', '.join(sorted(receivers))}."
    return ""
