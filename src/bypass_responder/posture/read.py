"""What was read of a tenant, before it is compared."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bypass_responder.errors import InputError
from bypass_responder.model.exchange_read import Recipients
from bypass_responder.posture.mailbox import Bypassed, Mailbox, MailboxReader
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.sorted_rows import SortedRows

Mailboxes = list[Mailbox] | SortedRows[Mailbox]
MOST_PROBLEMS = 20


@dataclass
class Others:
    """What a list of bypasses says of the accounts that it does not name as bypassed."""

    off: set[str] = field(default_factory=set)
    """Ids of accounts whose bypass is off."""
    unclear: set[str] = field(default_factory=set)
    """Ids of accounts whose bypass could not be read."""
    unlisted_are_off: bool = True
    """False: a bypassed account may be missing in the list."""


@dataclass
class TenantRead:
    """The mailboxes of a tenant, its bypassed accounts and its switches, as far as they were read."""

    source: str
    """Which source was read: the worker, or files."""
    read_at: datetime | None = None
    """When the read began; None where it is not known."""
    mailboxes: Mailboxes = field(default_factory=list)
    bypassed: list[Bypassed] | None = None
    """None: not read."""
    organization: Organization = field(default_factory=Organization)
    whole: frozenset[Recipients] | None = None
    """Types of which no mailbox is missing; None: not known, and taken as all."""
    problems: list[str] = field(default_factory=list)
    """Why the read is partial; empty for a complete one."""
    others: Others = field(default_factory=Others)
    """What an export says of accounts that are not bypassed; the worker lists bypassed accounts only."""

    def problem(self, text: str) -> None:
        """Add a reason why the read is partial; a limited number is kept."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(text)
        elif len(self.problems) == MOST_PROBLEMS:
            self.problems.append("… and more")


def read_line(line: bytes, into: TenantRead, reader: MailboxReader) -> None:
    """Add the mailbox or the bypassed account of a line of the worker.

    One that cannot be read makes it partial.
    """
    try:
        found = reader.line(line)
    except InputError as error:
        into.problem(f"a line of {into.source} is unreadable: {error.detail}")
        return
    if isinstance(found, Mailbox):
        into.mailboxes.append(found)
    elif into.bypassed is None:
        into.bypassed = [found]
    else:
        into.bypassed.append(found)
