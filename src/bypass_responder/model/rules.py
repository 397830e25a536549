"""The mode and the protected accounts as the last run had them, so that the next one sees a change."""

from __future__ import annotations

from typing import ClassVar

from bypass_responder.model.base import Row, Utc


class RulesInForce(Row):
    """The settings that may weaken a decision after it was made. In the tenant's own case."""

    kind: ClassVar[str] = "rules"
    key: ClassVar[str] = "rules"
    mode: str
    protected: tuple[str, ...] = ()
    since: Utc
    """When a run first had these rules."""
    visit_from: Utc | None = None
    """When cases with unfinished incidents are visited, because the mode changed; None: all were."""
    visit_before: Utc | None = None
    """Only those with incidents opened before this are left; None: all are."""
