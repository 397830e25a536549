"""A comparison with what its report adds: the rows asked for, the trend, the allowlist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from bypass_responder.model.base import counted, iso
from bypass_responder.model.mailbox_audit import LogonType
from bypass_responder.posture.baseline import Kind
from bypass_responder.posture.comparison import Comparison
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.summary import Summary, summarize
from bypass_responder.posture.verdict import Issue, Verdict

NONE = "-"
FIXED = "fixed by Microsoft"
UNREAD = "not read"


class Exemption(NamedTuple):
    """The entry of the allowlist for an account."""

    ticket: str
    expires_at: datetime | None


@dataclass(frozen=True)
class PostureReport:
    """Everything that a report shows, in each of its forms."""

    found: Comparison
    made_at: datetime
    wanted: RowFilter = field(default_factory=RowFilter)
    trend: Sequence[Summary] = ()
    """The reads before, the newest first."""
    exemptions: Mapping[str, Exemption] = field(default_factory=dict)

    @cached_property
    def rows(self) -> Sequence[MailboxPosture]:
        """The rows that were asked for."""
        return self.wanted.of(self.found.rows)

    @cached_property
    def summary(self) -> Summary:
        """The numbers of the rows that were asked for."""
        return summarize(self.found, self.rows)

    def ticket(self, object_id: str | None) -> str:
        """Return the ticket of an account's allowlist entry, empty where none is known."""
        entry = self.exemptions.get(object_id or "")
        return entry.ticket if entry else ""

    @property
    def state(self) -> str:
        """The report in a sentence. A partial read is never called clean."""
        numbers = self.summary
        partial = "PARTIAL READ: some mailboxes or settings are missing. Nothing here is clean."
        if off := self.found.organization.off:
            return f"NOT AUDITED: {off}.{f' {partial}' if self.found.partial else ''}"
        if self.found.partial:
            return partial
        if self.clean and not numbers.mailboxes and self.wanted.is_set:
            return f"No mailbox is shown.{self._filtered}"
        if self.clean:
            record = counted(numbers.mailboxes, "mailbox records", "mailboxes record")
            return f"Clean: {record} all actions of {self.found.measures.baseline.name}.{self._filtered}"
        parts = (
            (numbers.not_audited, "not audited"),
            (numbers.unknown, "unknown"),
            (numbers.bypassed or 0, f"bypassed account{'' if numbers.bypassed == 1 else 's'}"),
            (numbers.missing_actions, "with missing actions"),
            (numbers.issues.get(Issue.PINNED, 0), "pinned"),
            (numbers.issues.get(Issue.SHORT_AGE_LIMIT, 0), "with a short age limit"),
            (numbers.issues.get(Issue.NOT_READ, 0), "with settings that were not read"),
            (len(self.found.unseen), "watched but not read"),
        )
        issues = ", ".join(f"{count} {what}" for count, what in parts if count)
        return f"Needs attention: {issues}.{self._filtered}"

    @property
    def _filtered(self) -> str:
        return f" Only of what the filter shows: {self.wanted.text}." if self.wanted.is_set else ""

    @property
    def clean(self) -> bool:
        """True if there is nothing to do: for the exit code, and the color."""
        return self.summary.clean and not self.found.organization.off and not self.found.unseen


def missing_text(verdict: Verdict, kind: Kind) -> str:
    """Return what is missing against a baseline, by logon type; ``-`` for nothing."""
    parts = [f"{logon}: {','.join(each.missing[kind])}" for logon, each in verdict.logons.items() if each.missing[kind]]
    return "; ".join(parts) or NONE


def not_audited_text(row: MailboxPosture, logon: LogonType) -> str:
    """Return the possible actions that are not in a list; ``-`` for none."""
    if "fixed set" in row.verdict.issues:
        return FIXED
    if row.mailbox.audit.actions(logon) is None and not row.mailbox.audit.in_default_set(logon):
        return UNREAD
    return ",".join(row.verdict.logons[logon].not_audited) or NONE


def default_set_text(row: MailboxPosture) -> str:
    """Return the logon types that Microsoft maintains; ``-`` for none."""
    maintained = row.mailbox.audit.default_set
    return UNREAD if maintained is None else ",".join(maintained) or NONE


def flag_text(flag: bool | None) -> str:  # noqa: FBT001 - the value that is shown
    """Return True, False or Unknown, as scripts write it."""
    return "Unknown" if flag is None else str(flag)


def read_text(found: Comparison) -> str:
    """Return when the read began, and whether it is partial."""
    return iso(found.read_at) if found.read_at else "unknown"
