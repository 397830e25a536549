"""The ledger of one target: a ``Case`` has all of it except the log.

Rows are frozen and know their keys. Row keys sort by kind. One row, the ``Head``, is written in every transaction: its
ETag makes the changes of one target a sequence, and it carries the end of the target's log chain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar, TypeVar

from bypass_responder.model.allowlist import SeenRow
from bypass_responder.model.base import Row, Stored, Utc
from bypass_responder.model.finding import Alone, Finding, Unrecorded
from bypass_responder.model.health import HealthAlert, Tampering
from bypass_responder.model.incident import Incident, PersonDecision
from bypass_responder.model.message import Command
from bypass_responder.model.notification import Notification
from bypass_responder.model.plan_run import PlanRun
from bypass_responder.model.right_holders import RightHolders
from bypass_responder.model.rules import RulesInForce
from bypass_responder.model.step import Control, Recheck, Step, StepKind
from bypass_responder.model.sweep import AcceptedWarning, Sweep

if TYPE_CHECKING:
    from collections.abc import Mapping

TENANT_TARGET = "tenant"
"""The key under which health, tampering evidence and their log are kept."""


class PriorState(Stored):
    """What an account was before our first block. Stored once, lives until the release."""

    account_enabled: bool
    recorded_at: Utc
    protected_reported_at: Utc | None = None
    """When people were notified that the account is protected by now, and still blocked by us."""


class Head(Row):
    """Everything about a target that outlives its incidents."""

    kind: ClassVar[str] = "head"
    key: ClassVar[str] = "head"
    active_incident: str | None = None
    last_incident: str | None = None
    restored_at: Utc | None = None
    """When auditing was last proven restored; evidence not later than this never acts."""
    off_at: Utc | None = None
    """When Exchange last reported the bypass off."""
    gone_at: Utc | None = None
    """When the account, no longer listed by a sweep, was not found. It was not reported off."""
    prior: PriorState | None = None
    """Before our first block. Kept until the release."""
    released_through: Utc | None = None
    """Of the last release: incidents opened until then want nothing any more."""
    reported_off: Utc | None = None
    """Since when the bypass was on that a sweep no longer listed last, and that is recorded as over."""
    filed_through: Utc | None = None
    """The latest end of an episode that is no longer loaded. Later evidence cannot be about one of these."""
    alone_until: Utc | None = None
    """The latest time of a decided finding that belongs to no incident."""
    adopting: str | None = None
    """The incident for which such findings are still to be searched."""
    reopening: str | None = None
    """The incident whose records of *on* from after its end are still to be searched."""
    ending: bool = False
    """True while incidents that a release ended are still to be closed: the case is then loaded with its history."""
    enabled_again_at: Utc | None = None
    """When our block was undone: incidents of the history are still to show that. Loads the history as well."""
    taking_over: bool = False
    """True while the newest incident of the history that wants the block is to be loaded again. Loads it as well."""
    sent_since: Utc | None = None
    """The earliest delivery among the notifications that are no longer loaded."""
    unread_since: Utc | None = None
    """Since when reading the account for due work has failed, or has run out of time; None after a success."""
    log_seq: int = 0
    log_hash: str = ""


ROWS: dict[str, type[Row]] = {
    cls.kind: cls
    for cls in (
        Head,
        Finding,
        Unrecorded,
        Alone,
        Incident,
        Step,
        Control,
        Command,
        Recheck,
        PersonDecision,
        Notification,
        HealthAlert,
        Tampering,
        RightHolders,
        RulesInForce,
        Sweep,
        AcceptedWarning,
        SeenRow,
        PlanRun,
    )
}
"""Every kind of row, for the adapter that reads them back."""
_BEFORE_KEY = r"(?:now-|closed-\w+-\d+-\w+-)?"
"""What a place may have before the key of its row."""


def is_of_newer_version(kind: object, place: str) -> bool:
    """Return True for a row of a kind that this version does not know.

    Its key begins with its kind.
    It is left as it is. A known row whose kind was edited by hand has another key: it is corrupt.
    """
    if not isinstance(kind, str) or kind in ROWS or not re.fullmatch("[a-z_]+", kind):
        return False
    return re.match(rf"{_BEFORE_KEY}{kind.replace('_', '-')}(?:-|\Z)", place) is not None


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Case:
    """The rows of one target by row key: the loaded ones, and the rows read from its history.

    ``etag`` is the head's, None while the target is unknown. ``kept``: where rows of the history are stored.
    """

    target: str
    by_key: dict[str, Row] = field(default_factory=dict)
    etag: str | None = None
    kept: dict[str, str] = field(default_factory=dict)

    def with_rows(self, other: Case) -> Case:
        """The case with rows that were read besides; what it has already stands."""
        new = {key: row for key, row in other.by_key.items() if key not in self.by_key}
        kept = {key: place for key, place in other.kept.items() if key in new}
        return Case(self.target, self.by_key | new, self.etag, self.kept | kept)

    def written(self, rows: Mapping[str, Row], places: Mapping[str, str | None], etag: str | None) -> Case:
        """The case after a transaction: see ``ports.Ledger.commit``."""
        gone = {key for key, place in places.items() if place is None}
        by_key = {key: row for key, row in {**self.by_key, **rows}.items() if key not in gone}
        kept = {key: place for key, place in {**self.kept, **places}.items() if place and key in by_key}
        return Case(self.target, by_key, etag, kept)

    @property
    def head(self) -> Head:
        """The head, or a fresh one."""
        return self.row(Head, "head") or Head()

    def rows(self, kind: type[R]) -> list[R]:
        """All rows of one kind, in key order."""
        found = [(key, row) for key, row in self.by_key.items() if isinstance(row, kind)]
        found.sort(key=itemgetter(0))
        return [row for _, row in found]

    def row(self, kind: type[R], row_key: str) -> R | None:
        """One row, or None."""
        found = self.by_key.get(row_key)
        return found if isinstance(found, kind) else None

    def incident(self, incident_id: str | None) -> Incident | None:
        """One incident, or None."""
        return self.row(Incident, f"incident-{incident_id}") if incident_id else None

    def opened_at(self, incident_id: str) -> datetime:
        """When an incident was opened."""
        found = self.incident(incident_id)
        return found.opened_at if found else datetime.max.replace(tzinfo=UTC)

    def step(self, incident_id: str, kind: StepKind) -> Step | None:
        """One step, or None."""
        return self.row(Step, f"step-{incident_id}-{kind}")

    def control(self, kind: StepKind) -> Control:
        """One control of the account, or a fresh one."""
        return self.row(Control, f"control-{kind}") or Control(control=kind)

    def steps(self, incident_id: str) -> list[Step]:
        """The steps of one incident."""
        return [step for step in self.rows(Step) if step.incident_id == incident_id]
