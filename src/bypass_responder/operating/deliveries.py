"""What the receivers answered to a test of the notifications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.model.base import Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.notification import Notification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.services import Services


class Delivered(Value):
    """One receiver's answer.

    Accepted says that its service took the message, not that a person has read it.
    """

    receiver: str
    accepted: bool
    result: str


async def deliveries_of(message_id: str, services: Services) -> list[Delivered]:
    """Return the answers so far to the test that a message asked for; empty before the first attempt."""
    case = await services.ledger.load(TENANT_TARGET, history=True)
    notes = [row for row in case.rows(Notification) if row.facts.get("message") == message_id]
    return [
        Delivered(
            receiver=name,
            accepted=each.sent_at is not None,
            result=f"accepted at {each.sent_at:%Y-%m-%d %H:%M:%SZ}" if each.sent_at else each.last_error,
        )
        for note in notes
        for name, each in sorted(note.deliveries.items())
    ]


def delivered(found: Sequence[Delivered]) -> bool:
    """Return True when every receiver that was tried has accepted it."""
    return bool(found) and all(each.accepted for each in found)
