"""What a listing shows of one case. Derived from the ledger, repaired from it."""

from __future__ import annotations

from typing import Literal

from bypass_responder.model.base import Utc, Value


class IndexEntry(Value):
    """One line of a listing, newest first: an incident, or a finding that opened none (stood down, attempt, …)."""

    id: str
    target: str
    kind: Literal["incident", "stood_down", "attempt", "switched_off", "unconfirmed"]
    status: str
    at: Utc
    account: str
    """The best name there is for the target."""
    actor: str
    reason: str
