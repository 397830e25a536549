"""Files and messages of SharePoint, OneDrive and Teams. Pure.

A mailbox audit bypass does not silence the audit of these workloads.
"""

from __future__ import annotations

from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import Record, detail, gathered, text
from bypass_responder.evidence.groups import Group, grouped
from bypass_responder.model.question import Empty, Found, Item, Question

RECORD_TYPES = ("sharePoint", "sharePointFileOperation", "sharePointSharingOperation", "oneDrive", "microsoftTeams")
DOWNLOADS = frozenset({"filedownloaded", "filesyncdownloadedfull", "filesyncdownloadedpartial"})
SHARES = frozenset({"anonymouslinkcreated", "anonymouslinkused", "securelinkcreated", "addedtosecurelink",
                    "sharinginvitationcreated", "sharingset"})  # fmt: skip


def activity_of(records: Sequence[Record], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return one item for each workload, operation and address."""
    groups = grouped(records, question, _key, time="CreationTime")
    return gathered(records, map(_item, groups), complete=complete)


def _key(record: Record) -> tuple[str, str, str]:
    return text(record, "Workload"), text(record, "Operation"), text(record, "ClientIP")


def _item(group: Group) -> Item:
    workload, operation, address = _key(group.first)
    name = operation.casefold()
    reason = None
    if name in SHARES:
        reason = "shares files"
    elif name in DOWNLOADS and group.in_the_dark:
        reason = f"downloads in the blind window: {group.in_the_dark}"
    return Item(
        at=group.began,
        what=operation or "activity",
        detail=detail(workload=workload, address=address, example=text(group.first, "SourceFileName", "ObjectId"))
        | group.span,
        notable=reason,
    )
