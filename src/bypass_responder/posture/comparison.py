"""A tenant's mailboxes against the baselines: a row for each, and what they have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from bypass_responder.model.base import counted
from bypass_responder.model.exchange_read import Recipients
from bypass_responder.posture.authors import Authors, PlannedSettings
from bypass_responder.posture.baseline import Measures, exchange_rules
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.drift import changes
from bypass_responder.posture.mailbox import Audit, Bypassed, Mailbox
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.packed import key_of, rows_in_order
from bypass_responder.posture.read import Mailboxes, TenantRead
from bypass_responder.posture.sorted_rows import SortedRows
from bypass_responder.posture.verdict import Judge

if TYPE_CHECKING:
    from bypass_responder.model.health import Tampering

_END: tuple[None, Iterable[Mailbox]] = (None, ())
_NOT_KNOWN = "whether their accounts are bypassed is not known"


@dataclass(frozen=True)
class Comparison:
    """The answer for a tenant.

    Watched mailboxes come first, then those that others open; the worst first.
    """

    source: str
    read_at: datetime | None
    measures: Measures
    organization: Organization
    problems: tuple[str, ...]
    """Why the read is partial."""
    rows: Sequence[MailboxPosture]
    """In memory up to a number, then in a file: read them in their order."""
    without_mailbox: tuple[Bypassed, ...]
    """Bypassed accounts that are no mailbox that was read."""
    bypassed: int | None
    """How many accounts are bypassed; None: not read."""
    unseen: tuple[str, ...]
    """Watched mailboxes that were not read."""
    gone: tuple[str, ...]
    """Ids of the read before that this one does not have."""
    compared_with: datetime | None = None
    """When the read before began; None without one."""

    @property
    def partial(self) -> bool:
        """True: something is missing, so nothing here is clean."""
        return bool(self.problems)


class Before(NamedTuple):
    """The read before."""

    read_at: datetime | None
    mailboxes: Mailboxes
    whole: frozenset[Recipients] | None = None
    """Types of which no mailbox is missing, so that others are new; None: all."""


def compare(
    read: TenantRead,
    measures: Measures,
    *,
    watched: Collection[str] = (),
    before: Before | None = None,
    records: Iterable[Tampering] = (),
    planned: Mapping[str, PlannedSettings] = MappingProxyType({}),
) -> Comparison:
    """Return the comparison of a read. Its memory does not grow with the number of mailboxes.

    ``watched``: object ids or addresses, in lower case. ``records``: changes of mailboxes between the two reads.
    ``planned``: what our own runs set in that time, by object id.
    """
    judge = Judge(read.organization, measures)
    accounts = _Accounts(read)
    authors = Authors(records, planned)
    joined = _Joined(read.mailboxes, before.mailboxes if before else [], read.whole)
    rows = rows_in_order()
    met: set[str | None] = set()
    seen: set[str] = set()
    for mailbox, previous in joined:
        bypassed = accounts.of(mailbox)
        if bypassed:
            met |= {mailbox.object_id, mailbox.exchange_guid}
        is_watched = bool(watched) and _is_watched(mailbox, watched)
        if is_watched:
            seen |= mailbox.names
        rows.append(
            MailboxPosture(
                mailbox,
                judge(mailbox, bypassed),
                bypassed,
                is_watched,
                before is not None and previous is None and _is_whole(mailbox, before.whole),
                authors.of(mailbox, changes(previous, mailbox.audit)) if previous is not None else (),
            )
        )
    return Comparison(
        source=read.source,
        read_at=read.read_at,
        measures=measures,
        organization=read.organization,
        problems=(*read.problems, *_unread(read), *joined.problems, *_unjoinable(read.bypassed), *accounts.problems),
        rows=rows,
        without_mailbox=tuple(sorted((one for one in read.bypassed or () if not met & {*one[:2]}), key=_account)),
        bypassed=None if read.bypassed is None else len(read.bypassed),
        unseen=tuple(sorted({*watched} - seen)),
        gone=tuple(joined.gone),
        compared_with=before.read_at if before else None,
    )


class _Accounts:
    """The bypassed accounts by id.

    Accounts with one kind of id only cannot be joined to mailboxes with the other.
    """

    def __init__(self, read: TenantRead) -> None:
        bypassed = read.bypassed
        self._read = bypassed is not None
        self._others = read.others
        self._unlisted_are_off = read.others.unlisted_are_off and not _without_id(bypassed)
        self._groups = exchange_rules().fixed_set
        self._ids = {each for one in bypassed or () for each in one[:2] if each}
        self._without_object_id = any(one.exchange_guid and not one.object_id for one in bypassed or ())
        self._without_guid = any(one.object_id and not one.exchange_guid for one in bypassed or ())
        self._apart = self._unlisted = 0

    def of(self, mailbox: Mailbox) -> bool | None:
        """Return whether the account of a mailbox is bypassed; None where that is not known."""
        if not (self._read and mailbox.key):
            return None
        if mailbox.object_id in self._ids or mailbox.exchange_guid in self._ids:
            return True
        by_guid_alone = self._without_object_id and not mailbox.exchange_guid
        if by_guid_alone or (self._without_guid and not mailbox.object_id):
            self._apart += 1
            return None
        return False if self._unlisted_are_off else self._as_listed(mailbox)

    def _as_listed(self, mailbox: Mailbox) -> bool | None:
        """Return False for a mailbox with a separate row, and for a group: the list has no groups."""
        ids = {mailbox.object_id, mailbox.exchange_guid}
        if ids & self._others.unclear:
            return None
        if ids & self._others.off or mailbox.type in self._groups:
            return False
        self._unlisted += 1
        return None

    @property
    def problems(self) -> list[str]:
        """What could not be joined, once all mailboxes were asked for."""
        found = []
        if self._apart:
            have = counted(self._apart, "mailbox has", "mailboxes have")
            export = "Export Guid and ExternalDirectoryObjectId of both"
            found.append(f"{have} no id that every bypassed account has: {_NOT_KNOWN}. {export}")
        if self._unlisted:
            are = counted(self._unlisted, "mailbox is", "mailboxes are")
            export = "Export Get-MailboxAuditBypassAssociation -ResultSize Unlimited again, with Guid"
            found.append(f"{are} in no row of the list of bypasses: {_NOT_KNOWN}. {export}")
        return found


class _Joined:
    """The mailboxes by id, without those that came twice, each with its settings in the read before."""

    def __init__(self, mailboxes: Mailboxes, before: Mailboxes, whole: frozenset[Recipients] | None) -> None:
        self._mailboxes, self._before, self._whole = mailboxes, before, whole
        self.gone: list[str] = []
        self._several: list[str] = []
        self._overlap = self._nameless = 0

    def __iter__(self) -> Iterator[tuple[Mailbox, Audit | None]]:
        earlier = groupby(_by_id(self._before), key_of)
        key, settings = next(earlier, _END)
        for wanted, group in groupby(_by_id(self._mailboxes), key_of):
            while key is not None and key < wanted:
                self._note_gone(key, settings)
                key, settings = next(earlier, _END)
            previous = None
            if key == wanted:
                previous = [each.audit for each in settings][-1] if key else None
                key, settings = next(earlier, _END)
            mailboxes = [*group]
            if len(mailboxes) > 1 or not wanted:
                mailboxes = self._distinct(wanted, mailboxes)
            for mailbox in mailboxes:
                yield mailbox, previous
        while key is not None:
            self._note_gone(key, settings)
            key, settings = next(earlier, _END)

    def _note_gone(self, key: str, mailboxes: Iterable[Mailbox]) -> None:
        """Note a mailbox that is not there, unless its type was not read whole."""
        if key and all(_is_whole(each, self._whole) for each in mailboxes):
            self.gone.append(key)

    def _distinct(self, key: str, mailboxes: list[Mailbox]) -> list[Mailbox]:
        distinct = sorted({*mailboxes}, key=repr)
        self._overlap += len(mailboxes) - len(distinct)
        if not key:
            self._nameless = len(distinct)
        elif len(distinct) > 1:
            self._several.append(key)
        return distinct

    @property
    def problems(self) -> list[str]:
        """What is wrong with the ids, once all were read."""
        found = []
        if self._overlap:
            were = counted(self._overlap, "mailbox was", "mailboxes were")
            found.append(f"{were} read twice: parts of the read overlap")
        if several := self._several:
            found.append(f"{len(several)} ids have several mailboxes: {', '.join(several[:3])}")
        if self._nameless:
            have = counted(self._nameless, "mailbox has", "mailboxes have")
            found.append(f"{have} no id: {_NOT_KNOWN}")
        return found


def _is_whole(mailbox: Mailbox, whole: frozenset[Recipients] | None) -> bool:
    return whole is None or Recipients.of(mailbox.type) in whole


def _is_watched(mailbox: Mailbox, watched: Collection[str]) -> bool:
    return mailbox.object_id in watched or mailbox.upn.lower() in watched or mailbox.address.lower() in watched


def _by_id(mailboxes: Mailboxes) -> Iterable[Mailbox]:
    return mailboxes if isinstance(mailboxes, SortedRows) else sorted(mailboxes, key=key_of)


def _account(account: Bypassed) -> tuple[str, str, str]:
    return (account.object_id or "", account.exchange_guid or "", account.name)


def _unread(read: TenantRead) -> list[str]:
    """Return what was not read at all, and what reads it."""
    found = []
    if not read.mailboxes:
        found.append("no mailbox was read: Get-EXOMailbox -PropertySets Minimum,Audit -ResultSize Unlimited")
    if read.bypassed is None:
        found.append("bypassed accounts were not read: Get-MailboxAuditBypassAssociation -ResultSize Unlimited")
    if unread := read.organization.unread:
        found.append(f"{unread} not read: Get-OrganizationConfig, Get-AdminAuditLogConfig")
    return found


def _unjoinable(bypassed: Collection[Bypassed] | None) -> list[str]:
    """Return a problem where a bypassed account has no id, so that any mailbox may be its own."""
    if not (without := _without_id(bypassed)):
        return []
    accounts = counted(without, "bypassed account has", "bypassed accounts have")
    return [f"{accounts} no id: one of the mailboxes may be theirs. Names are not joined"]


def _without_id(bypassed: Collection[Bypassed] | None) -> int:
    return sum(not (one.object_id or one.exchange_guid) for one in bypassed or ())
