"""Signs that a person uses an allowlisted account, reported as a health alert.

The alert is notified once per account, kind and day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.case.health_alerts import ADVICE, begin_alert, see_again, was_seen
from bypass_responder.model.base import Utc, Value

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft

ALERT = "like_a_person"
MOST_NOTIFIED = 40
"""Of one transaction."""
MOST_NAMED = 10


class Sign(Value):
    """Something that a person does and a service does not."""

    object_id: str
    account: str
    kind: str
    """Such as ``new country``."""
    at: Utc
    """When it happened; of what has no time, when it was read."""
    text: str
    """The kind and what happened, for people."""


def report_signs(draft: Draft, signs: Sequence[Sign], *, read_at: datetime) -> None:
    """Notify people of each account and kind once for each day, a limited number at a time, and then raise the alert.

    ``read_at``: when the last sign was read. What was reported since is not reported again.
    """
    if was_seen(draft.case, ALERT, read_at):
        return
    first: dict[str, Sign] = {}
    for sign in signs:
        first.setdefault(f"{ALERT}-{sign.object_id}-{sign.kind}-{sign.at:%Y-%m-%d}", sign)
    new = [(key, sign) for key, sign in first.items() if draft.notified("health", key=key) is None]
    severity, advice = ADVICE[ALERT]
    for key, sign in new[:MOST_NOTIFIED]:
        draft.notify(
            "health",
            f"Health: {ALERT}: {sign.account}",
            f"The account is allowlisted and bypassed as a service, and behaves like a person. {sign.text}, "
            f"at {sign.at:%Y-%m-%d %H:%M:%SZ}. What it does in mailboxes leaves no record.",
            key=key,
            severity=severity,
            left_to_do=(advice,),
            alert=ALERT,
            account=sign.account,
        )
    named = sorted({f"{sign.account}: {sign.kind}" for sign in signs})
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    if len(new) <= MOST_NOTIFIED and begin_alert(draft, ALERT, f"{'; '.join(named[:MOST_NAMED])}{more}.") is None:
        see_again(draft, ALERT)
