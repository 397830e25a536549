"""The ways in which records and their wrappers write a moment. All are UTC unless they say otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from bypass_responder.errors import InputError

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s*(?:Z|UTC|([+-])(\d\d):?(\d\d))?", re.IGNORECASE
)
_US = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}),?\s+(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:\s*([AP])M)?", re.IGNORECASE
)
_DOTNET = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_NOON = 12


def moment(text: str) -> datetime:
    """The moment in UTC. Raises InputError ``wrong_type``.

    ``2023-05-20T11:07:00`` (with fractions, Z or an offset), ``5/20/2023 11:07:00 AM`` and
    ``4/28/2021, 3:05:26.000 PM`` (US order, as Search-UnifiedAuditLog and the Azure portal write it), ``/Date(ms)/``.
    """
    try:
        if found := _ISO.fullmatch(text.strip()):
            return _iso(found)
        if found := _US.fullmatch(text.strip()):
            return _us(found)
        if found := _DOTNET.fullmatch(text.strip()):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(found[1]))
    except (ValueError, OverflowError):
        pass
    raise InputError(reason="wrong_type", detail=f"{text[:60]!r} is no time")


def _iso(found: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    offset = timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    zone = timezone(-offset if found[8] == "-" else offset)
    return datetime(year, month, day, hour, minute, second, _micros(found[7]), tzinfo=zone).astimezone(UTC)


def _us(found: re.Match[str]) -> datetime:
    month, day, year, hour, minute, second = (int(found[n]) for n in range(1, 7))
    if found[8]:
        if not 1 <= hour <= _NOON:
            raise ValueError(hour)
        hour = hour % _NOON + (_NOON if found[8] in "Pp" else 0)
    return datetime(year, month, day, hour, minute, second, _micros(found[7]), tzinfo=UTC)


def _micros(fraction: str | None) -> int:
    return int((fraction or "0")[:6].ljust(6, "0"))
