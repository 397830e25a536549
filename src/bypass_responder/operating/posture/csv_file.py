"""A report as CSV. It begins with the six columns of the widely used script, then has ours. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from bypass_responder.model.base import iso
from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.model.record import printable
from bypass_responder.model.spreadsheet import defused
from bypass_responder.operating.posture.report import (
    NONE,
    PostureReport,
    default_set_text,
    flag_text,
    missing_text,
    not_audited_text,
    read_text,
)
from bypass_responder.posture.age_limit import in_words
from bypass_responder.posture.baseline import Kind
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.mailbox import Bypassed

SIX = ("Display Name", "Audit By Pass Enabled", "Logon type with Default Audit Set", "Owner", "Admin", "Delegate")
OURS = (
    *("Object Id", "User Principal Name", "Type", "Effectively Audited", "Why", "Issues"),
    *("Missing Microsoft Default", "Missing CIS 6.1.2", "Unknown Actions", "Audit Log Age Limit", "License"),
    *("Watched", "New", "Changed", "Allowlist Ticket", "Allowlist Expires", "Read At", "Baseline", "Read Complete"),
)
_ORDER = (LogonType.OWNER, LogonType.ADMIN, LogonType.DELEGATE)


def csv_lines(report: PostureReport) -> Iterator[str]:
    """Yield the lines, with a header. Each row says whether the read is complete; texts are no formulas."""
    yield _line((*SIX, *OURS))
    found = report.found
    lacking = (*found.problems, *(f"watched, not read: {each}" for each in found.unseen))
    whole = f"no: {'; '.join(lacking)}" if lacking else "yes"
    filtered = f"; filtered: {report.wanted.text}" if report.wanted.is_set else ""
    read = (read_text(found), found.measures.baseline.id, whole + filtered)
    rows = report.rows
    for row in rows:
        yield _line((*_cells(row, report), *read))
    if not report.wanted.is_set:
        for account in found.without_mailbox:
            yield _line((*_without_mailbox(account, report), *read))
    if lacking and not rows:
        yield _line((*("" for _ in (*SIX, *OURS[:-3])), *read))


def _cells(row: MailboxPosture, report: PostureReport) -> tuple[str, ...]:
    mailbox, verdict = row.mailbox, row.verdict
    unknown = (action for each in verdict.logons.values() for action in each.unknown_actions)
    return (
        mailbox.display_name,
        flag_text(row.bypassed),
        default_set_text(row),
        *(not_audited_text(row, logon) for logon in _ORDER),
        mailbox.key,
        mailbox.upn or mailbox.address,
        mailbox.type,
        verdict.audited.value,
        "; ".join(verdict.why) or NONE,
        "; ".join(verdict.issues) or NONE,
        missing_text(verdict, Kind.MICROSOFT),
        missing_text(verdict, Kind.CIS),
        ",".join(dict.fromkeys(unknown)) or NONE,
        in_words(mailbox.audit.age_limit),
        mailbox.license.value,
        *("yes" if flag else "no" for flag in (row.watched, row.new)),
        "; ".join(map(str, row.changed)) or NONE,
        *_exemption(mailbox.object_id, report),
    )


def _without_mailbox(account: Bypassed, report: PostureReport) -> tuple[str, ...]:
    why = "bypassed, and no mailbox that was read: what it does in every mailbox leaves no record"
    return (
        account.name,
        flag_text(True),  # noqa: FBT003 - the value that is shown
        *(NONE for _ in range(4)),
        account.object_id or account.exchange_guid or "",
        "",
        "no mailbox",
        "no",
        why,
        "bypassed",
        *(NONE for _ in range(3)),
        "",
        "",
        *("no", "no", NONE),
        *_exemption(account.object_id, report),
    )


def _exemption(object_id: str | None, report: PostureReport) -> tuple[str, str]:
    if (entry := report.exemptions.get(object_id or "")) is None:
        return ("", "")
    return (entry.ticket, iso(entry.expires_at) if entry.expires_at else "")


def _line(cells: tuple[str, ...]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow([_defused(cell) for cell in cells])
    return out.getvalue()


def _defused(cell: str) -> str:
    """Return a cell that no spreadsheet runs. A lone dash, which means none, is no formula."""
    return cell if cell == NONE else defused(printable(cell))
