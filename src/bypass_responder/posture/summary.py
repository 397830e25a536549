"""A comparison in numbers, as a report begins with it and a trend lists it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from bypass_responder.model.base import Utc, Value
from bypass_responder.posture.verdict import MAIL_READS, TO_FIX, Audited, Issue

if TYPE_CHECKING:
    from bypass_responder.posture.comparison import Comparison
    from bypass_responder.posture.comparison_row import MailboxPosture


class Summary(Value):
    """One read in numbers. ``complete`` False: the numbers are at least these, and nothing is clean."""

    read_at: Utc | None
    complete: bool
    baseline: str
    """The id of the one that decides what is missing."""
    mailboxes: int
    audited: int
    not_audited: int
    unknown: int
    pinned: int
    missing_actions: int
    missing_mail_reads: int
    """Without MailItemsAccessed for at least one logon type."""
    bypassed: int | None
    """Accounts, with or without a mailbox; None: not read."""
    bypassed_without_mailbox: int
    new: int
    changed: int
    gone: int
    by_type: dict[str, int]
    issues: dict[Issue, int]
    """Mailboxes with each issue, the worst first."""

    @property
    def clean(self) -> bool:
        """True for a complete read in which there is nothing to fix."""
        return self.complete and not self.bypassed and not any(self.issues.get(issue) for issue in TO_FIX)


def summarize(found: Comparison, rows: Collection[MailboxPosture] | None = None) -> Summary:
    """Return the numbers of a comparison, or of some of its rows."""
    rows = found.rows if rows is None else rows
    answers = Counter(row.verdict.audited for row in rows)
    issues = Counter(issue for row in rows for issue in row.verdict.issues)
    kind = found.measures.chosen
    return Summary(
        read_at=found.read_at,
        complete=not found.partial,
        baseline=found.measures.baseline.id,
        mailboxes=len(rows),
        audited=answers[Audited.YES],
        not_audited=answers[Audited.NO],
        unknown=answers[Audited.UNKNOWN],
        pinned=sum(bool(row.verdict.pinned) for row in rows),
        missing_actions=issues[Issue.MISSING],
        missing_mail_reads=sum(row.verdict.lacks(MAIL_READS, kind) for row in rows),
        bypassed=found.bypassed,
        bypassed_without_mailbox=len(found.without_mailbox),
        new=sum(row.new for row in rows),
        changed=sum(bool(row.changed) for row in rows),
        gone=len(found.gone),
        by_type=dict(sorted(Counter(row.mailbox.type or "not read" for row in rows).items())),
        issues={issue: issues[issue] for issue in Issue if issues[issue]},
    )
