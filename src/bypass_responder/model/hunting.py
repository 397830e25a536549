"""What the hunting sensor remembers, and when each sensor brought a record."""

from __future__ import annotations

from bypass_responder.model.base import Utc, Value


class HuntingState(Value):
    """The hunting sensor between two runs. ``etag`` is the row's; None before the first save."""

    first_success_at: Utc | None = None
    last_success_at: Utc | None = None
    off_because: str = ""
    """Why it cannot read: no permission, license or table. Empty while it can."""
    off_since: Utc | None = None
    failing_since: Utc | None = None
    failure: str = ""
    next_at: Utc | None = None
    """It does not run before this time: it is off, or the service asked it to wait."""
    empty_since: Utc | None = None
    """Since when the table has had no row of Exchange for a day. None: it has rows."""
    days_read_at: Utc | None = None
    """When the last seven days were last read; the runs between read one day."""
    etag: str | None = None

    @property
    def works(self) -> bool:
        """True when the last run could read, and the table has rows of Exchange."""
        return bool(self.last_success_at and not self.off_because and not self.failing_since and not self.empty_since)


class Arrival(Value):
    """A sensor brought a record for the first time."""

    record_id: str
    """Of the finding, where the record became one."""
    sensor: str
    occurred_at: Utc
    arrived_at: Utc

    @property
    def delay_seconds(self) -> float:
        """From the event to its arrival; zero where the clocks disagree."""
        return max(0.0, (self.arrived_at - self.occurred_at).total_seconds())
