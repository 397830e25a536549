"""How long a service asks to wait. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 86_400.0
"""No service means more than a day."""


def seconds_to_wait(given: str, *, date: str = "", default: float) -> float:
    """Return the seconds that ``Retry-After`` names, as number or HTTP date; ``default`` otherwise.

    ``date``: the answer's own ``Date``, by the same clock as the date that is named.
    """
    text = given.strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_SECONDS)
    until, answered = _moment(text), _moment(date)
    if until is None or answered is None:
        return default
    return min(max(0.0, (until - answered).total_seconds()), LONGEST_SECONDS)


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=found.tzinfo or UTC)
