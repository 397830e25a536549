"""Mailboxes and their verdicts as tuples of texts and numbers, for rows that are kept in files. Pure."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from bypass_responder.posture.baseline import License
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.drift import Change
from bypass_responder.posture.mailbox import Audit, Mailbox
from bypass_responder.posture.sorted_rows import SortedRows
from bypass_responder.posture.verdict import Verdict

T = TypeVar("T")
_LICENSES = {each.value: each for each in License}


class Shared(Generic[T]):
    """Objects that many rows share, each under a number. They stay in memory."""

    def __init__(self) -> None:
        """Start without any."""
        self._numbers: dict[int, int] = {}
        self._known: list[T] = []

    def number(self, value: T) -> int:
        """Return the number of this object."""
        found = self._numbers.get(id(value))
        if found is None:
            found = self._numbers[id(value)] = len(self._known)
            self._known.append(value)
        return found

    def __getitem__(self, number: int) -> T:
        """Return the object."""
        return self._known[number]


class PackedMailboxes:
    """Makes mailboxes tuples, and back."""

    def __init__(self) -> None:
        """Start without settings."""
        self._audits: Shared[Audit] = Shared()

    def pack(self, mailbox: Mailbox) -> tuple[Any, ...]:
        """Return the tuple of a mailbox."""
        return (*mailbox[:7], mailbox.license.value, self._audits.number(mailbox.audit), mailbox.delegated)

    def unpack(self, row: tuple[Any, ...]) -> Mailbox:
        """Return the mailbox of a tuple."""
        return Mailbox._make((*row[:7], _LICENSES[row[7]], self._audits[row[8]], row[9]))


def key_of(mailbox: Mailbox) -> str:
    """Return the id by which mailboxes are joined; empty without one."""
    return mailbox.object_id or mailbox.exchange_guid or ""


def mailboxes_by_id() -> SortedRows[Mailbox]:
    """Return an empty list of mailboxes in the order of their ids."""
    packed = PackedMailboxes()
    return SortedRows(key_of, packed.pack, packed.unpack)


def rows_in_order() -> SortedRows[MailboxPosture]:
    """Return an empty list of rows in the order of a report; those of one place stay as they come."""
    packed, verdicts = PackedMailboxes(), Shared[Verdict]()

    def pack(row: MailboxPosture) -> tuple[Any, ...]:
        verdict = verdicts.number(row.verdict)
        return packed.pack(row.mailbox), verdict, row.bypassed, row.watched, row.new, tuple(map(tuple, row.changed))

    def unpack(row: tuple[Any, ...]) -> MailboxPosture:
        mailbox, verdict, bypassed, watched, new, changed = row
        changes = tuple(Change(*each) for each in changed)
        return MailboxPosture(packed.unpack(mailbox), verdicts[verdict], bypassed, watched, new, changes)

    return SortedRows(_place, pack, unpack)


def _place(row: MailboxPosture) -> tuple[bool, bool, int]:
    """Return what sorts a row: watched, then opened by others, then the worst."""
    return not row.watched, not row.mailbox.delegated, row.verdict.rank
