"""Permissions that were granted and removed, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bypass_responder.model.permission_change import PermissionChange
from tests.fakes.scripted import Scripted


class FakePermissions(Scripted):
    """``noted`` is (pair, record) → change."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: dict[tuple[str, str], PermissionChange] = {}

    async def note(self, changes: Sequence[PermissionChange]) -> None:
        self._called("note")
        self.noted |= {(each.pair, each.record_id): each for each in changes}

    async def of(self, pair: str) -> list[PermissionChange]:
        self._called("of", pair)
        return [each for each in self.noted.values() if each.pair == pair]

    async def newest(self, since: datetime, limit: int) -> list[PermissionChange]:
        self._called("newest")
        found = [each for each in self.noted.values() if each.occurred_at >= since]
        return sorted(found, key=lambda each: each.occurred_at, reverse=True)[:limit]

    async def forget_before(self, moment: datetime) -> int:
        self._called("forget_before")
        old = [key for key, each in self.noted.items() if each.occurred_at < moment]
        for key in old:
            del self.noted[key]
        return len(old)
