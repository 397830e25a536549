"""The lists of the case index as row keys: the keys of an entry, and the ranges to read for a query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

from bypass_responder.model.base import guid_or_none
from bypass_responder.model.incident_status import NEEDS_DECISION, IncidentStatus
from bypass_responder.model.listing import IndexEntry, IndexFilter

_GROUPS = (
    (IncidentStatus.OPEN, IncidentStatus.HELD, IncidentStatus.FAILED),
    (IncidentStatus.CONTAINED, IncidentStatus.RESTORED),
    (IncidentStatus.OBSERVED, IncidentStatus.DISMISSED),
    (IncidentStatus.RELEASED, IncidentStatus.CLOSED),
)
"""Each set of statuses of one group has a list, so that any filter by status is one request for each group."""
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)
_START_OF_TIME = datetime(1, 1, 1, tzinfo=UTC)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_INCIDENTS, _FINDINGS, _WAITING = "incidents", "findings", "waiting"


@dataclass(frozen=True)
class Range:
    """Row keys from ``first`` on, before ``end``. ``list``: what they all begin with."""

    first: str
    end: str
    list: str = ""

    def behind(self, after: str) -> Range:
        """The rest of the range behind a position: ``!`` is the lowest character of a key."""
        return Range(max(self.first, f"{self.list}{after}!"), self.end, self.list) if after else self


def ranges_of(wanted: IndexFilter) -> list[Range]:
    """Return the ranges that hold everything that is wanted, and as little else as possible."""
    if wanted.oldest_first:
        first = f"{_forward(wanted.since or _START_OF_TIME)}"
        end = f"{_forward(wanted.until)}" if wanted.until else "~"
        return [Range(f"{_WAITING}~{first}", f"{_WAITING}~{end}", f"{_WAITING}~")]
    since, until = _backward(wanted.since) if wanted.since else "", _backward(wanted.until) if wanted.until else ""
    searched = {
        "account": wanted.account or wanted.person,
        "actor": wanted.person or ("" if wanted.account else wanted.actor),
    }
    by_name = [(name, text.strip().casefold()) for name, text in searched.items() if text]
    if by_name:
        return [each for name, text in by_name for each in _of_person(name, text, since=since, until=until)]
    if wanted.statuses:
        lists = [
            _of_statuses(some) for group in _GROUPS if (some := [each for each in group if each in wanted.statuses])
        ]
    else:
        lists = [_INCIDENTS] if wanted.kinds is None or "incident" in wanted.kinds else []
        if wanted.kinds is None or set(wanted.kinds) - {"incident"}:
            lists.append(_FINDINGS)
    return [_of_list(name, since=since, until=until) for name in lists]


def _of_list(name: str, *, since: str, until: str) -> Range:
    """Return the part of a list between two moments; the newest entry has the lowest key."""
    return Range(f"{name}~{f'{until}~' if until else ''}", f"{name}~{f'{since}~' if since else '~'}", f"{name}~")


def _of_person(name: str, text: str, *, since: str, until: str) -> list[Range]:
    """Return the rows of one person; of all whose name begins with the text where it may be a part."""
    if "@" in text or guid_or_none(text):
        whole = _of_list(f"{name}~{_name_key(guid_or_none(text) or text)}", since=since, until=until)
        return [Range(whole.first, whole.end, f"{name}~")]
    return [Range(f"{name}~{_name_key(text)}", f"{name}~{_name_key(text)}~~", f"{name}~")]


def where_of(each: Range, wanted: IndexFilter) -> tuple[str, dict[str, Any]]:
    """Return the filter for the service, with its parameters: the SDK finds one only between spaces."""
    where = ["PartitionKey eq @tenant", "RowKey ge @first", "RowKey lt @end"]
    names: dict[str, Any] = {"first": each.first, "end": each.end}
    for column, values in (("Kind", wanted.kinds or ()), ("Status", wanted.statuses)):
        if values:
            names |= {f"{column}{number}": str(value) for number, value in enumerate(values)}
            where.append(f"( {' or '.join(f'{column} eq @{column}{number}' for number in range(len(values)))} )")
    for comparison, moment in (("ge", wanted.since), ("lt", wanted.until)):
        if moment is not None:
            names[f"At{comparison}"] = moment
            where.append(f"At {comparison} @At{comparison}")
    return " and ".join(where), names


def lists_of(entry: IndexEntry) -> list[str]:
    """Return the keys of the entry in all its lists."""
    order = f"{_backward(entry.at)}-{key_of(entry.id)}"
    everything = _INCIDENTS if entry.kind == "incident" else _FINDINGS
    by_name = [("account", name) for name in entry.accounts] + [("actor", name) for name in entry.actors]
    named = [f"{list_name}~{_name_key(name)}~{order}" for list_name, name in by_name]
    return list(dict.fromkeys([f"{everything}~{order}", *keys_by_status(entry, entry.status), *named]))


def keys_by_status(entry: IndexEntry, status: str) -> Iterable[str]:
    """Yield the keys of an incident in the lists that depend on its status."""
    if entry.kind != "incident":
        return
    for some in _sets_with(status):
        yield f"{_of_statuses(some)}~{_backward(entry.at)}-{key_of(entry.id)}"
    if status in NEEDS_DECISION:
        yield f"{_WAITING}~{_forward(entry.at)}-{key_of(entry.id)}"


def _sets_with(status: str) -> list[tuple[IncidentStatus, ...]]:
    """Return the sets of statuses of one group that have this one."""
    group = next((group for group in _GROUPS if status in group), ())
    sets = (some for size in range(1, len(group) + 1) for some in combinations(group, size))
    return [some for some in sets if status in some]


def _of_statuses(some: Sequence[IncidentStatus]) -> str:
    """Return the list of the incidents that have one of these statuses of a group."""
    return f"status-{'.'.join(some)}"


def key_of(entry_id: str) -> str:
    """Return an id without the characters that row keys do not allow."""
    return _UNSAFE.sub(lambda found: f"!{ord(found[0]):x}!", entry_id)


def _name_key(name: str) -> str:
    return key_of(name)[:300]


def _backward(at: datetime) -> str:
    return f"{(_END_OF_TIME - at) // timedelta(microseconds=1):018d}"


def _forward(at: datetime) -> str:
    return f"{(at - _START_OF_TIME) // timedelta(microseconds=1):018d}"
