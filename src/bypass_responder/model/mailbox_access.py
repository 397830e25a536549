"""What others than the owner did in a watched mailbox, by day, and how far those days are read."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Self

from pydantic import model_validator

from bypass_responder.model.base import Stored, Utc, Value

MOST_NAMED = 5
"""Clients and addresses of one row."""
NOBODY = frozenset({"", "s-1-5-18", "not-found", "unknown"})
"""What a record has for a user where an application acts as nobody."""


class AccessLogon(StrEnum):
    """As what somebody acted in a mailbox that is not theirs."""

    ADMIN = "admin"
    DELEGATE = "delegate"
    OTHER = "other"
    """With the owner's logon type, or without one, and by another account than the owner's."""


class MailboxAccess(Stored):
    """One actor's operation in one mailbox on one day of UTC.

    Times are those of the first and the last record.
    """

    day: date
    mailbox: str
    """The owner's user principal name, as the records have it, in lower case."""
    mailbox_id: str = ""
    """Exchange's id of the mailbox: two mailboxes may bear one name, one after the other."""
    object_id: str = ""
    """The owner's id in Entra; empty where the directory did not give it."""
    actor: str
    """The user of the records, in lower case; empty for an application that acts as nobody."""
    actor_id: str = ""
    app_id: str = ""
    operation: str
    logon: AccessLogon
    count: int
    """Of records. One may stand for many messages (MailItemsAccessed)."""
    first: Utc
    last: Utc
    clients: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """The actor, for people."""
        return self.actor if self.actor not in NOBODY else f"application {self.app_id or 'unknown'}"

    @property
    def pair(self) -> str:
        """Mailbox and actor as a table key: what is known of them is known whatever they do."""
        return _hash(self.mailbox_id or self.mailbox, self.who)

    @property
    def digest(self) -> str:
        """Distinguishes the rows of a day."""
        return _hash(self.pair, self.operation.casefold(), self.logon)

    def plus(self, other: Self) -> Self:
        """Return this row with the records of another part of its day."""
        changes = {
            "count": self.count + other.count,
            "first": min(self.first, other.first),
            "last": max(self.last, other.last),
            "clients": merged(self.clients, other.clients),
            "addresses": merged(self.addresses, other.addresses),
        }
        return self.model_copy(update=changes)


def merged(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts of both, each once, up to ``MOST_NAMED``."""
    return tuple(dict.fromkeys(text for text in (*one, *other) if text))[:MOST_NAMED]


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


class AccessDay(Stored):
    """One day that was read, whole or so far."""

    day: date
    read_at: Utc
    source: str
    """``hunting`` or ``audit log``."""
    mailboxes: tuple[str, ...]
    """Those that were asked about, as the setting names them."""
    silent: bool = False
    """True: the source had no record of Exchange at all, so that nothing is known of the day."""
    unreadable: int = 0
    """Rows of the source that could not be read."""
    incomplete: tuple[str, ...] = ()
    """Mailboxes of which the source had more records than were read."""
    reported: tuple[str, ...] = ()
    """Pairs that were new on this day and of which people were notified."""

    @property
    def ended_at(self) -> datetime:
        """When the day is over, in UTC."""
        return midnight(self.day) + timedelta(days=1)


def midnight(day: date) -> datetime:
    """Return the beginning of a day of UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class AccessSearch(Stored):
    """A search of the audit log that is under way."""

    asked_at: Utc
    first: date
    last: date
    open: dict[str, str]
    """User principal name → what the source gave back to go on with; empty before the query is submitted."""
    failed: tuple[str, ...] = ()
    """Mailboxes that were not searched, each with why."""

    @property
    def days(self) -> list[date]:
        """Every day that it is about."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]

    def going_on(self, mailbox: str, memo: str) -> Self:
        """Return it with what the source gave back for a mailbox."""
        return self.model_copy(update={"open": self.open | {mailbox: memo}})

    def without(self, mailbox: str, *, failed: str = "") -> Self:
        """Return it with one mailbox less to search."""
        still = {name: memo for name, memo in self.open.items() if name != mailbox}
        more = (f"{mailbox}: {failed}",) if failed else ()
        return self.model_copy(update={"open": still, "failed": (*self.failed, *more)})

    @property
    def problem(self) -> str:
        """Why some mailbox was not searched; empty where all were."""
        return f"The audit log was not searched for {'; '.join(self.failed)}" if self.failed else ""


class AccessState(Stored):
    """What the watch of mailboxes remembers between two runs. ``etag`` is the row's."""

    next_at: Utc | None = None
    """It reads nothing before this time: the source refused, or asked to wait."""
    problem: str = ""
    """Why nothing can be read; empty while it can."""
    fix: str = ""
    problem_since: Utc | None = None
    watched: tuple[str, ...] = ()
    """The watched mailboxes at the last run: the console and bypassctl do not have the setting."""
    unresolved: tuple[str, ...] = ()
    """Watched mailboxes that the directory does not know by this name."""
    search: AccessSearch | None = None
    forgotten_at: Utc | None = None
    """When old rows were last deleted."""
    etag: str | None = None


class AccessFilter(Value):
    """Which rows are listed, the newest day first. Names are compared whole, without case."""

    mailbox: str = ""
    """User principal name, object id, or Exchange's id."""
    actor: str = ""
    """User principal name, object id, or application id."""
    logon: AccessLogon | None = None
    since: Utc
    until: Utc

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since >= self.until:
            msg = "since must be before until"
            raise ValueError(msg)
        return self

    def matches(self, row: MailboxAccess) -> bool:
        """Return True for a row that is asked for."""
        mailbox, actor = self.mailbox.strip().casefold(), self.actor.strip().casefold()
        return (
            self.since.date() <= row.day
            and midnight(row.day) < self.until
            and mailbox in {"", row.mailbox, row.object_id, row.mailbox_id}
            and actor in {"", row.actor, row.actor_id, row.app_id}
            and self.logon in {None, row.logon}
        )
