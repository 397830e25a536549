"""One target's case with its transactions."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bypass_responder.case.draft import Draft
from bypass_responder.case.health_alerts import raise_alert
from bypass_responder.errors import ConflictError, TransientError
from bypass_responder.event_lines import write_entry, write_notification
from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.notification import Notification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping

    from bypass_responder.model.base import Row
    from bypass_responder.services import Services

CONFLICTS_BEFORE_GIVING_UP = 8
T = TypeVar("T")


class Session:
    """One target's case, and the transactions on it, one after the other.

    A transition is a function of a Draft that may run more than once: when somebody else changed the target, the case
    is read again and the transition runs on what is true now.
    """

    def __init__(self, case: Case, services: Services, *, history: bool = False) -> None:
        """Start from a case as it was read, with its ``history`` or without."""
        self.case = case
        self.history = history
        self.run = services.new_id()
        """Names this session: what it planned to send, it sends."""
        self.commits = 0
        self._services = services
        self._lock = asyncio.Lock()
        self._besides: list[Callable[[], Awaitable[Case]]] = []

    @property
    def target(self) -> str:
        """The ledger's key of the target."""
        return self.case.target

    async def read_besides(self, read: Callable[[], Awaitable[Case]]) -> Case:
        """Add rows that are not loaded with the case. Returns what was read; a conflict reads them again."""
        found = await read()
        async with self._lock:
            self._besides.append(read)
            self.case = self.case.with_rows(found)
        return found

    async def read_history(self) -> None:
        """Add everything that is stored of the target."""
        if not self.history:
            self.history = True
            self._besides.clear()  # the history has them all
            await self._read_again()

    async def _read_again(self) -> None:
        case = await self._services.ledger.load(self.target, history=self.history)
        for read in self._besides:
            case = case.with_rows(await read())
        self.case = case

    def forget(self) -> None:
        """Leave out what was read besides."""
        self._besides.clear()
        self.case = replace(
            self.case,
            by_key={key: row for key, row in self.case.by_key.items() if self._is_loaded(key, row)},
            kept={},
        )

    def _is_loaded(self, key: str, row: Row) -> bool:
        return key not in self.case.kept and row.place.startswith("now-")

    def draft(self) -> Draft:
        """A draft of the case that nothing commits: to see whether a transition would change anything."""
        return Draft(self.case, now=self._services.clock(), run=self.run)

    async def apply(self, transition: Callable[[Draft], T]) -> T:
        """Run a transition, commit what it changed, and give what it returned the last time it ran.

        Raises TransientError when the target never holds still.
        """
        async with self._lock:
            for _ in range(CONFLICTS_BEFORE_GIVING_UP):
                draft = self.draft()
                outcome = transition(draft)
                if not draft.changed and not draft.places:
                    return outcome
                draft.put_head()
                before = self.case.by_key
                try:
                    self.case = await self._services.ledger.commit(
                        self.case, list(draft.changed.values()), draft.entries, draft.places
                    )
                except ConflictError:
                    await self._read_again()
                    continue
                self.commits += 1
                _write_lines(draft, before)
                return outcome
        raise TransientError(f"The case of {self.target} changed too often while it was written.")


def _write_lines(draft: Draft, before: Mapping[str, Row]) -> None:
    """Write telemetry lines for the committed log entries and new notifications."""
    for entry in draft.entries:
        write_entry(entry)
    for key, row in draft.changed.items():
        if isinstance(row, Notification) and key not in before:
            write_notification(row)


@asynccontextmanager
async def announced(target: str, services: Services) -> AsyncIterator[None]:
    """Write what the scheduler must see: mark the target in the work list before, and again after.

    After, because a run that read the target in between would otherwise take it off the list.
    """
    item = await services.work.touch(target, services.clock())
    yield
    await services.work.finish(item, services.clock())


@asynccontextmanager
async def all_announced(targets: Collection[str], services: Services) -> AsyncIterator[None]:
    """The same for many targets."""
    await services.work.touch_all(targets, services.clock())
    yield
    await services.work.touch_all(targets, services.clock())


async def change(target: str, transition: Callable[[Draft], object], services: Services) -> Session:
    """Read a target's case, run the transition on it, announced before and after."""
    async with announced(target, services):
        session = await open_session(target, services)
        await session.apply(transition)
    return session


async def change_if_needed(session: Session, transition: Callable[[Draft], object], services: Services) -> bool:
    """The same on a case that was read, and nothing at all where the transition would change nothing."""
    probe = session.draft()
    transition(probe)
    if not probe.changed and not probe.places:
        return False
    async with announced(session.target, services):
        await session.apply(transition)
    return True


async def open_session(target: str, services: Services, *, history: bool = False) -> Session:
    """Read a target's case; with ``history`` also what is over."""
    return Session(await services.ledger.load(target, history=history), services, history=history)


async def raise_health(alert_id: str, detail: str, services: Services) -> None:
    """Raise an alert in the tenant's own case."""
    await change_health(partial(raise_alert, alert_id=alert_id, detail=detail), services)


async def change_health(transition: Callable[[Draft], None], services: Services) -> None:
    """Change the alerts in the tenant's own case, where there is something to change."""
    await change_if_needed(await open_session(TENANT_TARGET, services), transition, services)
