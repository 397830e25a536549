"""Messages as counts: directions, outside domains, and how many in the blind window. Pure.

The counts never contain a subject.
"""

from __future__ import annotations

from collections.abc import Sequence

from bypass_responder.evidence.audit_fields import Record, detail, domain_of, gathered, text
from bypass_responder.evidence.groups import Group, grouped
from bypass_responder.model.question import Empty, Found, Item, Question

NOTE = "Counts only. Every domain but those of the account's addresses counts as outside."
SENDER = ("senderAddress", "SenderFromAddress")
RECIPIENT = ("recipientAddress", "RecipientEmailAddress")
KEPT = frozenset(
    {"id", "messageId", "receivedDateTime", "senderAddress", "recipientAddress", "size", "fromIP", "status",
     "Timestamp", "EmailDirection", "SenderObjectId", "SenderFromAddress", "RecipientEmailAddress",
     "DeliveryAction", "ThreatTypes"}
)  # fmt: skip
"""Fields of a message that are kept."""


def flow_of(
    messages: Sequence[Record], question: Question, *, time: str, complete: bool = True, gap: str = ""
) -> Found | Empty:
    """Return one item for each direction and domain; ``time`` is the field with a message's time.

    Only what the account sent outside is notable, and what carries a threat. ``gap``: which messages were not asked
    for; then the answer is not complete.
    """
    clean = [{name: value for name, value in message.items() if name in KEPT} for message in messages]
    own = set(question.own_addresses)
    senders = own | {(question.account.object_id or "").casefold()} - {""}
    home = {domain_of(address) for address in own}

    def key(message: Record) -> tuple[str, ...]:
        sender, recipient = text(message, *SENDER).casefold(), text(message, *RECIPIENT).casefold()
        direction = text(message, "EmailDirection").casefold()
        sent = bool(senders & {sender, text(message, "SenderObjectId").casefold()}) or direction == "outbound"
        other = domain_of(recipient if sent else sender)
        place = "outside" if other and other not in home and direction != "intra-org" else ""
        result = text(message, "status", "DeliveryAction")
        return ("sent" if sent else "received", other, place, result, text(message, "ThreatTypes"))

    items = [_item(group, key(group.first)) for group in grouped(clean, question, key, time=time)]
    answer = gathered(clean, items, complete=complete, note=f"{gap} {NOTE}".strip())
    return answer.model_copy(update={"complete": False}) if gap and isinstance(answer, Found) else answer


def _item(group: Group, key: tuple[str, ...]) -> Item:
    direction, domain, outside, result, threat = key
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
