"""Messages as counts: directions, outside domains, and how many in the blind window. Pure.

The counts never contain a subject.
"""

from __future__ import annotations

from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import Record, detail, domain_of, gathered, text
from bypass_responder.evidence.groups import Group, grouped
from bypass_responder.model.question import Empty, Found, Item, Question

NOTE = "Counts only. Every domain but the account's own counts as outside."
SENDER = ("senderAddress", "SenderFromAddress")
RECIPIENT = ("recipientAddress", "RecipientEmailAddress")
KEPT = frozenset(
    {"id", "messageId", "receivedDateTime", "senderAddress", "recipientAddress", "size", "fromIP", "status",
     "Timestamp", "EmailDirection", "SenderFromAddress", "RecipientEmailAddress", "DeliveryAction", "ThreatTypes"}
)  # fmt: skip
"""Fields of a message that are kept."""


def flow_of(messages: Sequence[Record], question: Question, *, time: str, complete: bool = True) -> Found | Empty:
    """Return one item for each direction and domain; ``time`` is the field with a message's time.

    Only what the account sent outside is notable, and what carries a threat.
    """
    clean = [{name: value for name, value in message.items() if name in KEPT} for message in messages]
    own = question.account.user_principal_name.casefold()

    def key(message: Record) -> tuple[str, ...]:
        sender, recipient = text(message, *SENDER).casefold(), text(message, *RECIPIENT).casefold()
        sent = sender == own or text(message, "EmailDirection").casefold() == "outbound"
        other = domain_of(recipient if sent else sender)
        result = text(message, "status", "DeliveryAction")
        return ("sent" if sent else "received", other, result, text(message, "ThreatTypes"))

    groups = grouped(clean, question, key, time=time)
    items = [_item(group, key(group.first), domain_of(own)) for group in groups]
    return gathered(clean, items, complete=complete, note=NOTE)


def _item(group: Group, key: tuple[str, ...], home: str) -> Item:
    direction, domain, result, threat = key
    outside = bool(domain) and domain != home
    reasons = [
        f"sent outside in the blind window: {group.in_the_dark}"
        if direction == "sent" and outside and group.in_the_dark
        else "",
        f"threat: {threat}" if threat else "",
    ]
    return Item(
        at=group.began,
        what=f"mail {direction}{' outside' if outside and direction == 'sent' else ''}"
        f"{' from outside' if outside and direction == 'received' else ''}",
        detail=detail(domain=domain, status=result) | group.span,
        notable="; ".join(reason for reason in reasons if reason) or None,
    )
