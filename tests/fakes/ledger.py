"""The ledger in memory, as strict as the table.

Rows live as JSON, etags conflict, and the log only grows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from bypass_responder.errors import ConflictError, InputError, RefusedError
from bypass_responder.model.base import Row
from bypass_responder.model.case import ROWS, Case, Head, is_of_newer_version
from bypass_responder.model.finding import Finding, Unrecorded
from bypass_responder.model.health import Tampering, newest_first
from bypass_responder.model.log import LogEntry
from bypass_responder.model.technique import Technique
from tests.fakes.scripted import Scripted

PAGE = 200


class FakeLedger(Scripted):
    """``stored`` is target → place → (kind, JSON); ``logs`` is target → JSON lines. A test may edit both."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
        self.logs: dict[str, list[str]] = defaultdict(list)
        self._versions: dict[str, int] = {}

    async def load(self, target: str, *, history: bool = False) -> Case:
        self._called("load", target)
        return self._case(target, lambda place: history or place.startswith("now-"))

    async def head(self, target: str) -> Head:
        self._called("head", target)
        return self._case(target, lambda place: place == "now-head").head

    async def episodes(self, target: str, since: datetime) -> Case:
        self._called("episodes", target)
        first = f"closed-{since:%Y%m%dT%H%M%S%f}"
        found = self._case(target, lambda place: first <= place < "closed.")
        ends = sorted(place.split("-")[1] for place in found.kept.values())
        last = ends[PAGE] if len(ends) > PAGE else "~"
        return self._case(target, lambda place: first <= place < "closed." and place.split("-")[1] < last)

    async def records(self, target: str, limit: int) -> Case:
        self._called("records", target)
        return self._first(target, limit, lambda place: place.startswith("later-"))

    async def alone(self, target: str, since: datetime, *, after: str = "", limit: int) -> Case:
        self._called("alone", target)
        first = f"{after}." if after else f"alone-{since:%Y%m%dT%H%M%S}"
        return self._first(target, limit, lambda place: first <= place < "alone.")

    async def findings(self, target: str, incident_id: str, since: datetime, *, after: str = "", limit: int) -> Case:
        self._called("findings", target)
        held = self._case(target, lambda place: (f"{after}." if after else "finding-") <= place < "finding.")
        wanted = [
            held.kept[row.row_key]
            for row in held.rows(Finding)
            if row.incident_id == incident_id and row.effective_at > since
        ]
        return self._case(target, lambda place: place in sorted(wanted)[:limit])

    async def tampering(
        self,
        target: str,
        *,
        since: datetime,
        until: datetime,
        limit: int,
        techniques: Collection[Technique] = (),
        by: Collection[str] = (),
        to: Collection[str] = (),
    ) -> Case:
        self._called("tampering", target)
        first, last = newest_first(until), newest_first(since)
        every = self._case(target, lambda place: f"tampering-{first}" <= place < f"tampering-{last}.")
        wanted = {
            row.place
            for row in every.rows(Tampering)
            if (not techniques or row.technique in techniques)
            and (not (by or to) or row.actor.names & {*by} or row.object_names & {*to})
        }
        return self._first(target, limit, lambda place: place in wanted)

    async def sent(self, target: str, before: datetime, limit: int) -> Case:
        self._called("sent", target)
        return self._first(target, limit, lambda place: "sent-" <= place < f"sent-{before:%Y%m%dT%H%M%S}")

    async def plan_runs(self, target: str, limit: int) -> Case:
        self._called("plan_runs", target)
        return self._first(target, limit, lambda place: place.startswith("plan-"))

    async def unsent(self, target: str, limit: int) -> Case:
        self._called("unsent", target)
        return self._first(target, limit, lambda place: place.startswith("unsent-"))

    async def commit(
        self,
        case: Case,
        rows: Sequence[Row],
        entries: Sequence[LogEntry],
        places: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Case:
        self._called("commit", case.target)
        if not any(isinstance(row, Head) for row in rows):
            raise RefusedError("A transaction without the head has no order.")
        written = {row.row_key: row for row in rows}
        after = case.written(written, places, None)
        changed = written.keys() | places.keys()
        new = {key: _place(after, key) for key in changed & after.by_key.keys()}
        gone = {_place(case, key) for key in changed & case.by_key.keys()}.difference(new.values())
        gone = {place for place in gone if not place.startswith("finding-")}
        if len(rows) + len(entries) + len(gone) > 100:
            raise RefusedError("A transaction holds 100 rows.")
        if [entry.seq for entry in entries] != [case.head.log_seq + 1 + i for i in range(len(entries))]:
            raise RefusedError("The log entries do not follow the head.")
        if case.etag != self._etag(case.target) or len(self.logs[case.target]) != case.head.log_seq:
            raise ConflictError(f"The case of {case.target} changed.")
        waiting = case.row(Unrecorded, Unrecorded.key)
        if waiting and waiting.row_key in places and self.stored[case.target][waiting.place][1] != waiting.etag:
            raise ConflictError(f"Another record of {case.target} waits.")
        self._versions[case.target] = self._versions.get(case.target, 0) + 1
        self._put(case.target, {new[key]: row for key, row in written.items()})
        for place in gone:
            del self.stored[case.target][place]
        self.logs[case.target] += [entry.model_dump_json() for entry in entries]
        return replace(after, etag=self._etag(case.target))

    async def add_finding(self, finding: Finding) -> bool:
        self._called("add_finding", finding.target)
        if finding.row_key in self.stored[finding.target]:
            return False
        self._put(finding.target, {finding.row_key: finding, finding.place: finding})
        if finding.decides_nothing:
            waiting = Unrecorded(newest=finding.id)
            self._put(finding.target, {waiting.place: waiting})
        return True

    async def finding(self, target: str, finding_id: str) -> Finding | None:
        self._called("finding", target)
        row = self._case(target, lambda place: place == f"finding-{finding_id}").by_key.get(f"finding-{finding_id}")
        return row if isinstance(row, Finding) else None

    async def log(self, target: str) -> AsyncIterator[LogEntry]:
        self._called("log", target)
        for line in list(self.logs[target]):
            yield LogEntry.model_validate_json(line)

    async def targets(self) -> set[str]:
        self._called("targets")
        return {target for held in (self.stored, self.logs) for target, rows in held.items() if rows}

    def _etag(self, target: str) -> str | None:
        return f"v{self._versions[target]}" if target in self._versions else None

    def _put(self, target: str, rows: Mapping[str, Row]) -> None:
        self.stored[target] |= {place: (row.kind, row.model_dump_json()) for place, row in rows.items()}

    def _first(self, target: str, limit: int, wanted: Callable[[str], bool]) -> Case:
        first = set(sorted(place for place in self.stored[target] if wanted(place))[:limit])
        return self._case(target, lambda place: place in first)

    def _case(self, target: str, wanted: Callable[[str], bool]) -> Case:
        rows: dict[str, Row] = {}
        kept: dict[str, str] = {}
        stored = self.stored[target]
        for place in sorted(filter(wanted, stored)):
            kind, body = stored[place]
            if kind not in ROWS and is_of_newer_version(kind, place):
                continue
            try:
                row, row_key, usual = _row(kind, body)
            except (KeyError, ValueError) as problem:
                raise InputError("corrupt_row", f"{target} {place}: {problem}") from problem
            rows[row_key] = row
            kept.pop(row_key, None)
            if place != usual:
                kept[row_key] = place
        return Case(target=target, by_key=rows, etag=self._etag(target), kept=kept)


@lru_cache(maxsize=10_000)
def _row(kind: str, body: str) -> tuple[Row, str, str]:
    """Return a row, its key and its place.

    The results are cached: rows are frozen, and the simulation reads each a hundred times.
    """
    row = ROWS[kind].model_validate_json(body)
    if isinstance(row, Unrecorded):
        row = row.model_copy(update={"etag": body})
    return row, row.row_key, row.place


def _place(case: Case, row_key: str) -> str:
    return case.kept.get(row_key) or case.by_key[row_key].place
