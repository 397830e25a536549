"""The outbox: due notifications and their delivery; one receiver delays neither responses nor others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from itertools import takewhile
from typing import TYPE_CHECKING

from bypass_responder.bounded import limited
from bypass_responder.case.filing import file_delivered
from bypass_responder.errors import RefusedError, ResponderError, ThrottledError, TransientError
from bypass_responder.event_lines import write_line
from bypass_responder.model.base import backoff
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.session import Session, open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case
    from bypass_responder.ports import Notifier, OutboxItem
    from bypass_responder.services import Services

FLOOD = 10
"""At this many due notifications, one message carries many."""
LARGEST = 50
"""Notifications in one message: receivers take it."""
RECORDED_AT_ONCE = 45
"""Deliveries in one transaction, which holds 100: one from the history moves, which takes two."""
TARGETS_AT_ONCE = 50
FILED_AT_ONCE = 100
"""Notifications of the history that are read of one target."""
SEND_SECONDS = 15
"""For one message. A receiver that takes longer is silent."""
RUN = timedelta(seconds=60)
"""For one receiver in one run; the next run continues."""
TURN = timedelta(minutes=3)
"""Longer than a run. After a crash, the next run begins this much later."""
REFUSED_IN_A_ROW = 3
"""From this many refusals on, the fault is the receiver's, not the notifications'."""
SILENT_LONGEST = timedelta(minutes=10)
"""The longest time without a message to a receiver that did not answer."""
RETRY_LONGEST = timedelta(hours=1)
"""The longest wait of a refused notification, and the longest that a receiver can request."""
UNREADABLE_WAIT = timedelta(minutes=10)
"""For a target that could not be read, or whose deliveries could not be recorded."""


async def announce(sessions: Sequence[Session], services: Services) -> None:
    """Put targets with undelivered notifications in the outbox, and start the delivery of what is due."""
    now, due_now = services.clock(), False
    for receiver in services.receivers:
        minimum = _minimum(receiver, services)
        due = {
            one.target: at for one in sessions if (at := next_delivery(one.case, receiver, now, minimum)) is not None
        }
        if due:
            await services.outbox.add(receiver, due)
            due_now |= min(due.values()) <= now
    if due_now:
        await services.sender.wake()


async def wake_when_due(services: Services) -> None:
    """Start the delivery when something is due that no run has delivered."""
    for receiver in services.receivers:
        if await services.outbox.due(receiver, services.clock(), 1):
            await services.sender.wake()
            return


def next_delivery(case: Case, receiver: str, now: datetime, minimum: Severity) -> datetime | None:
    """Return when the case has a notification to deliver to the receiver; None when it has none."""
    waiting = (
        note.delivery(receiver)
        for note in case.rows(Notification)
        if note.sent_at is None and note.is_for(receiver, minimum)
    )
    return min((each.next_at or now for each in waiting if each.sent_at is None), default=None)


async def deliver(receiver: str, services: Services) -> None:
    """Deliver what is due to one receiver, unless another run does, or the receiver is paused.

    Problems with targets are raised in an ExceptionGroup, after the others' notifications are delivered.
    """
    began = services.clock()
    turn = await services.outbox.take_turn(receiver, began, began + TURN)
    if turn is None:
        return
    run = _Run(receiver, services, failures=turn.failures, ends=began + RUN)
    problems: list[Exception] = []
    try:
        problems = await run.deliver_due()
    finally:
        await services.outbox.end_turn(turn, failures=run.failures, until=run.silent_until)
        write_line("sent", receiver=receiver, count=run.accepted, problems=run.failures)
    if problems:
        raise ExceptionGroup("some notifications could not be read; they are tried again", problems)


@dataclass(frozen=True)
class _Due:
    session: Session
    notification: Notification

    @property
    def key(self) -> tuple[str, str]:
        """Target and row key."""
        return self.session.target, self.notification.row_key


@dataclass
class _Run:
    """One receiver in one run. ``failures``: unanswered messages since the last accepted one."""

    receiver: str
    services: Services
    failures: int
    ends: datetime
    accepted: int = 0
    refused: int = 0
    """In a row."""
    silent_until: datetime | None = None
    """Set once the receiver did not answer: it gets no other message in this run, and none before this time."""
    problems: list[Exception] = field(default_factory=list)
    stuck: set[str] = field(default_factory=set)
    """Targets whose deliveries could not be recorded."""
    unrecorded: set[tuple[str, str]] = field(default_factory=set)
    """Target and row key of what the receiver accepted, and could not be recorded: not sent again in this run."""

    @property
    def over(self) -> bool:
        """True when the receiver gets no other message in this run."""
        return self.silent_until is not None or self.services.clock() >= self.ends

    async def deliver_due(self) -> list[Exception]:
        """Deliver, some targets at a time. After a failure one target is tried first, another each time.

        Always the same one would hold back all others if the receiver fails because of it.
        """
        while not self.over:
            items = await self.services.outbox.due(self.receiver, self.services.clock(), TARGETS_AT_ONCE)
            if not items:
                break
            if self.failures:
                items = [items[self.failures % len(items)]]
            opened = await asyncio.gather(*map(limited(self._open), items), return_exceptions=True)
            sessions = {item.target: one for item, one in zip(items, opened, strict=True) if isinstance(one, Session)}
            self.problems += [one for one in opened if isinstance(one, Exception)]
            await self._deliver(list(sessions.values()))
            await asyncio.gather(*(self._finish(item, sessions.get(item.target)) for item in items))
        return self.problems

    async def _open(self, item: OutboxItem) -> Session:
        session = await open_session(item.target, self.services)
        await session.read_besides(partial(self.services.ledger.unsent, item.target, FILED_AT_ONCE))
        return session

    async def _finish(self, item: OutboxItem, session: Session | None) -> None:
        now = self.services.clock()
        readable = session is not None and item.target not in self.stuck
        due: datetime | None = now + UNREADABLE_WAIT
        if session and readable:
            due = next_delivery(session.case, self.receiver, now, _minimum(self.receiver, self.services))
        if due is None or due > now:
            await self.services.outbox.finish(item, due)

    async def _deliver(self, sessions: Sequence[Session]) -> None:
        """Send every due notification, the most urgent first: one by one, or in a flood many in one message.

        One that had no answer before is sent alone: it may be what the receiver cannot take.
        """
        now, minimum = self.services.clock(), _minimum(self.receiver, self.services)
        due = [
            _Due(session, note)
            for session in sessions
            for note in session.case.rows(Notification)
            if note.sent_at is None and note.is_for(self.receiver, minimum) and _is_due(note, self.receiver, now)
        ]
        accepted = [one for one in due if one.key in self.unrecorded]
        await self._record(accepted, None)
        due = [one for one in due if one.key not in self.unrecorded and one not in accepted]
        due.sort(key=lambda one: one.notification.created_at)
        due.sort(key=lambda one: one.notification.delivery(self.receiver).attempts)
        due.sort(key=lambda one: -one.notification.severity.rank)
        while due and not self.over:
            fresh = list(takewhile(lambda one: not one.notification.delivery(self.receiver).attempts, due[:LARGEST]))
            size = len(fresh) or 1 if len(due) >= FLOOD and not self.failures else 1
            await self._send(due[:size])
            due = due[size:]

    async def _send(self, batch: Sequence[_Due]) -> None:
        """Send one message, and record it. Of a refused one, each notification is sent alone."""
        error = await _error_of([one.notification for one in batch], self.services.receivers[self.receiver])
        if isinstance(error, RefusedError) and len(batch) > 1:
            for one in batch:
                if not self.over:
                    await self._send([one])
            return
        self._judge(error, len(batch))
        if not isinstance(error, ThrottledError):
            await self._record(batch, error)

    async def _record(self, batch: Sequence[_Due], error: ResponderError | None) -> None:
        """Record how a message ended.

        Where that fails, the target waits, and what was accepted is remembered.
        """
        every = {each: _minimum(each, self.services) for each in self.services.receivers}
        mark = partial(_mark, receiver=self.receiver, every=every, error=error)
        keys: dict[Session, list[str]] = {}
        for one in batch:
            keys.setdefault(one.session, []).append(one.notification.row_key)
        marking = (_record_all(session, each, mark) for session, each in keys.items())
        for (session, each), outcome in zip(
            keys.items(), await asyncio.gather(*marking, return_exceptions=True), strict=True
        ):
            named = {(session.target, key) for key in each}
            self.unrecorded -= named
            self.stuck.discard(session.target)
            if isinstance(outcome, Exception):
                self.problems.append(outcome)
                self.stuck.add(session.target)
                self.unrecorded |= named if error is None else set()

    def _judge(self, error: ResponderError | None, size: int) -> None:
        if error is None:
            self.failures = self.refused = 0
            self.accepted += size
            return
        self.refused += 1
        if isinstance(error, RefusedError) and self.refused < REFUSED_IN_A_ROW:
            return
        self.failures += 1
        seconds = error.retry_after_seconds if isinstance(error, ThrottledError) else 0.0
        asked = timedelta(seconds=min(seconds, RETRY_LONGEST.total_seconds()))
        wait = max(asked, backoff(self.failures - 1, first=timedelta(seconds=30), longest=SILENT_LONGEST))
        self.silent_until = self.services.clock() + wait


async def _record_all(session: Session, keys: Sequence[str], mark: Callable[..., None]) -> None:
    for start in range(0, len(keys), RECORDED_AT_ONCE):
        await session.apply(partial(mark, keys=keys[start : start + RECORDED_AT_ONCE]))


def _minimum(receiver: str, services: Services) -> Severity:
    return services.settings.minimum_severities.get(receiver, Severity.INFO)


def _is_due(note: Notification, receiver: str, now: datetime) -> bool:
    delivery = note.delivery(receiver)
    return delivery.sent_at is None and (delivery.next_at is None or delivery.next_at <= now)


async def _error_of(notifications: Sequence[Notification], notifier: Notifier) -> ResponderError | None:
    """Send one message. The error, None when it was accepted."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await notifier.send(notifications)
    except TimeoutError:
        return TransientError(f"The receiver did not answer within {SEND_SECONDS} s.")
    except ResponderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - one odd notification holds back no other
        return RefusedError(f"The notification could not be sent: {type(error).__name__}: {error}")
    return None


def _mark(
    draft: Draft, *, receiver: str, every: Mapping[str, Severity], error: ResponderError | None, keys: Sequence[str]
) -> None:
    """Record a delivery to one of ``every`` receiver, or why there was none."""
    longest = RETRY_LONGEST if isinstance(error, RefusedError) else SILENT_LONGEST
    for key in keys:
        note = draft.case.row(Notification, key)
        if note is None or note.delivery(receiver).sent_at is not None:
            continue
        attempts = note.delivery(receiver).attempts + 1
        changes: dict[str, object] = {"attempts": attempts, "sent_at": draft.now, "next_at": None, "last_error": ""}
        if error:
            wait = backoff(attempts, first=timedelta(seconds=30), longest=longest)
            changes |= {"sent_at": None, "next_at": draft.now + wait, "last_error": str(error)}
        delivery = note.delivery(receiver).model_copy(update=changes)
        note = note.model_copy(update={"deliveries": note.deliveries | {receiver: delivery}})
        if all(note.delivery(each).sent_at for each, minimum in every.items() if note.is_for(each, minimum)):
            note = note.model_copy(update={"sent_at": draft.now})
        draft.put(note)
        if note.sent_at is not None and key in draft.case.kept:
            file_delivered(draft, note)
