"""What MailItemsAccessed records say, and what they cannot say. Pure.

``Sync``: a client downloaded a folder, so all of it counts as read. ``Bind``: single messages, at most 1,000 records in
24 hours for a mailbox: then the service throttles, and further access leaves no record for up to a day.
"""

from __future__ import annotations

from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import Record, detail, gathered, pairs, quoted_text, text
from bypass_responder.evidence.groups import Group, grouped
from bypass_responder.model.question import Empty, Found, Item, Question, Role

NOTE = "Outside of the blind window. Inside of it, records of the account's mail access do not exist."
OF_ACTOR = "The bypass of this incident hides the target, not this account."
SYNC = "sync: every message of the folder counts as read"
THROTTLED = "throttled: for up to 24 hours, further access left no record"
IN_THE_DARK = {
    Role.TARGET: "in the blind window, so the bypass did not hide it",
    Role.ACTOR: "while the target was hidden",
}


def answer_of(records: Sequence[Record], question: Question, *, complete: bool = True) -> Found | Empty:
    """Return one item for each mailbox, kind of access, address and client."""
    groups = grouped(records, question, _key, time="CreationTime")
    items = [_item(group, question) for group in groups]
    note = NOTE if question.role is Role.TARGET else OF_ACTOR
    return gathered(records, items, complete=complete, note=note)


def _key(record: Record) -> tuple[str, ...]:
    properties = pairs(record, "OperationProperties")
    return (
        text(record, "MailboxOwnerUPN").casefold(),
        properties.get("MailAccessType", ""),
        properties.get("IsThrottled", "").casefold(),
        text(record, "ClientIPAddress", "ClientIP"),
        text(record, "ClientInfoString"),
    )


def _item(group: Group, question: Question) -> Item:
    mailbox, kind, throttled, address, client = _key(group.first)
    own = question.account.user_principal_name.casefold()
    reasons = [
        SYNC if kind.casefold() == "sync" else "",
        THROTTLED if throttled == "true" else "",
        f"another's mailbox: {quoted_text(mailbox)}" if mailbox and own and mailbox != own else "",
        IN_THE_DARK[question.role] if group.in_the_dark else "",
    ]
    return Item(
        at=group.began,
        what="mail access",
        detail=detail(access=kind, mailbox=mailbox, address=address, client=client) | group.span,
        notable="; ".join(reason for reason in reasons if reason) or None,
    )
