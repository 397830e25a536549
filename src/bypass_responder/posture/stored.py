"""A read of all mailboxes as it is stored: where its rows are, and what a page shows of it."""

from __future__ import annotations

from bypass_responder.model.base import Stored, Utc, Value
from bypass_responder.model.exchange_read import ReadResult
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


MOST_LINES = 200


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
    overview: Overview | None = None
