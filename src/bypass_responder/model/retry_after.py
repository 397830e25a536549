"""How long a service asks to wait. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_SECONDS = 86_400.0
"""No service means more than a day."""


def seconds_to_wait(headers: Mapping[str, str], *, default: float, now: datetime | None = None) -> float:
    """Return the seconds that ``Retry-After`` names, as number or HTTP date; ``default`` otherwise.

    ``headers``: of the answer, in any letter case. A date is compared with the answer's own ``Date``, which is by the
    same clock, and with ``now`` where that is missing.
    """
    folded = {name.casefold(): value for name, value in headers.items()}
    text, date = folded.get("retry-after", "").strip(), folded.get("date", "")
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_SECONDS)
    until, answered = _moment(text), _moment(date) if date else now
    if until is None or answered is None:
        return default
    return min(max(0.0, (until - answered).total_seconds()), LONGEST_SECONDS)


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=found.tzinfo or UTC)
