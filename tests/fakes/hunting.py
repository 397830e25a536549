"""Advanced hunting and its memory, in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bypass_responder.errors import ConflictError
from bypass_responder.model.feed import Window
from bypass_responder.model.hunting import Arrival, HuntingState
from bypass_responder.sensing.hunting.query import ROWS
from sandbox.tenant.hunting_counts import counted, mailboxes_of
from sandbox.tenant.hunting_rows import CLOUD_APP_EVENTS, HuntingRow
from tests.fakes.scripted import Scripted


class FakeHunting(Scripted):
    """``table`` has the rows of CloudAppEvents, each with the time at which it arrived there."""

    def __init__(self, *, clock: Callable[[], datetime]) -> None:
        super().__init__()
        self.table: list[tuple[datetime, datetime, dict[str, Any]]] = []
        self.windows: list[Window] = []
        self.other_rows = True
        """The table has rows of Exchange that concern nobody."""
        self.most = ROWS
        """Counted rows of one answer."""
        self._clock = clock

    def add(self, record: Mapping[str, Any], *, at: datetime | None = None, arrived: datetime | None = None) -> None:
        """Put a record into the table, as of the time of its event."""
        at = at or datetime.fromisoformat(record["CreationTime"]).replace(tzinfo=self._clock().tzinfo)
        row = {
            "Timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "ReportId": f"{len(self.table)}",
            "ActionType": record["Operation"],
            "AccountObjectId": record.get("TokenObjectId", ""),
            "RecordId": record.get("Id", ""),
            "RawEventData": dict(record),
        }
        self.table.append((at, arrived or self._clock(), row))

    async def run(self, query: str, timespan: Window) -> Sequence[Mapping[str, Any]]:
        is_any = query.endswith("take 1")
        self._called("run", "any row" if is_any else "records")
        self.windows.append(timespan)
        if is_any:
            return [{"Timestamp": "2026-01-01T00:00:00Z"}] if self.other_rows else []
        found = [
            (at, row)
            for at, arrived, row in self.table
            if timespan.start <= at < timespan.end and arrived <= self._clock()
        ]
        if (mailboxes := mailboxes_of(query)) is not None:
            rows = [HuntingRow(CLOUD_APP_EVENTS, at, at, row) for at, row in found]
            return counted(rows, mailboxes)[: self.most]
        return [row for _, row in sorted(found, key=lambda pair: pair[0])[:ROWS]]


class FakeHuntingStore(Scripted):
    """``saved`` and ``noted`` are what it remembers; a save is a new etag."""

    def __init__(self) -> None:
        super().__init__()
        self.saved = HuntingState()
        self.noted: dict[tuple[str, str], Arrival] = {}
        self._version = 0

    async def state(self) -> HuntingState:
        self._called("state")
        return self.saved

    async def save(self, state: HuntingState) -> None:
        self._called("save")
        if state.etag != self.saved.etag:
            raise ConflictError("The state of the hunting sensor was changed by another run.")
        self._version += 1
        self.saved = state.model_copy(update={"etag": str(self._version)})

    async def note(self, arrivals: Sequence[Arrival]) -> None:
        self._called("note")
        for each in arrivals:
            self.noted.setdefault((each.record_id, each.sensor), each)

    async def arrivals(self, window: Window) -> list[Arrival]:
        self._called("arrivals")
        found = [each for each in self.noted.values() if window.start <= each.occurred_at < window.end]
        return sorted(found, key=lambda each: each.occurred_at)

    async def forget_before(self, moment: datetime) -> int:
        self._called("forget_before")
        old = [key for key, each in self.noted.items() if each.occurred_at < moment]
        for key in old:
            del self.noted[key]
        return len(old)
