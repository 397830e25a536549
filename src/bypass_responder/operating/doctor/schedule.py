"""How long a schedule of the function host may leave between two runs: six fields, NCRONTAB, in UTC."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

SECONDS, MINUTES, HOURS = range(60), range(60), range(24)
DAY = timedelta(days=1)
_STEP = re.compile(r"(?P<range>\*|\d+(?:-\d+)?)(?:/(?P<step>\d+))?\Z")
_OF_DAYS = re.compile(r"[\dA-Za-z*/,-]+\Z")


def longest_gap(schedule: str) -> timedelta | None:
    """The longest time between two runs; a day or more where it names days. None when it cannot be read."""
    fields = schedule.split()
    if len(fields) != len("smhDMW") or not all(_OF_DAYS.match(field) for field in fields[3:]):
        return None
    seconds, minutes, hours = (
        _values(field, among) for field, among in zip(fields, (SECONDS, MINUTES, HOURS), strict=False)
    )
    if not (seconds and minutes and hours):
        return None
    if any(field not in {"*", "*/1"} for field in fields[3:]):
        return DAY
    runs = [(hour * 60 + minute) * 60 + second for hour in hours for minute in minutes for second in seconds]
    gaps = [later - sooner for sooner, later in pairwise(runs)]
    over_midnight = runs[0] + int(DAY.total_seconds()) - runs[-1]
    return timedelta(seconds=max([*gaps, over_midnight]))


def _values(field: str, among: range) -> list[int]:
    """The values that a field stands for, in order; none when it cannot be read."""
    found: set[int] = set()
    for part in field.split(","):
        read = _STEP.match(part)
        if read is None or read["step"] == "0":
            return []
        first, _, last = read["range"].partition("-")
        step = int(read["step"] or 1)
        if first == "*":
            found.update(among[::step])
            continue
        end = int(last or (among[-1] if read["step"] else first))
        if not int(first) <= end <= among[-1]:
            return []
        found.update(range(int(first), end + 1, step))
    return sorted(found)
