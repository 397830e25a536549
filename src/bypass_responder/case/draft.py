"""One transaction in the making: the rows that change, with their log entries and notifications."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

from bypass_responder.case.follow_up import tasks, with_command
from bypass_responder.case.plain_text import what_happened, what_is_true
from bypass_responder.case.tasks import Task, decide
from bypass_responder.model.base import Row
from bypass_responder.model.case import Case
from bypass_responder.model.finding import Finding
from bypass_responder.model.incident import Incident
from bypass_responder.model.incident_status import ANSWERED_BY_PEOPLE, IncidentStatus
from bypass_responder.model.log import About, Event, LogEntry
from bypass_responder.model.notification import Notification, Severity
from bypass_responder.model.record import printable
from bypass_responder.model.step import Effect, Observed, StepKind, StepState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

TRANSACTION_ROWS, TRANSACTION_BYTES = 100, 4 * 1024 * 1024
"""What the ledger takes in one transaction."""
ESCAPED = 4
"""Bytes of a backslash of a raw record in the request: the row is JSON with it escaped, and is escaped once more."""
R = TypeVar("R", bound=Row)


class Draft:
    """Unsaved changes of a case. A transition reads ``case`` and writes; the ledger commits all of it."""

    def __init__(self, case: Case, *, now: datetime, run: str = "") -> None:
        """Start from a case as read; ``now`` stamps the transaction, ``run`` names its author."""
        self.case = Case(case.target, dict(case.by_key), case.etag, dict(case.kept))
        """The case with the changes of this draft: what a transition reads."""
        self.now = now
        self.run = run
        self.changed: dict[str, Row] = {}
        self.places: dict[str, str | None] = {}
        """Rows that leave the loaded ones, or return to them, or are deleted: see ``ports.Ledger.commit``."""
        self.entries: list[LogEntry] = []

    def put(self, row: Row) -> None:
        """Write a row in this transaction; a row that is as it was is left out."""
        key = row.row_key
        if self.case.by_key.get(key) != row:
            self.case.by_key[key] = self.changed[key] = row
            if key in self.places and self.places[key] is None:
                del self.places[key]

    def file(self, row: Row, place: str) -> None:
        """Move a row out of what is loaded, or with an empty place back into it."""
        self.case.by_key[row.row_key] = self.changed[row.row_key] = row
        self.places[row.row_key] = place
        self.case.kept.pop(row.row_key, None)
        if place:
            self.case.kept[row.row_key] = place

    def remove(self, row: Row) -> None:
        """Delete a row."""
        self.case.by_key.pop(row.row_key, None)
        self.changed.pop(row.row_key, None)
        self.places[row.row_key] = None

    @property
    def changes(self) -> tuple[dict[str, Row], dict[str, str | None]]:
        """The rows and places so far, for comparison with later ones."""
        return dict(self.changed), dict(self.places)

    @property
    def size(self) -> int:
        """How many operations the transaction has so far, at most; a long raw record counts as several."""
        long = sum(map(_more_than_one, self.changed.values()))
        return len(self.changed) + len(self.places) + len(self.entries) + 1 + long

    def has_room(self, operations: int) -> bool:
        """Return True when the transaction can hold ``operations`` more."""
        return self.size + operations <= TRANSACTION_ROWS

    def put_head(self) -> None:
        """Write the head even when nothing in it changed: its ETag orders the transactions."""
        self.changed.setdefault("head", self.case.head)

    def log(
        self,
        event: Event,
        text: str,
        *,
        incident: str | None = None,
        who: str = "responder",
        **facts: Any,  # noqa: ANN401 - any JSON value
    ) -> None:
        """Add a line to the target's chain; the head moves with it."""
        head = self.case.head
        entry = LogEntry(
            target=self.case.target,
            seq=head.log_seq + 1,
            at=self.now,
            event=event,
            text=text,
            incident_id=incident,
            who=who,
            facts={name: value for name, value in facts.items() if value is not None},
            previous=head.log_hash,
        )
        entry = entry.model_copy(update={"hash": entry.digest()})
        self.entries.append(entry)
        self.put(head.model_copy(update={"log_seq": entry.seq, "log_hash": entry.hash}))

    def move_head(self, **changes: Any) -> None:  # noqa: ANN401 - the head's own fields
        """Change fields of the head."""
        self.put(self.case.head.model_copy(update=changes))

    def notify(
        self,
        about: About,
        title: str,
        text: str,
        *,
        key: str,
        severity: Severity = Severity.WARNING,
        incident: str | None = None,
        left_to_do: Sequence[str | Task] = (),
        to: str = "",
        **facts: Any,  # noqa: ANN401 - any JSON value
    ) -> bool:
        """Put a message in the outbox, once per ``about`` and ``key``. It names at least one command.

        It is made printable, as names come from records and reasons from people.
        ``to``: see ``Notification``. Returns False when it was there already.
        """
        if self.notified(about, key=key) is not None:
            return False
        todo = with_command(left_to_do, incident or facts.get("record"))
        self.put(
            Notification(
                id=self._notification_id(about, key),
                about=about,
                severity=severity,
                title=printable(title),
                text=printable(text),
                incident_id=incident,
                target=self.case.target,
                facts={name: _printable(value) for name, value in facts.items() if value is not None},
                left_to_do=tuple(printable(str(each)) for each in todo),
                commands=tuple(printable(each.command) for each in todo if isinstance(each, Task) and each.command),
                to=to,
                created_at=self.now,
            )
        )
        return True

    def notified(self, about: About, *, key: str) -> Notification | None:
        """Return the message of this ``about`` and ``key``; None if there was none, or it is no longer kept."""
        return self.case.row(Notification, f"notification-{self._notification_id(about, key)}")

    def _notification_id(self, about: About, key: str) -> str:
        return hashlib.sha256(f"{self.case.target}|{about}|{key}".encode()).hexdigest()[:24]

    def notify_about(
        self,
        about: About,
        incident: Incident,
        title: str,
        text: str,
        *,
        key: str,
        **facts: Any,  # noqa: ANN401 - any JSON value
    ) -> None:
        """Put a message about an incident in the outbox: what happened, what is true now, why, what to do.

        It is critical, or more where the actor is an administrator or has hidden several accounts.
        """
        steps = self.case.steps(incident.id)
        self.notify(
            about,
            title,
            f"{what_happened(incident)} {what_is_true(incident, self.case)} {text}".strip(),
            key=f"{incident.id}-{key}",
            severity=Severity.EMERGENCY if incident.raised else Severity.CRITICAL,
            incident=incident.id,
            left_to_do=(decide("ack", incident.id, "Acknowledge it"), *tasks(incident, steps=steps)),
            account=str(incident.account) if incident.account else None,
            actor=[actor.described for actor in incident.actors],
            raised=incident.raised or None,
            **facts,
        )

    def settle_status(self, incident_id: str) -> Incident | None:
        """Recompute the incident's status from its steps."""
        incident = self.case.incident(incident_id)
        if incident is None or incident.status.final:
            return incident
        status = _status(self.case, incident_id)
        waits = status in ANSWERED_BY_PEOPLE and incident.waits_since is None
        changes = {"status": status} | ({"waits_since": self.now} if waits else {})
        incident = incident.model_copy(update=changes)
        self.put(incident)
        return incident


def _printable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a fact with each text in it printable."""
    match value:
        case str():
            return printable(value)
        case list() | tuple():
            return [_printable(each) for each in value]
        case dict():
            return {name: _printable(each) for name, each in value.items()}
    return value


def _more_than_one(row: Row) -> int:
    """Return for how many more operations of average size a row takes the room."""
    raw = row.evidence.text if isinstance(row, Finding) and row.evidence else None
    return len(raw or "") * ESCAPED // (TRANSACTION_BYTES // TRANSACTION_ROWS)


def _status(case: Case, incident_id: str) -> IncidentStatus:
    """Return the status that the steps give. Contained only while the account is blocked, as last read."""
    steps = {step.step: step for step in case.steps(incident_id)}
    states = [step.state for step in steps.values()]
    if StepState.HELD in states:
        return IncidentStatus.HELD
    if any(state.running for state in states):
        return IncidentStatus.OPEN
    if StepState.FAILED in states:
        return IncidentStatus.FAILED
    if StepState.WITHHELD in states:
        return IncidentStatus.OBSERVED
    block, revoke = steps.get(StepKind.BLOCK_SIGN_IN), steps.get(StepKind.REVOKE_SESSIONS)
    if block is None or block.state is StepState.CANCELED:
        return IncidentStatus.RESTORED
    if block.effect is Effect.UNVERIFIED or (revoke is not None and revoke.effect is Effect.INEFFECTIVE):
        return IncidentStatus.FAILED
    if case.control(StepKind.BLOCK_SIGN_IN).observed is Observed.ENABLED:
        return IncidentStatus.OPEN
    return IncidentStatus.CONTAINED
