"""A read of all mailboxes as it is stored: where its rows are, and what a page shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bypass_responder.model.base import Stored, Utc, Value
from bypass_responder.model.exchange_read import ReadResult, Recipients
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.summary import Summary
from bypass_responder.posture.verdict import Audited, Issue


class ToDo(Value):
    """An issue with the mailboxes that have it counted, its meaning and its fix."""

    issue: Issue
    mailboxes: int
    meaning: str
    fix: str


class MailboxLine(Value):
    """One mailbox as a page lists it."""

    id: str
    name: str
    type: str
    watched: bool
    new: bool
    audited: Audited
    why: str
    issues: tuple[Issue, ...]
    missing: str
    """Of the baseline, by logon type."""
    changed: str


class AccountLine(Value):
    """A bypassed account without a mailbox."""

    id: str
    name: str
    ticket: str
    """Of its allowlist entry; empty where none is known."""


class Overview(Value):
    """A report in short: all numbers, and the mailboxes that come first."""

    state: str
    clean: bool
    problems: tuple[str, ...]
    """Why the read is partial."""
    organization: Organization
    baseline: str
    summary: Summary
    to_do: tuple[ToDo, ...]
    watched_not_read: tuple[str, ...]
    mailboxes: tuple[MailboxLine, ...]
    """At most ``MOST_LINES``, with something to know, in the order of the report."""
    left_out: int
    without_mailbox: tuple[AccountLine, ...]
    """At most ``MOST_LINES``."""
    without_mailbox_left_out: int = 0


MOST_LINES = 200
MAILBOXES = frozenset(Recipients) - {Recipients.BYPASSED}
"""Every type of mailboxes."""


class PostureRead(Stored):
    """One read of all mailboxes that has ended. ``overview`` is added once it was compared."""

    schema_version: int = 1
    id: str
    read_at: Utc
    """When its first part began."""
    ended_at: Utc
    results: tuple[ReadResult, ...]
    """The parts, whose rows are the mailboxes and the bypassed accounts."""
    bypassed_read: bool
    """False: the list of bypassed accounts is missing."""
    organization: Organization
    problems: tuple[str, ...] = ()
    """Why it is partial: parts that are missing, overlap or ended early."""
    recipients: tuple[Recipients, ...] = ()
    """Which mailboxes each result has; empty in a row of an earlier version."""
    comparable: tuple[Recipients, ...] | None = None
    """Types that were read to their end; None in a row of an earlier version."""
    whole: tuple[Recipients, ...] | None = None
    """Types of which no mailbox is missing; None as above."""
    complete_at: Utc | None = None
    """When the last complete read up to this one began; where there was none, the first one."""
    overview: Overview | None = None

    @property
    def complete(self) -> bool:
        """True when neither the read nor its comparison lacks anything."""
        return not self.problems and (self.overview is None or self.overview.summary.complete)

    def comparable_types(self) -> frozenset[Recipients]:
        """Return the types whose mailboxes can be compared with those of another read."""
        return self._known(self.comparable)

    def whole_types(self) -> frozenset[Recipients]:
        """Return the types of which no mailbox is missing."""
        return self._known(self.whole)

    def _known(self, types: tuple[Recipients, ...] | None) -> frozenset[Recipients]:
        if types is None:
            return frozenset() if self.problems else MAILBOXES
        return frozenset(types)


def complete_at(read: PostureRead, earlier: Sequence[PostureRead]) -> datetime:
    """Return when the last complete read began; ``earlier``: the reads before, the newest first."""
    for each in (read, *earlier):
        if each.complete:
            return each.read_at
        if each.complete_at:
            return each.complete_at
    return min(each.read_at for each in (read, *earlier))
