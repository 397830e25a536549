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
_NAME = re.compile(r"([A-Za-z]{3})[A-Za-z]+")
_ONE_VALUE = re.compile(r"\b(\w+)-\1\b(?:/0*[1-9]\d*)?")


def longest_gap(schedule: str) -> timedelta | None:
    """Return the longest gap between runs: one day if the schedule names days, None if it is invalid."""
    from croniter import croniter  # noqa: PLC0415 - of the cli extra: the deployed app packs this module without it

    fields = schedule.split()
    if len(fields) != FIELDS or not all(map(_FIELD.fullmatch, fields)):
        return None
    if any(int(first) > int(last) for first, last in re.findall(r"(\d+)-(\d+)", schedule)):
        return None  # croniter wraps it around
    if re.search(r"(?:^|[,-])0*7", fields[-1]):
        return None  # Sunday to croniter only
    plain = _NAME.sub(r"\1", _ONE_VALUE.sub(r"\1", schedule))  # croniter has `Mon` for Monday, and 5-5 wraps around
    try:
        (minutes, hours, *days, seconds), _ = croniter.expand(plain, second_at_beginning=True)
    except ValueError:
        return None
    if not all("*" in field for field in days):
        return DAY
    times = product(_values(hours, 24), _values(minutes, 60), _values(seconds, 60))
    runs = [(hour * 60 + minute) * 60 + second for hour, minute, second in times]
    over_midnight = runs[0] + int(DAY.total_seconds()) - runs[-1]
    return timedelta(seconds=max([over_midnight, *(later - sooner for sooner, later in pairwise(runs))]))


def _values(field: list[int | str], count: int) -> list[int]:
    """Return the values of a field, in order. croniter keeps `*` as it is, also beside numbers."""
    return list(range(count)) if "*" in field else [int(each) for each in field]
