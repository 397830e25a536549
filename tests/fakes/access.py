"""What others did in watched mailboxes, in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from bypass_responder.errors import ConflictError
from bypass_responder.model.mailbox_access import AccessDay, AccessFilter, AccessState, MailboxAccess
from tests.fakes.scripted import Scripted


class FakeAccesses(Scripted):
    """``rows`` is (day, digest) → row, ``read`` is day → how it was read."""

    def __init__(self) -> None:
        super().__init__()
        self.saved = AccessState()
        self.read: dict[date, AccessDay] = {}
        self.rows: dict[tuple[date, str], MailboxAccess] = {}
        self._version = 0

    async def state(self) -> AccessState:
        self._called("state")
        return self.saved

    async def save(self, state: AccessState) -> AccessState:
        self._called("save")
        if state.etag != self.saved.etag:
            raise ConflictError("The state of the watch of mailboxes was changed by another run.")
        self._version += 1
        self.saved = state.model_copy(update={"etag": str(self._version)})
        return self.saved

    async def days(self, since: date) -> list[AccessDay]:
        self._called("days")
        return [each for day, each in sorted(self.read.items()) if day >= since]

    async def keep(self, day: AccessDay, rows: Sequence[MailboxAccess]) -> None:
        self._called("keep", f"{day.day}")
        self.rows |= {(each.day, each.digest): each for each in rows}
        self.read[day.day] = day

    async def known(self, pairs: Collection[str], before: date) -> set[str]:
        self._called("known")
        return {row.pair for row in self.rows.values() if row.day < before} & set(pairs)

    async def newest(self, wanted: AccessFilter, limit: int) -> list[MailboxAccess]:
        self._called("newest")
        found = [row for row in self.rows.values() if wanted.matches(row)]
        return sorted(found, key=lambda row: (-row.day.toordinal(), row.pair, row.digest))[:limit]

    async def forget_before(self, day: date) -> int:
        self._called("forget_before")
        old = [key for key, row in self.rows.items() if row.day < day]
        for key in old:
            del self.rows[key]
        for each in [each for each in self.read if each < day]:
            del self.read[each]
        return len(old)
