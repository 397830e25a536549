"""AuditLogAgeLimit: a time span as Exchange writes it."""

from __future__ import annotations

import re

_SPAN = re.compile(r"(?:(\d{1,5})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?\Z")
_DAYS = re.compile(r"\d{1,5}\Z")
_DAY = 24 * 3600


def days_of(text: str | None) -> float | None:
    """Return the days of a time span such as ``90.00:00:00`` or ``90``; None for anything else."""
    text = (text or "").strip()
    if _DAYS.match(text):
        return int(text)
    if (found := _SPAN.match(text)) is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return days + (hours * 3600 + minutes * 60 + seconds) / _DAY


def in_words(text: str | None) -> str:
    """Return a time span for people, in whole days if possible; ``not read`` without one."""
    if text is None:
        return "not read"
    days = days_of(text)
    return f"{days:.0f} days" if days is not None and days == int(days) else text
