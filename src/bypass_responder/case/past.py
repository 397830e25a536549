"""Which evidence belongs to an episode that has ended, and so never acts."""

from __future__ import annotations

from datetime import datetime, timedelta

from bypass_responder.case.draft import Draft
from bypass_responder.model.finding import Finding, Source

RECORD_PRECISION = timedelta(seconds=1)
"""CreationTime of an audit record has whole seconds."""


def belongs_to_the_past(draft: Draft, finding: Finding) -> bool:
    """True for evidence of an episode that ended: auditing was proven back, or a person dismissed it, since then."""
    current = draft.incident(draft.head.active_incident)
    ends = [draft.head.dismissed_through, current.closed_at if current else None]
    if any(end is not None and finding.effective_at <= end for end in ends):
        return True
    restored = draft.head.restored_at
    if finding.source is Source.ACTOR or restored is None or finding.effective_at > restored:
        return False
    return not _on_again(finding, restored)


def in_the_second_of_restoration(draft: Draft, finding: Finding) -> bool:
    """True when a record's whole second holds the restoration: only Exchange can say which came first."""
    restored = draft.head.restored_at
    return restored is not None and finding.effective_at <= restored < finding.effective_at + RECORD_PRECISION


def _on_again(finding: Finding, restored: datetime) -> bool:
    """Exchange was asked after the restoration about a record of that very second, and says on."""
    if restored >= finding.effective_at + RECORD_PRECISION:
        return False
    return any(check.bypass_on and check.read_at is not None and check.read_at > restored for check in finding.checks)
