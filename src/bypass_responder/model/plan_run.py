"""A plan of mailbox changes that is carried out, or undone.

It has one row in the tenant's own case, and one row for each mailbox.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from bypass_responder.model.base import Row, Stored, Utc, Value, counted
from bypass_responder.model.health import newest_first
from bypass_responder.model.mailbox_audit import AuditChange, AuditSettings
from bypass_responder.model.message import Guid
from bypass_responder.model.sweep import Sha256

MOST_CHANGES = 10_000
"""Mailboxes of one plan."""
MOST_NAMED = 20
"""Mailboxes that a run names as not as wanted; the undo file has all."""


class PlanRef(Value):
    """Which plan a person decides about: its hash, and how many mailboxes it changes."""

    sha256: Sha256
    changes: Annotated[int, Field(ge=1, le=MOST_CHANGES)]


RunState = Literal["running", "done", "partly done", "stopped"]
"""partly done: some mailboxes are not as wanted. stopped: some were not started."""


class Stage(StrEnum):
    """What comes next for one mailbox."""

    RECORD = "record"
    """The worker reads its settings, and stores them where only it can write."""
    CHANGE = "change"
    """The worker changes it, or undoes a change."""
    ENDED = "ended"


class ChangeOutcome(StrEnum):
    """How it ended for one mailbox. The values are the words that people read, in every form."""

    DONE = "done"
    """Changed, or undone, and read back."""
    ALREADY = "already as wanted"
    """It was as wanted before. Nothing was set."""
    SKIPPED = "skipped"
    """Its settings were no longer those of the plan. Nothing was set."""
    GONE = "not found"
    """The account or its mailbox was not found."""
    REFUSED = "refused"
    """The worker refused it. Nothing was set."""
    FAILED = "failed"
    """Nothing was set."""
    REVERTED = "rolled back"
    """It audited less once it was set, and was set back at once."""
    LESS = "audits less"
    """It was set, and audits less than before."""
    UNKNOWN = "unknown"
    """It was asked, and may have been set."""
    NOT_STARTED = "not started"
    """The run was stopped before it was asked."""

    @property
    def good(self) -> bool:
        """True when the mailbox is as wanted."""
        return self in {ChangeOutcome.DONE, ChangeOutcome.ALREADY}

    @property
    def may_have_changed(self) -> bool:
        """True when an undo must check it."""
        return self in {ChangeOutcome.DONE, ChangeOutcome.LESS, ChangeOutcome.UNKNOWN}


class MailboxChange(Stored):
    """One mailbox of a run. Stored before it is changed, this is the undo entry."""

    number: int
    """Its place in the plan."""
    object_id: Guid
    name: str
    expected: AuditSettings
    """Nothing is set unless the settings are these: before a change those of the plan, before an undo the changed."""
    change: AuditChange | None
    """None: back to what was recorded."""
    stage: Stage = Stage.RECORD
    record: Guid | None = None
    """Under which the worker keeps ``before``."""
    exchange_guid: Guid | None = None
    """The mailbox, as audit records of the change name it; None until it is recorded."""
    before: AuditSettings | None = None
    after: AuditSettings | None = None
    """As read back; None where nothing was."""
    command_id: str = ""
    """Of the question that is asked; empty while none is."""
    asked_at: Utc | None = None
    not_before: Utc | None = None
    """When it is asked again."""
    attempts: int = 0
    """Of this stage."""
    uncertain: bool = False
    """True: an attempt may have set it."""
    outcome: ChangeOutcome | None = None
    problem: str = ""

    @property
    def may_have_changed(self) -> bool:
        """True when an undo must check it. Without an outcome, a change may have been requested."""
        return self.outcome is None or self.outcome.may_have_changed

    @property
    def wanted(self) -> AuditSettings | None:
        """The settings that it is meant to have; None while what was before is not known."""
        if self.before is None or self.change is None:
            return self.before
        return self.before.changed_by(self.change)

    @property
    def asked_for(self) -> tuple[AuditSettings, ...]:
        """The settings that the worker may have set: those wanted, or those before, if less was audited."""
        back = self.before if self.outcome in {ChangeOutcome.REVERTED, ChangeOutcome.LESS} else None
        return tuple(each for each in (self.wanted, back) if each is not None)

    def to_undo(self) -> MailboxChange:
        """Return the way back: from what was read back, or is meant to be, to what was recorded."""
        read_back = self.after if self.outcome in {ChangeOutcome.DONE, ChangeOutcome.LESS} else None
        expected = read_back or self.wanted
        return MailboxChange(
            number=self.number,
            object_id=self.object_id,
            name=self.name,
            expected=expected or self.expected,
            change=None,
            stage=Stage.CHANGE,
            record=self.record,
            exchange_guid=self.exchange_guid,
            before=self.before,
        )


class PlanRun(Row):
    """One carrying out of a plan, or the undo of one. The newest is loaded; earlier ones are history."""

    kind: ClassVar[str] = "plan"
    id: str
    """Of the message that asked for it."""
    plan: Sha256
    total: int
    """Mailboxes to change."""
    who: str
    reason: str
    undoes: str | None = None
    """The run that this one undoes."""
    started_at: Utc
    ended_at: Utc | None = None
    state: RunState = "running"
    held: str = ""
    """Why nothing is asked now."""
    stopped: str = ""
    """Why no further mailbox is started."""
    next_number: int = 0
    """Of the first mailbox that was not started."""
    under_way: tuple[MailboxChange, ...] = ()
    counts: dict[ChangeOutcome, int] = Field(default_factory=dict)
    recent: tuple[Utc, ...] = ()
    """When changes of the last hour ended, of earlier runs as well: see ``case.plan_run.free_slots``."""
    named: tuple[str, ...] = ()
    """Mailboxes that are not as wanted, with the reason."""

    @property
    def running(self) -> bool:
        """True until it has ended."""
        return self.ended_at is None

    @property
    def ended(self) -> int:
        """Mailboxes whose outcome is known."""
        return sum(self.counts.values())

    @property
    def may_have_changed(self) -> int:
        """Mailboxes that an undo checks."""
        return sum(count for outcome, count in self.counts.items() if ChangeOutcome(outcome).may_have_changed)

    @property
    def progress(self) -> str:
        """How far it is, for people."""
        counts = [f"{count:,} {outcome}" for outcome, count in sorted(self.counts.items()) if count]
        mailboxes = counted(self.total, "mailbox", "mailboxes")
        return f"{self.ended:,} of {mailboxes}{': ' if counts else ''}{', '.join(counts)}"

    @property
    def filed(self) -> str:
        """Where it is stored once another run has started."""
        return f"plan-{newest_first(self.started_at)}-{self.row_key}"

    def counted(self, ended: list[MailboxChange]) -> PlanRun:
        """Return it with further outcomes."""
        counts = Counter(self.counts) + Counter(each.outcome for each in ended if each.outcome)
        bad = [each for each in ended if each.outcome and not each.outcome.good]
        texts = [f"{each.name}: {each.problem or each.outcome}" for each in bad]
        return self.model_copy(update={"counts": dict(counts), "named": (*self.named, *texts)[:MOST_NAMED]})
