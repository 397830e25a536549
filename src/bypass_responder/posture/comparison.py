"""A tenant's mailboxes against the baselines: a row for each, and what they have in common. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from bypass_responder.model.base import counted
from bypass_responder.posture.baseline import Measures
from bypass_responder.posture.drift import Change, changes
from bypass_responder.posture.mailbox import Audit, Bypassed, Mailbox
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.read import TenantRead
from bypass_responder.posture.verdict import Judge, Verdict


class MailboxPosture(NamedTuple):
    """One mailbox with its verdict."""

    mailbox: Mailbox
    verdict: Verdict
    bypassed: bool | None
    """None: not known."""
    watched: bool = False
    new: bool = False
    """True: the read before did not have it."""
    changed: tuple[Change, ...] = ()
    """Since the read before."""


@dataclass(frozen=True)
class Comparison:
    """The answer for a tenant. Watched mailboxes come first, then those that others open; the worst first."""

    source: str
    read_at: datetime | None
    measures: Measures
    organization: Organization
    problems: tuple[str, ...]
    """Why the read is partial."""
    rows: tuple[MailboxPosture, ...]
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
    """The read before: the settings of each mailbox by its id."""

    read_at: datetime | None
    settings: Mapping[str, Audit]


def compare(
    read: TenantRead, measures: Measures, *, watched: Collection[str] = (), before: Before | None = None
) -> Comparison:
    """Return the comparison of a read. ``watched``: object ids or addresses, in lower case."""
    mailboxes, doubled, overlap = _distinct(read.mailboxes)
    judge = Judge(read.organization, measures)
    on = None if read.bypassed is None else {each for one in read.bypassed for each in one[:2] if each}
    known = before.settings if before else {}
    rows: list[MailboxPosture] = []
    met: set[str | None] = set()
    for mailbox in mailboxes:
        object_id, exchange_guid = mailbox.object_id, mailbox.exchange_guid
        key = object_id or exchange_guid
        bypassed = None if on is None or key is None else (object_id in on or exchange_guid in on)
        if bypassed:
            met |= {object_id, exchange_guid}
        previous = known.get(key) if key else None
        rows.append(
            MailboxPosture(
                mailbox,
                judge(mailbox, bypassed),
                bypassed,
                _is_watched(mailbox, watched) if watched else False,
                before is not None and previous is None,
                changes(previous, mailbox.audit) if previous is not None else (),
            )
        )
    rows.sort(key=lambda row: _place(row, doubled))
    return Comparison(
        source=read.source,
        read_at=read.read_at,
        measures=measures,
        organization=read.organization,
        problems=(*read.problems, *_unread(read), *_problems(mailboxes, doubled, overlap), *_unjoinable(read.bypassed)),
        rows=tuple(rows),
        without_mailbox=tuple(sorted((one for one in read.bypassed or () if not met & {*one[:2]}), key=_account)),
        bypassed=None if read.bypassed is None else len(read.bypassed),
        unseen=_unseen(watched, rows),
        gone=_gone(known, rows),
        compared_with=before.read_at if before else None,
    )


def _distinct(mailboxes: Iterable[Mailbox]) -> tuple[list[Mailbox], set[str], int]:
    """Return the mailboxes without those that came twice, the ids that several have, and how many came twice."""
    first: dict[str, Mailbox] = {}
    others: dict[str, list[Mailbox]] = {}
    found: list[Mailbox] = []
    overlap = 0
    for mailbox in mailboxes:
        key = mailbox.object_id or mailbox.exchange_guid or ""
        if key not in first:
            first[key] = mailbox
        elif mailbox == first[key] or mailbox in others.get(key, ()):
            overlap += 1
            continue
        else:
            others.setdefault(key, []).append(mailbox)
        found.append(mailbox)
    return found, others.keys() | first.keys() & {""}, overlap


def _place(row: MailboxPosture, doubled: Collection[str]) -> str:
    """Return what sorts a row: watched, then opened by others, then the worst, then by id."""
    mailbox = row.mailbox
    key = mailbox.object_id or mailbox.exchange_guid or ""
    last = repr(mailbox) if key in doubled else ""
    return f"{not row.watched:d}{not mailbox.delegated:d}{row.verdict.rank:04}{key}{last}"


def _account(account: Bypassed) -> tuple[str, str, str]:
    return (account.object_id or "", account.exchange_guid or "", account.name)


def _is_watched(mailbox: Mailbox, watched: Collection[str]) -> bool:
    return mailbox.object_id in watched or mailbox.upn.lower() in watched or mailbox.address.lower() in watched


def _unseen(watched: Collection[str], rows: Collection[MailboxPosture]) -> tuple[str, ...]:
    if not watched:
        return ()
    seen = {name for row in rows if row.watched for name in _names(row.mailbox)}
    return tuple(sorted({*watched} - seen))


def _names(mailbox: Mailbox) -> tuple[str, ...]:
    return (mailbox.object_id or "", mailbox.upn.lower(), mailbox.address.lower())


def _gone(known: Mapping[str, Audit], rows: Collection[MailboxPosture]) -> tuple[str, ...]:
    return tuple(sorted(known.keys() - {row.mailbox.key for row in rows})) if known else ()


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


def _problems(mailboxes: Collection[Mailbox], doubled: Collection[str], overlap: int) -> list[str]:
    found = []
    if overlap:
        found.append(f"{counted(overlap, 'mailbox was', 'mailboxes were')} read twice: parts of the read overlap")
    if several := sorted(filter(None, doubled)):
        found.append(f"{len(several)} ids have several mailboxes: {', '.join(several[:3])}")
    if "" in doubled:
        nameless = sum(not mailbox.key for mailbox in mailboxes)
        mailboxes_have = counted(nameless, "mailbox has", "mailboxes have")
        found.append(f"{mailboxes_have} no id: whether their accounts are bypassed is not known")
    return found


def _unjoinable(bypassed: Collection[Bypassed] | None) -> list[str]:
    """Return a problem where a bypassed account has no id, so that any mailbox may be its own."""
    without = [one for one in bypassed or () if not (one.object_id or one.exchange_guid)]
    if not without:
        return []
    accounts = counted(len(without), "bypassed account has", "bypassed accounts have")
    return [f"{accounts} no id: one of the mailboxes may be theirs. Names are not joined"]
