"""Where an incident is, and which of it is for people."""

from __future__ import annotations

from enum import StrEnum


class IncidentStatus(StrEnum):
    """Where an incident is. The last three are final."""

    OPEN = "open"
    HELD = "held"
    FAILED = "failed"
    CONTAINED = "contained"
    RESTORED = "restored"
    """Auditing is restored, and the account was not to be blocked."""
    OBSERVED = "observed"
    DISMISSED = "dismissed"
    RELEASED = "released"
    CLOSED = "closed"

    @property
    def final(self) -> bool:
        """True when a person has ended the incident."""
        return self in {IncidentStatus.DISMISSED, IncidentStatus.RELEASED, IncidentStatus.CLOSED}


ANSWERED_BY_PEOPLE = frozenset({IncidentStatus.HELD, IncidentStatus.FAILED, IncidentStatus.CONTAINED})
"""Statuses in which somebody has to take the incident on."""
UNFINISHED = frozenset({IncidentStatus.OPEN, IncidentStatus.HELD, IncidentStatus.FAILED, IncidentStatus.OBSERVED})
"""Statuses of an incident that has steps left to do or to decide."""
NEEDS_DECISION = frozenset({IncidentStatus.HELD, IncidentStatus.FAILED})
"""Statuses of an incident that waits for a person."""
