"""A report in short, as it is stored and as pages show it. Pure."""

from __future__ import annotations

from bypass_responder.operating.posture.report import PostureReport, missing_text
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.fixes import FIXES, fix_of
from bypass_responder.posture.stored import MOST_LINES, AccountLine, MailboxLine, Overview, ToDo
from bypass_responder.posture.verdict import TO_FIX

LONGEST_TEXT = 1000
"""Characters of one mailbox's name, or of what it lacks; a row holds ``MOST_LINES`` of them."""


def overview_of(report: PostureReport, *, most: int = MOST_LINES) -> Overview:
    """Return what a page shows of a report."""
    found, numbers = report.found, report.summary
    rows, count = notable(report, most)
    return Overview(
        state=report.state,
        clean=report.clean,
        problems=found.problems,
        organization=found.organization,
        baseline=found.measures.baseline.id,
        summary=numbers,
        to_do=to_do(report),
        watched_not_read=found.unseen,
        mailboxes=tuple(_line(row, report) for row in rows),
        left_out=count - len(rows),
        without_mailbox=tuple(
            AccountLine(
                id=each.object_id or each.exchange_guid or "",
                name=each.name[:LONGEST_TEXT],
                ticket=report.ticket(each.object_id),
            )
            for each in found.without_mailbox[:most]
        ),
        without_mailbox_left_out=max(0, len(found.without_mailbox) - most),
    )


def to_do(report: PostureReport) -> tuple[ToDo, ...]:
    """Return each issue with its mailboxes counted, its meaning and its fix, the worst first."""
    counts = report.summary.issues
    return tuple(
        ToDo(issue=issue, mailboxes=count, meaning=FIXES[issue][0], fix=fix_of(issue, report.found))
        for issue, count in counts.items()
    )


def notable(report: PostureReport, most: int) -> tuple[list[MailboxPosture], int]:
    """Return the first rows that are watched, new, changed or have an issue, and how many there are."""
    to_fix = {*TO_FIX}
    found: list[MailboxPosture] = []
    count = 0
    for row in report.rows:
        if row.watched or row.new or row.changed or to_fix & {*row.verdict.issues}:
            count += 1
            if len(found) < most:
                found.append(row)
    return found, count


def _line(row: MailboxPosture, report: PostureReport) -> MailboxLine:
    return MailboxLine(
        id=row.mailbox.key,
        name=row.mailbox.name[:LONGEST_TEXT],
        type=row.mailbox.type or "not read",
        watched=row.watched,
        new=row.new,
        audited=row.verdict.audited,
        why="; ".join(row.verdict.why),
        issues=row.verdict.issues,
        missing=missing_text(row.verdict, report.found.measures.chosen)[:LONGEST_TEXT],
        changed="; ".join(map(str, row.changed))[:LONGEST_TEXT],
    )
