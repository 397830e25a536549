"""What the case records of a person's decision of any kind: outcome, reason, line of the log. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from bypass_responder.case.tasks import Task
from bypass_responder.model.decision_message import Channel, DecisionMessage
from bypass_responder.model.incident import PersonDecision
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.log import Event

CLOCK_SKEW = timedelta(minutes=5)
MOST_REFUSED = 100
"""Refusals of one channel that are notified in one case within an hour; more are recorded and logged only."""


def recorded_already(draft: Draft, message: DecisionMessage) -> PersonDecision | None:
    """Return what the case has recorded for this message."""
    return draft.case.row(PersonDecision, f"person-{message.message_id}")


def recorded_as(
    draft: Draft, message: DecisionMessage, channel: Channel, *, outcome: Literal["carried_out", "refused"], why: str
) -> PersonDecision:
    """Record a decision with its outcome."""
    decision = PersonDecision(
        id=message.message_id,
        incident_id=message.incident_id,
        verb=message.kind,
        author=message.author,
        channel=channel,
        reason=message.reason,
        account=message.account,
        warning=message.warning,
        entry_sha256=message.entry_sha256,
        shown=message.shown.findings,
        incidents=message.shown.incidents,
        sent_at=message.sent_at,
        at=draft.now,
        outcome=outcome,
        why=why,
    )
    draft.put(decision)
    return decision


def out_of_time(message: DecisionMessage, now: datetime) -> str:
    """Return why a message is too late, or too early; empty when it is neither."""
    if now > message.not_after:
        return f"It ended at {message.not_after:%Y-%m-%d %H:%M:%SZ}, before the responder could carry it out."
    if message.sent_at > now + CLOCK_SKEW:
        return f"It says that it was sent at {message.sent_at:%Y-%m-%d %H:%M:%SZ}, which is in the future."
    return ""


def refuse(
    draft: Draft, message: DecisionMessage, why: str, *, channel: Channel, notified: bool = True
) -> PersonDecision:
    """Record a refusal with its reason, and notify people of it: somebody relies on the decision."""
    recorded = recorded_already(draft, message)
    if recorded is not None:
        return recorded
    quiet = not notified or _are_many(draft, channel)
    decision = recorded_as(draft, message, channel, outcome="refused", why=why)
    log_decision(draft, decision, "decision_refused", f"{message.kind.value}: {why}")
    if quiet:
        return decision
    draft.notify(
        "decision_refused",
        f"Not carried out: {message.kind.value} of {message.subject}",
        f"{decision.who} decided it at {message.sent_at:%Y-%m-%d %H:%M:%SZ}. {why}",
        key=message.message_id,
        severity=Severity.WARNING,
        incident=message.incident_id or None,
        left_to_do=(Task("Read it, and decide again", message.read_again),),
    )
    return decision


def _are_many(draft: Draft, channel: Channel) -> bool:
    """Return True when this channel had its share: what is only claimed never silences what is verified."""
    refused = [row for row in draft.case.rows(PersonDecision) if row.outcome == "refused" and row.channel is channel]
    return sum(draft.now - row.at < timedelta(hours=1) for row in refused) >= MOST_REFUSED


def log_decision(draft: Draft, decision: PersonDecision, event: Event, text: str, **facts: Any) -> None:  # noqa: ANN401 - any JSON value
    """Write the line of the response log that covers a recorded decision."""
    carried_out = decision.outcome == "carried_out"
    draft.log(
        event,
        f"{text} ({decision.why})" if carried_out and decision.why else text,
        incident=decision.incident_id or None,
        who=decision.who,
        account=decision.account,
        decision=decision.id,
        digest=decision.digest(),
        channel=decision.channel.value,
        sent_at=decision.sent_at.isoformat(),
        **facts,
    )
