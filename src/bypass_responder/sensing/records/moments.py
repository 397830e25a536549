"""The ways in which records and their wrappers write a moment.

Two things can be missing in a text: the order of day and month, which the other dates of the file may show
(``DateOrder``), and the time zone. Neither is guessed in silence: ``Moment.note`` states what was assumed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from bypass_responder.errors import InputError

AMBIGUOUS = "day and month may be swapped"
NO_ZONE = "the time zone is unknown"
SERIAL = "the time is a day number of Excel"

_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?"
_CLOCK = r"(?P<h>\d{1,2}):(?P<min>\d\d)(?::(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?)?(?:\s*(?P<half>[AP])\.?M\.?)?" + _ZONE
_DAY_NAME = r"(?:[A-Z]{3,9}\.?,?\s+)?"
_MONTH_NAME = r"(?P<name>[A-Z]{3,9})\.?"
_FORMS = tuple(
    re.compile(form + _CLOCK, re.IGNORECASE)
    for form in (
        r"(?P<y>\d{4})[-/](?P<m>\d\d?)[-/](?P<d>\d\d?)(?:T|,?\s+)",
        r"(?P<one>\d{1,2})(?P<sep>[/.-])(?P<two>\d{1,2})(?P=sep)(?P<y>\d{4}),?\s+",
        rf"{_DAY_NAME}{_MONTH_NAME}\s+(?P<d>\d\d?),?\s+(?P<y>\d{{4}})(?:,|\s+at|\s+@)?\s+",
        rf"{_DAY_NAME}(?P<d>\d\d?)\.?\s+{_MONTH_NAME}\s+(?P<y>\d{{4}}),?\s+",
    )
)
_DOTNET = re.compile(r"\\?/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?/")
_SERIAL = re.compile(r"\d{5}(?:[.,]\d{1,12})?")
_SERIALS = range(36526, 73051)
"""Day numbers of the years 2000 to 2099."""
_DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NOON = _MOST_MONTHS = 12
_DATES = re.compile(r"(?<![\d/.-])(\d{1,2})([/-])(\d{1,2})\2\d{4}[, ]")


@dataclass(frozen=True)
class Moment:
    """A moment in UTC, and what had to be assumed to read it."""

    at: datetime
    note: str = ""


class DateOrder:
    """Whether a file writes the day before the month, as far as its dates show."""

    def __init__(self) -> None:
        """Start with no date seen."""
        self._first = self._second = False

    @property
    def day_first(self) -> bool | None:
        """None: no date shows it, or they contradict each other."""
        return self._first if self._first != self._second else None

    def see(self, text: str) -> None:
        """Learn from the dates in the text: a number above 12 is a day."""
        for one, _, two in _DATES.findall(text):
            self._first = self._first or int(one) > _MOST_MONTHS >= int(two)
            self._second = self._second or int(two) > _MOST_MONTHS >= int(one)


def moment(text: str) -> datetime:
    """Return the moment in UTC; UTC without a zone, month first if ambiguous. Raises InputError."""
    return read_moment(text).at


def read_moment(text: str, *, utc: bool = True, day_first: bool | None = None) -> Moment:
    """Return the moment that the text states. Raises InputError ``wrong_type``.

    ISO 8601, ``5/20/2023 11:07:00 AM`` and ``19/12/2025, 08:49`` (spreadsheets, the Azure portal), ``04.02.2026 1:31``,
    ``Feb 4, 2026 @ 01:31:13.000`` (Kibana), ``Wednesday, February 4, 2026 1:31:13 AM`` (PowerShell), ``/Date(ms)/`` and
    ``46057.063`` (Excel's number of a day, which never states the zone).
    ``utc``: the field is known to be in UTC. ``day_first``: what the other dates of the file show.
    """
    text = text.strip()
    try:
        if found := _DOTNET.fullmatch(text):
            return Moment(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1])))
        if _SERIAL.fullmatch(text) and int(text[:5]) in _SERIALS:
            days = float(text.replace(",", "."))
            return Moment(_DAY_ZERO + timedelta(milliseconds=round(days * 86_400_000)), f"{NO_ZONE}; {SERIAL}")
        for form in _FORMS:
            if found := form.fullmatch(text):
                return _moment(found.groupdict(), utc=utc, day_first=day_first)
    except (ValueError, OverflowError):
        pass
    raise InputError(reason="wrong_type", detail=f"{text[:60]!r} is not a valid time")


def _moment(parts: dict[str, str | None], *, utc: bool, day_first: bool | None) -> Moment:
    month, day, ambiguous = _date(parts, day_first=day_first)
    hour = int(parts["h"] or 0)
    if parts["half"]:
        if not 1 <= hour <= _NOON:
            raise ValueError(hour)
        hour = hour % _NOON + (_NOON if parts["half"] in "Pp" else 0)
    zone = _zone(parts["zone"])
    micros = int((parts["f"] or "0")[:6].ljust(6, "0"))
    at = datetime(int(parts["y"] or 0), month, day, hour, int(parts["min"] or 0), int(parts["s"] or 0), micros, zone)
    notes = [AMBIGUOUS] if ambiguous else []
    if not parts["zone"] and not utc:
        notes.append(NO_ZONE)
    return Moment(at.astimezone(UTC), "; ".join(notes))


def _date(parts: dict[str, str | None], *, day_first: bool | None) -> tuple[int, int, bool]:
    """Month, day, and whether they may be the other way round."""
    if parts.get("name"):
        return _MONTHS.index((parts["name"] or "")[:3].lower()) + 1, int(parts["d"] or 0), False
    if parts.get("m"):
        return int(parts["m"] or 0), int(parts["d"] or 0), False
    one, two = int(parts["one"] or 0), int(parts["two"] or 0)
    if parts["sep"] == "." or one > _MOST_MONTHS:
        return two, one, False
    if two > _MOST_MONTHS or one == two:
        return one, two, False
    return (two, one, False) if day_first else (one, two, day_first is None)


def _zone(text: str | None) -> timezone:
    if not text or text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)
