"""The decisions of people about incidents, warnings and allowlist entries, over all accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.model.incident import PersonDecision

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.ports import Ledger


class DecisionEntry(Value):
    """One decision of a person, and what came of it."""

    at: Utc
    """When the responder judged it."""
    sent_at: Utc
    decision: DecisionKind
    who: str
    verified: bool
    """False: nobody but the sender's own machine says who they are."""
    target: str
    incident_id: str
    """Empty for a decision about a warning or an allowlist entry."""
    reason: str
    outcome: Literal["carried_out", "refused"]
    why: str
    id: str


async def list_decisions(
    ledger: Ledger, *, since: datetime | None = None, until: datetime | None = None
) -> list[DecisionEntry]:
    """Return the decisions by time, from ``since`` to before ``until``. Reads every account."""
    found: list[DecisionEntry] = []
    for target in await ledger.targets():
        case = await ledger.load(target, history=True)
        found += [
            _entry(target, row)
            for row in case.rows(PersonDecision)
            if (since is None or row.at >= since) and (until is None or row.at < until)
        ]
    return sorted(found, key=lambda entry: (entry.at, entry.id))


def _entry(target: str, row: PersonDecision) -> DecisionEntry:
    return DecisionEntry(
        at=row.at,
        sent_at=row.sent_at,
        decision=row.verb,
        who=row.who,
        verified=row.channel.verified,
        target=target,
        incident_id=row.incident_id,
        reason=row.reason,
        outcome=row.outcome,
        why=row.why,
        id=row.id,
    )
