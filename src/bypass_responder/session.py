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
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

    from bypass_responder.model.base import Row
    from bypass_responder.services import Services

CONFLICTS_BEFORE_GIVING_UP = 8
T = TypeVar("T")


class Session:
    """One target's case, and the transactions on it, one after the other.

    A transition is a function of a Draft that may run more than once: when somebody else changed the target, the case
    is read again and the transition runs on what is true now. ``case`` shows deferred transitions as well.
    """

    def __init__(self, case: Case, services: Services, *, history: bool = False) -> None:
        """Start from a case as it was read, with its ``history`` or without."""
        self.case = self._stored = case
        self.history = history
        self.run = services.new_id()
        """Names this session: what it planned to send, it sends."""
        self.commits = 0
        self._services = services
        self._lock = asyncio.Lock()
        self._besides: list[Callable[[], Awaitable[Case]]] = []
        self._deferred: list[Callable[[Draft], object]] = []

    @property
    def target(self) -> str:
        """The ledger's key of the target."""
        return self.case.target

    async def read_besides(self, read: Callable[[], Awaitable[Case]]) -> Case:
        """Add rows that are not loaded with the case. Returns what was read; a conflict reads them again."""
        found = await read()
        async with self._lock:
            self._besides.append(read)
            self._show(self._stored.with_rows(found))
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
        self._show(case)

    def _show(self, stored: Case) -> None:
        self._stored = stored
        self.case = self._with(self._deferred).case if self._deferred else stored

    def _with(self, transitions: Sequence[Callable[[Draft], object]]) -> Draft:
        draft = Draft(self._stored, now=self._services.clock(), run=self.run)
        for transition in transitions:
            transition(draft)
        return draft

    def _fitting(self) -> int:
        """How many of the deferred transitions fit into one transaction, at least one."""
        numbers = range(len(self._deferred), 1, -1)
        return next((each for each in numbers if self._with(self._deferred[:each]).has_room(0)), 1)

    def forget(self) -> None:
        """Leave out what was read besides."""
        self._besides.clear()
        rows = {key: row for key, row in self._stored.by_key.items() if self._is_loaded(key, row)}
        self._show(replace(self._stored, by_key=rows, kept={}))

    def _is_loaded(self, key: str, row: Row) -> bool:
        return key not in self._stored.kept and row.place.startswith("now-")

    def draft(self) -> Draft:
        """A draft of the case that nothing commits: to see whether a transition would change anything."""
        return Draft(self.case, now=self._services.clock(), run=self.run)

    def defer(self, transition: Callable[[Draft], object]) -> None:
        """Run a transition, to be committed with the next one that changes something, or by ``flush``.

        Nothing that rests on it may leave the responder before.
        """
        self._deferred.append(transition)
        self._show(self._stored)

    async def flush(self) -> None:
        """Commit what was deferred."""
        async with self._lock:
            if self._deferred:
                await self._run(lambda _: None, alone=True)

    async def apply(self, transition: Callable[[Draft], T]) -> T:
        """Run a transition, commit what it changed, and give what it returned the last time it ran.

        Raises TransientError when the target never holds still.
        """
        async with self._lock:
            return await self._run(transition)

    async def _run(self, transition: Callable[[Draft], T], *, alone: bool = False) -> T:
        """Run a transition after the deferred ones; ``alone``: commit these although it changes nothing."""
        failed = 0
        while failed < CONFLICTS_BEFORE_GIVING_UP:
            deferred = len(self._deferred)
            draft = self._with(self._deferred)
            before = draft.changes
            outcome = transition(draft)
            if not draft.changed and not draft.places:
                self._deferred.clear()
                return outcome
            if draft.changes == before and not alone:
                return outcome
            if deferred and not draft.has_room(0):
                fitting = self._fitting()
                failed += not await self._commit(self._with(self._deferred[:fitting]), fitting)
            elif await self._commit(draft, deferred):
                return outcome
            else:
                failed += 1
        raise TransientError(f"The case of {self.target} changed too often while it was written.")

    async def _commit(self, draft: Draft, deferred: int) -> bool:
        """Write a draft with ``deferred`` deferred transitions.

        False after a conflict: the case is then read again.
        """
        draft.put_head()
        before = self._stored.by_key
        try:
            stored = await self._services.ledger.commit(
                self._stored, list(draft.changed.values()), draft.entries, draft.places
            )
        except ConflictError:
            await self._read_again()
            return False
        del self._deferred[:deferred]
        self._show(stored)
        self.commits += 1
        _write_lines(draft, before)
        return True


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
    await services.work.touch_all(dict.fromkeys(targets, services.clock()))
    yield
    await services.work.touch_all(dict.fromkeys(targets, services.clock()))


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
