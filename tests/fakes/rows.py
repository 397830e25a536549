"""Allowlist, work list, limit, index and checkpoints in memory."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

from bypass_responder.errors import ConflictError, InputError, ResponderError
from bypass_responder.model.account import MOST_MISSPELLED, MOST_READ, UNREAD, AllowlistEntry, MalformedEntry
from bypass_responder.model.allowlist import Snapshot
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.incident_status import IncidentStatus
from bypass_responder.model.inspection import Inspection, folded
from bypass_responder.model.listing import IndexEntry, IndexFilter, IndexPage
from bypass_responder.model.log import Checkpoint, TornLine
from bypass_responder.ports import Finished, OutboxItem, Turn, WorkItem
from tests.fakes.scripted import Scripted


class FakeAllowlist(Scripted):
    """``rows`` may be filled by a test, malformed ones too; ``put`` stamps ``edited_at`` by the clock."""

    def __init__(self, *rows: AllowlistEntry | MalformedEntry, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__()
        self.rows = {row.object_id: row for row in rows}
        self.changes: list[tuple[datetime, str, str]] = []
        """When, whose row, and its new etag; empty for one that was removed."""
        self._version = 0
        self._clock = clock or (lambda: datetime.now(UTC))

    async def get(self, object_id: str) -> AllowlistEntry | MalformedEntry | None:
        self._called("get", object_id)
        row = self.rows.get(object_id)
        return row and _tagged(row)

    async def misspelled(self) -> list[MalformedEntry]:
        self._called("misspelled")
        rows = list(self.rows.values())
        found = [row for row in rows[:MOST_READ] if isinstance(row, MalformedEntry) and row.keys]
        unread = len(rows) > MOST_READ or len(found) > MOST_MISSPELLED
        return [*found[:MOST_MISSPELLED], UNREAD] if unread else found

    async def put(self, entry: AllowlistEntry, *, replaces: str | None = None) -> None:
        self._called("put", entry.object_id)
        if self._etag(entry.object_id) != replaces:
            raise ConflictError("The row was changed meanwhile.")
        now = self._clock()
        self._version += 1
        self.rows[entry.object_id] = entry.model_copy(update={"edited_at": now, "etag": f"v{self._version}"})
        self.changes.append((now, entry.object_id, f"v{self._version}"))

    async def put_all(self, entries: Sequence[tuple[AllowlistEntry, str | None]]) -> None:
        self._called("put_all", entries[0][0].object_id)
        if any(self._etag(entry.object_id) != replaces for entry, replaces in entries):
            raise ConflictError("A row was changed meanwhile.")
        for entry, replaces in entries:
            await self.put(entry, replaces=replaces)

    async def remove(self, object_id: str, *, replaces: str) -> None:
        self._called("remove", object_id)
        if self._etag(object_id) not in {replaces, None}:
            raise ConflictError("The row was changed meanwhile.")
        self.take_away(object_id)

    def take_away(self, object_id: str) -> None:
        """Remove the row, as a person does in a storage tool."""
        if self.rows.pop(object_id, None) is not None:
            self.changes.append((self._clock(), object_id, ""))

    def _etag(self, object_id: str) -> str | None:
        row = self.rows.get(object_id)
        return str(_tagged(row).etag) if row else None

    async def entries(self) -> AsyncIterator[AllowlistEntry | MalformedEntry]:
        self._called("entries")
        for _, row in sorted(self.rows.items()):
            yield _tagged(row)


def _tagged(row: AllowlistEntry | MalformedEntry) -> Any:
    """A row that a test put there has an ETag of what it holds."""
    if row.etag:
        return row
    return row.model_copy(update={"etag": hashlib.sha256(row.model_dump_json().encode()).hexdigest()})


class FakeAllowlistSnapshot(Scripted):
    """``kept`` is the snapshot, with its etag."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: Snapshot | None = None
        self._version = 0

    async def read(self) -> Snapshot | None:
        self._called("read")
        return self.kept

    async def replace(self, snapshot: Snapshot) -> str:
        self._called("replace")
        if snapshot.etag != (self.kept.etag if self.kept else None):
            raise ConflictError("Another run has stored one.")
        self._version += 1
        etag = f"v{self._version}"
        self.kept = Snapshot(dict(snapshot.rows), etag, snapshot.digest_at, snapshot.comparison)
        return etag


class FakeInspections(Scripted):
    """``answers`` is folded name → the last answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, Inspection] = {}

    async def save(self, inspection: Inspection) -> None:
        self._called("save", inspection.name)
        self.answers |= dict.fromkeys(inspection.names, inspection)

    async def of(self, name: str) -> Inspection | None:
        self._called("of", name)
        return self.answers.get(folded(name))

    async def forget_before(self, moment: datetime) -> None:
        self._called("forget_before")
        self.answers = {name: each for name, each in self.answers.items() if each.at >= moment}


class FakeWorkList(Scripted):
    """``held`` is target → item; every write is a new etag."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, WorkItem] = {}
        self._version = 0

    async def touch(self, target: str, due_at: datetime) -> WorkItem:
        self._called("touch", target)
        return self._put(target, due_at, changed=True)

    async def touch_all(self, due: Mapping[str, datetime]) -> list[WorkItem]:
        return [await self.touch(target, due[target]) for target in sorted(due)]

    async def finish(self, item: WorkItem, due_at: datetime | None) -> None:
        self._called("finish", item.target)
        self._finish(item, due_at, None)

    async def finish_all(self, finished: Sequence[Finished]) -> list[ResponderError]:
        for each in finished:
            self._called("finish_all", each.item.target)
            self._finish(each.item, each.due_at, each.head)
        return []

    def _finish(self, item: WorkItem, due_at: datetime | None, head: tuple[int, str] | None) -> None:
        now = self.held.get(item.target)
        if now and now.etag == item.etag:
            self._put(item.target, due_at, changed=True, head=head)
        else:
            moments = [at for at in (due_at, now.due_at if now else None) if at]
            self._put(item.target, min(moments, default=None), changed=True)

    async def checkpointed(self, items: Sequence[WorkItem]) -> None:
        for item in items:
            self._called("checkpointed", item.target)
            now = self.held.get(item.target)
            if now is None or now.etag != item.etag:
                continue
            if now.due_at:
                self._put(item.target, now.due_at, changed=False)
            else:
                del self.held[item.target]

    async def items(self) -> list[WorkItem]:
        self._called("items")
        return list(self.held.values())

    def _put(
        self, target: str, due_at: datetime | None, *, changed: bool, head: tuple[int, str] | None = None
    ) -> WorkItem:
        self._version += 1
        self.held[target] = WorkItem(target, due_at, changed, str(self._version), head)
        return self.held[target]


class FakeOutbox(Scripted):
    """``held`` is (receiver, target) → item; ``turns`` is receiver → until, failures and etag."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], OutboxItem] = {}
        self.turns: dict[str, tuple[datetime | None, int, str]] = {}
        self._version = 0

    async def add(self, receiver: str, due: Mapping[str, datetime]) -> None:
        self._called("add", receiver)
        for target, due_at in due.items():
            self.held[receiver, target] = OutboxItem(receiver, target, due_at, self._etag())

    async def due(self, receiver: str, now: datetime, limit: int) -> list[OutboxItem]:
        self._called("due", receiver)
        found = [item for key, item in sorted(self.held.items()) if key[0] == receiver and item.due_at <= now]
        return found[:limit]

    async def finish(self, item: OutboxItem, due_at: datetime | None) -> None:
        self._called("finish", item.target)
        key = item.receiver, item.target
        if self.held.get(key) != item:
            return
        if due_at is None:
            del self.held[key]
        else:
            self.held[key] = OutboxItem(*key, due_at, self._etag())

    async def waiting(self) -> int:
        self._called("waiting")
        return len({target for _, target in self.held})

    async def take_turn(self, receiver: str, now: datetime, until: datetime) -> Turn | None:
        self._called("take_turn", receiver)
        held_until, failures, _ = self.turns.get(receiver, (None, 0, ""))
        if held_until is not None and held_until > now:
            return None
        turn = Turn(receiver, failures, self._etag())
        self.turns[receiver] = until, failures, turn.etag
        return turn

    async def end_turn(self, turn: Turn, *, failures: int, until: datetime | None) -> None:
        self._called("end_turn", turn.receiver)
        if self.turns[turn.receiver][2] == turn.etag:
            self.turns[turn.receiver] = until, failures, self._etag()

    def _etag(self) -> str:
        self._version += 1
        return f"v{self._version}"


class FakeLimit(Scripted):
    """``slots`` is key → when it took one."""

    def __init__(self) -> None:
        super().__init__()
        self.slots: dict[str, datetime] = {}

    async def take(self, key: str, *, limit: int, now: datetime) -> bool:
        self._called("take", key)
        self.slots = {taken: at for taken, at in self.slots.items() if at > now - timedelta(hours=1)}
        if key not in self.slots and len(self.slots) < limit:
            self.slots[key] = now
        return key in self.slots

    async def give_back(self, key: str) -> None:
        self._called("give_back", key)
        self.slots.pop(key, None)


class FakeIndex(Scripted):
    """``held`` is id → entry."""

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, IndexEntry] = {}

    async def put(self, entries: Sequence[IndexEntry], *, was: Mapping[str, str] = MappingProxyType({})) -> None:
        self._called("put", ",".join(entry.id for entry in entries))
        self.held |= {entry.id: entry for entry in entries}

    async def get(self, entry_id: str) -> IndexEntry | None:
        self._called("get", entry_id)
        found = self._matching(entry_id)
        return self.held.get(entry_id) or (self.held[found[0]] if len(found) == 1 else None)

    async def matching(self, text: str, limit: int) -> list[str]:
        self._called("matching", text)
        return self._matching(text)[:limit]

    def _matching(self, text: str) -> list[str]:
        incidents = {key for key, entry in self.held.items() if entry.kind == "incident"}
        tails = [key for key in sorted(incidents) if key.partition("-")[2].startswith(text)]
        return (
            list(dict.fromkeys([*(key for key in sorted(self.held) if key.startswith(text)), *tails])) if text else []
        )

    async def page(self, wanted: IndexFilter, *, after: str = "", limit: int) -> IndexPage:
        self._called("page")
        if after and not after.startswith("place-"):
            raise InputError("wrong_cursor", "The page does not exist.")
        start = int(after.removeprefix("place-") or 0)
        found = sorted(
            (entry for entry in self.held.values() if _is_wanted(entry, wanted)),
            key=lambda entry: entry.at,
            reverse=not wanted.oldest_first,
        )
        more = len(found) > start + limit
        return IndexPage(entries=tuple(found[start : start + limit]), next=f"place-{start + limit}" if more else None)

    async def count(self, wanted: IndexFilter, most: int) -> int | None:
        self._called("count")
        counted = sum(_is_wanted(entry, wanted) for entry in self.held.values())
        return counted if counted <= most else None

    async def newest(
        self, *, kinds: Sequence[str] | None = None, statuses: Sequence[IncidentStatus] = ()
    ) -> AsyncIterator[IndexEntry]:
        self._called("newest")
        wanted = IndexFilter(kinds=None if kinds is None else tuple(kinds), statuses=tuple(statuses))
        for entry in sorted(self.held.values(), key=lambda entry: entry.at, reverse=True):
            if _is_wanted(entry, wanted):
                yield entry


def _is_wanted(entry: IndexEntry, wanted: IndexFilter) -> bool:
    named = (
        (wanted.account, entry.accounts),
        (wanted.actor, entry.actors),
        (wanted.person, entry.accounts + entry.actors),
    )
    return (
        (wanted.kinds is None or entry.kind in wanted.kinds)
        and (not wanted.statuses or (entry.kind == "incident" and entry.status in wanted.statuses))
        and all(not text or any(_is_named(text.casefold(), name) for name in names) for text, names in named)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
    )


def _is_named(text: str, name: str) -> bool:
    return name == text if "@" in text or guid_or_none(text) else name.startswith(text)


class FakeCheckpoints(Scripted):
    """``held`` is the list, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Checkpoint] = []

    async def last(self) -> Checkpoint | None:
        self._called("last")
        return self.held[-1] if self.held else None

    async def append(self, checkpoint: Checkpoint) -> None:
        self._called("append", str(checkpoint.seq))
        last = self.held[-1] if self.held else None
        if checkpoint == last:
            return
        if checkpoint.seq != (last.seq if last else 0) + 1:
            raise ConflictError(f"Checkpoint {checkpoint.seq} does not follow the newest one.")
        self.held.append(Checkpoint.model_validate_json(checkpoint.model_dump_json()))

    async def all(self, since: date | None = None) -> AsyncIterator[Checkpoint | TornLine]:
        self._called("all")
        earlier = [number for number, each in enumerate(self.held) if since and each.at.date() < since]
        for checkpoint in self.held[max(earlier, default=0) :]:
            yield checkpoint
