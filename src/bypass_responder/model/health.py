"""The tenant's own case: health alerts, and evidence of tampering with organization-wide switches."""

from __future__ import annotations

from typing import ClassVar

from bypass_responder.model.base import Row, Utc
from bypass_responder.model.change import Actor, Outcome
from bypass_responder.model.finding import Evidence
from bypass_responder.model.notification import Severity


class HealthAlert(Row):
    """A condition that blinds the responder, or that an attacker would cause. In the tenant's own case."""

    kind: ClassVar[str] = "alert"
    id: str
    severity: Severity
    detail: str
    advice: str
    since: Utc
    seen_at: Utc | None = None
    """When it was last seen to be so; None: not since it was raised."""
    recovered_at: Utc | None = None
    episode: int = 1

    @property
    def ongoing(self) -> bool:
        """True while it is not over."""
        return self.recovered_at is None


class Tampering(Row):
    """Evidence that an organization-wide audit switch was changed. In the tenant's own case."""

    kind: ClassVar[str] = "tampering"
    id: str
    occurred_at: Utc
    operation: str
    parameter: str
    value: str
    weakens: bool
    outcome: Outcome
    actor: Actor
    evidence: Evidence
