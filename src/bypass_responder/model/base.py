"""What every value in this package has in common, and the small vocabulary of keys and times."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


def _as_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as problem:
        msg = "no moment of UTC"
        raise ValueError(msg) from problem


_NAME_KEY = re.compile(r"name-[0-9a-f]{64}\Z")
_RULE = re.compile(r"\A[A-Z]\w+ should ")

Utc = Annotated[datetime, AfterValidator(_as_utc)]
"""A moment in UTC. Audit records carry UTC without a zone, so a naive time is read as UTC."""


class Value(BaseModel):
    """A frozen value: what is inside has been checked once, at the edge."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def guid_or_none(text: str) -> str | None:
    """The text as a lower-case GUID, or None when it is something else.

    Exactly a GUID, braces and surrounding space allowed; a GUID inside a longer text is not one.
    """
    candidate = text.strip().removeprefix("{").removesuffix("}").lower()
    return candidate if _GUID.match(candidate) else None


def backoff(attempts: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """How long to wait after a number of attempts: ``first``, doubled each time, never more than ``longest``."""
    return min(first * (1 << min(attempts, 20)), longest)


def envelope_problem(schema_version: int, tenant_id: str, *, current: int, ours: str) -> str:
    """Return why a message is not for us; empty if it is.

    The version before the current one is accepted too.
    """
    if schema_version not in {current, current - 1} - {0}:
        return f"schema_version {schema_version} is not supported"
    return "" if tenant_id == ours else f"tenant_id {tenant_id} is another tenant"


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 row``, ``2 rows``. ``many``: a plural that is not formed with s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def moment(at: datetime) -> str:
    """Return a time in UTC for people, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}"


def last_moment_of(day: datetime) -> datetime:
    """Return the last second of a day in UTC."""
    return day.astimezone(UTC).replace(hour=23, minute=59, second=59, microsecond=0)


def expiry_of(text: str) -> datetime | None:
    """Return the moment that a text names: the end of a day as YYYY-MM-DD, or an ISO time with a colon, in UTC.

    None when it is neither: Python also reads 20270131 and 2027-W04-7, as the start of a day.
    """
    text = text.strip()
    is_day = re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None
    if not is_day and ":" not in text:
        return None
    try:
        at = _as_utc(datetime.fromisoformat(text))
    except ValueError:
        return None
    return last_moment_of(at) if is_day else at


def expiry_text(at: datetime) -> str:
    """Return a moment as ``expiry_of`` reads it: a day where it is the end of one."""
    return f"{at:%Y-%m-%d}" if at == last_moment_of(at) else at.isoformat()


def until(at: datetime) -> str:
    """Return an expiry for people: the last day that is valid to its end, else the exact time."""
    return f"{at:%Y-%m-%d}" if at == last_moment_of(at) else moment(at)


def iso(at: datetime) -> str:
    """Return a time in ISO 8601, as models write it: in UTC, with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def first_problem(error: ValidationError) -> str:
    """Return the first validation error as ``path: rule``, without the input: it may be long, or secret.

    One of the whole has no path.
    """
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(map(str, first["loc"]))
    return f"{path}: {plain(first['msg'])}" if path else plain(first["msg"])


def plain(message: str) -> str:
    """Return a message of pydantic as a rule, such as ``must be 'on' or 'off'``."""
    return _RULE.sub("must ", message.removeprefix("Value error, "))


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before every audit record. An earlier time, such as the year 1 of an unset value, counts as this one."""


def whole_text(text: str) -> str:
    """Return the text with each half of a character (a lone surrogate), which no store holds, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def latest(one: datetime | None, other: datetime) -> datetime:
    """The later of two moments; the other one where there is none."""
    return max(one, other) if one else other


def is_target_key(text: str) -> bool:
    """True for a key that ``target_key`` may have made: safe to use in a table."""
    return _GUID.match(text) is not None or _NAME_KEY.match(text) is not None


def target_key(*names: str) -> str:
    """Return the ledger key of a target: its object id, or ``name-`` and a SHA-256 of its names.

    Names are compared without case and surrounding space; their order does not matter.
    """
    distinct = sorted({name.strip().casefold() for name in names if name.strip()})
    if len(distinct) == 1 and (guid := guid_or_none(distinct[0])):
        return guid
    return "name-" + hashlib.sha256("\0".join(distinct).encode()).hexdigest()


def record_key(record_id: str) -> str:
    """Return the record's Id as a table key: a GUID as it is, anything else hashed."""
    return guid_or_none(record_id) or hashlib.sha256(record_id.encode()).hexdigest()[:32]


class Stored(Value):
    """A value inside a stored row. Fields of a newer version are kept when the row is written."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Row(Stored):
    """One row of a target's partition."""

    schema_version: int = 1

    kind: ClassVar[str]
    key: ClassVar[str] = "{row.kind}-{row.id}"
    """The format of ``row_key``. Deterministic, so that the same thing is stored once."""

    @property
    def row_key(self) -> str:
        """Key of the row inside its case."""
        return self.key.format(row=self)

    @property
    def place(self) -> str:
        """Return the row's key while the case is loaded with it. Keys that begin with ``now-`` are loaded."""
        return f"now-{self.row_key}"
