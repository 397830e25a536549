"""The ledger in memory, as strict as the table: rows live as JSON, etags conflict, the log only grows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence

from bypass_responder.errors import ConflictError, InputError, RefusedError
from bypass_responder.model.base import Row
from bypass_responder.model.case import ROWS, Case, Head
from bypass_responder.model.finding import Finding
from bypass_responder.model.log import LogEntry
from tests.fakes.scripted import Scripted


class FakeLedger(Scripted):
    """``stored`` is target → row key → (kind, JSON); ``logs`` is target → JSON lines. A test may edit both."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, dict[str, tuple[str, str]]] = defaultdict(dict)
        self.logs: dict[str, list[str]] = defaultdict(list)
        self._versions: dict[str, int] = {}

    async def load(self, target: str) -> Case:
        self._called("load", target)
        return self._case(target)

    async def commit(self, case: Case, rows: Sequence[Row], entries: Sequence[LogEntry]) -> Case:
        self._called("commit", case.target)
        if not any(isinstance(row, Head) for row in rows):
            raise RefusedError("A transaction without the head has no order.")
        if len(rows) + len(entries) > 100:
            raise RefusedError("A transaction holds 100 rows.")
        if [entry.seq for entry in entries] != [case.head.log_seq + 1 + i for i in range(len(entries))]:
            raise RefusedError("The log entries do not follow the head.")
        if case.etag != self._etag(case.target) or len(self.logs[case.target]) != case.head.log_seq:
            raise ConflictError(f"The case of {case.target} changed.")
        self._versions[case.target] = self._versions.get(case.target, 0) + 1
        self._put(case.target, rows)
        self.logs[case.target] += [entry.model_dump_json() for entry in entries]
        merged = case.by_key | {row.row_key: row for row in rows}
        return Case(target=case.target, by_key=merged, etag=self._etag(case.target))

    async def add_finding(self, finding: Finding) -> bool:
        self._called("add_finding", finding.target)
        if finding.row_key in self.stored[finding.target]:
            return False
        self._put(finding.target, [finding])
        return True

    async def log(self, target: str) -> AsyncIterator[LogEntry]:
        self._called("log", target)
        for line in list(self.logs[target]):
            yield LogEntry.model_validate_json(line)

    async def targets(self) -> set[str]:
        self._called("targets")
        return {target for held in (self.stored, self.logs) for target, rows in held.items() if rows}

    def _etag(self, target: str) -> str | None:
        return f"v{self._versions[target]}" if target in self._versions else None

    def _put(self, target: str, rows: Sequence[Row]) -> None:
        self.stored[target] |= {row.row_key: (row.kind, row.model_dump_json()) for row in rows}

    def _case(self, target: str) -> Case:
        rows: dict[str, Row] = {}
        for key, (kind, body) in self.stored[target].items():
            try:
                rows[key] = ROWS[kind].model_validate_json(body)
            except (KeyError, ValueError) as problem:
                raise InputError("corrupt_row", f"{target} {key}: {problem}") from problem
        return Case(target=target, by_key=rows, etag=self._etag(target))
