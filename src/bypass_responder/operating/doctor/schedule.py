"""Computes the longest gap between two runs of an NCRONTAB schedule with six fields, in UTC."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise, product

DAY = timedelta(days=1)
FIELDS = 6
_PART = r"(?:\*|(?:\d+|[A-Za-z]{3,})(?:-(?:\d+|[A-Za-z]{3,}))?)(?:/\d+)?"
_FIELD = re.compile(rf"{_PART}(?:,{_PART})*")
"""The syntax of NCRONTAB. croniter also reads `?`, `L`, `#` and hashes."""
_RANGE = re.compile(r"(\d+)-(\d+)(/0*[1-9]\d*)?")
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


def longest_gap(schedule: str) -> timedelta | None:
    """Return the longest gap between runs: one day if the schedule names days, None if it is invalid."""
    from croniter import croniter  # noqa: PLC0415 - of the cli extra: the deployed app packs this module without it

    fields = schedule.split()
    if len(fields) != FIELDS or not all(map(_FIELD.fullmatch, fields)):
        return None
    if re.search(r"(?:^|[,-])0*7", fields[-1]):
        return None  # Sunday to croniter only
    try:
        *others, month, day = fields
        plain = [*others, _numbered(month, MONTHS, 1), _numbered(day, DAYS, 0)]
        in_order = " ".join(_RANGE.sub(_in_order, field) for field in plain)
        (minutes, hours, *days, seconds), _ = croniter.expand(in_order, second_at_beginning=True)
    except ValueError:
        return None
    if not all("*" in field for field in days):
        return DAY
    times = product(_values(hours, 24), _values(minutes, 60), _values(seconds, 60))
    runs = [(hour * 60 + minute) * 60 + second for hour, minute, second in times]
    over_midnight = runs[0] + int(DAY.total_seconds()) - runs[-1]
    return timedelta(seconds=max([over_midnight, *(later - sooner for sooner, later in pairwise(runs))]))


def _numbered(field: str, names: tuple[str, ...], first: int) -> str:
    """Return a field with numbers for its names, of which NCRONTAB takes any beginning.

    Raises ValueError.
    """
    folded = [name.casefold() for name in names]

    def number(found: re.Match[str]) -> str:
        for place, name in enumerate(folded, first):
            if name.startswith(found[0].casefold()):
                return str(place)
        raise ValueError(f"{found[0]} is not a valid name")

    return re.sub("[A-Za-z]+", number, field)


def _in_order(found: re.Match[str]) -> str:
    """Return a range as NCRONTAB reads it, from the lower end to the higher; croniter wraps 5-3 around."""
    low, high = sorted((int(found[1]), int(found[2])))
    return str(low) if low == high else f"{low}-{high}{found[3] or ''}"


def _values(field: list[int | str], count: int) -> list[int]:
    """Return the values of a field, in order. croniter keeps `*` as it is, also beside numbers."""
    return list(range(count)) if "*" in field else [int(each) for each in field]
