"""Actors who open a watched mailbox for the first time, reported as a health alert.

The alert is notified once per actor and mailbox.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bypass_responder.case.health_alerts import ADVICE, begin_alert
from bypass_responder.model.base import Utc, Value, counted, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bypass_responder.case.draft import Draft

ALERT = "new_access"
MOST_NOTIFIED = 40
"""Mailboxes of one transaction."""
MOST_NAMED = 10
"""Actors of one notification."""


class NewAccess(Value):
    """An actor that no known day of a mailbox had before."""

    pair: str
    mailbox: str
    actor: str
    first: Utc
    text: str
    """As what they acted, and what they did."""


def report_new_access(draft: Draft, found: Sequence[NewAccess]) -> None:
    """Raise the alert, and notify people of the new actors of each mailbox together, a limited number at a time."""
    mailboxes: dict[str, list[NewAccess]] = {}
    for each in sorted(found, key=lambda each: (each.mailbox, each.first, each.pair)):
        mailboxes.setdefault(each.mailbox, []).append(each)
    begin_alert(draft, ALERT, f"{_more(sorted({f'{each.actor} in {each.mailbox}' for each in found}))}.")
    severity, advice = ADVICE[ALERT]
    keys = {mailbox: f"{ALERT}-{_digest(actors)}" for mailbox, actors in mailboxes.items()}
    new = [mailbox for mailbox, key in keys.items() if draft.notified("health", key=key) is None]
    for mailbox in new[:MOST_NOTIFIED]:
        actors = mailboxes[mailbox]
        lines = [f"{each.actor} {each.text}, first at {moment(each.first)}" for each in actors]
        draft.notify(
            "health",
            f"Health: {ALERT}: {mailbox}",
            f"{counted(len(actors), 'actor')} opened this watched mailbox for the first time in its known history: "
            f"{_more(lines)}. The owner's own access is not counted.",
            key=keys[mailbox],
            severity=severity,
            left_to_do=(advice,),
            alert=ALERT,
            mailbox=mailbox,
            actor=[each.actor for each in actors[:MOST_NAMED]],
        )


def _more(lines: Sequence[str]) -> str:
    more = f"; and {len(lines) - MOST_NAMED} more" if len(lines) > MOST_NAMED else ""
    return "; ".join(lines[:MOST_NAMED]) + more


def _digest(actors: Sequence[NewAccess]) -> str:
    return hashlib.sha256("|".join(each.pair for each in actors).encode()).hexdigest()[:32]
