"""The lines of listings: what is asked of the index, and one page of its answer."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from bypass_responder.model.base import Utc, Value
from bypass_responder.model.incident_status import NEEDS_DECISION, IncidentStatus

MOST_COUNTED = 1_000
"""Entries that are counted; more are not."""


class IndexEntry(Value):
    """One line of a listing: an incident, or a finding without one (stood down, attempt, …)."""

    id: str
    target: str
    kind: Literal["incident", "stood_down", "attempt", "switched_off", "unconfirmed"]
    status: str
    at: Utc
    account: str
    """The best name there is for the target."""
    actor: str
    reason: str
    accounts: tuple[str, ...] = ()
    """Names and ids of the target by which the entry is found, in lower case."""
    actors: tuple[str, ...] = ()
    """Names and ids of the actors by which it is found, in lower case."""
    acknowledged_by: str = ""
    """The person who has the incident."""


class IndexFilter(Value):
    """Which entries are listed.

    Names are compared without case; a GUID or a name with ``@`` is compared whole.
    """

    kinds: tuple[str, ...] | None = None
    """None: every kind."""
    statuses: tuple[IncidentStatus, ...] = ()
    """Of incidents. Empty: every status."""
    account: str = ""
    """The target: object id, user principal name, or the beginning of it."""
    actor: str = ""
    """An actor, by the same."""
    person: str = ""
    """Target or actor, by the same."""
    since: Utc | None = None
    """Opened at or after."""
    until: Utc | None = None
    """Opened before."""
    oldest_first: bool = False
    """Only for incidents that need a decision."""

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        waiting = bool(self.statuses) and NEEDS_DECISION.issuperset(self.statuses)
        if self.oldest_first and not (waiting and not (self.account or self.actor or self.person)):
            msg = "oldest_first lists held and failed incidents only, of all accounts"
            raise ValueError(msg)
        if self.person and (self.account or self.actor):
            msg = "person already includes account and actor: give one of them"
            raise ValueError(msg)
        if self.since and self.until and self.since >= self.until:
            msg = "since must be before until"
            raise ValueError(msg)
        return self


class IndexPage(Value):
    """Some entries, and where the next ones begin."""

    entries: tuple[IndexEntry, ...]
    next: str | None = None
    """Pass it as ``after`` for the next page; None: there are no more."""
