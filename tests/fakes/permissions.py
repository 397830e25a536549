"""Permissions that were granted and removed, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bypass_responder.model.permission_change import Deferred, PermissionChange
from tests.fakes.scripted import Scripted


class FakePermissions(Scripted):
    """``noted`` is (pair, record) → change."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: dict[tuple[str, str], PermissionChange] = {}
        self.waiting: dict[str, tuple[PermissionChange, ...]] = {}

    async def note(self, changes: Sequence[PermissionChange]) -> None:
        self._called("note")
        self.noted |= {(each.pair, each.record_id): each for each in changes}

    async def of(self, key: str, limit: int) -> list[PermissionChange]:
        self._called("of", key)
        return sorted((each for each in self.noted.values() if each.object == key), key=_newest_first)[:limit]

    async def defer(self, changes: Sequence[PermissionChange], at: datetime) -> None:
        self._called("defer")
        self.waiting[f"{at.isoformat()} {len(self.waiting)}"] = tuple(changes)

    async def deferred(self, limit: int) -> list[Deferred]:
        self._called("deferred")
        return [Deferred(*each) for each in sorted(self.waiting.items())[:limit]]

    async def drop_deferred(self, key: str) -> None:
        self._called("drop_deferred")
        self.waiting.pop(key, None)

    async def newest(self, since: datetime, limit: int) -> list[PermissionChange]:
        self._called("newest")
        found = [each for each in self.noted.values() if each.occurred_at >= since]
        return sorted(found, key=_newest_first)[:limit]

    async def forget_before(self, moment: datetime) -> int:
        self._called("forget_before")
        old = [key for key, each in self.noted.items() if each.occurred_at < moment]
        for key in old:
            del self.noted[key]
        return len(old)


def _newest_first(change: PermissionChange) -> float:
    return -change.occurred_at.timestamp()
