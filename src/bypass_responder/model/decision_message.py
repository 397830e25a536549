"""The contract of the queue ``decisions``: a person's decision and the state that they were shown.

JSON, base64-encoded on the queue, field names as here. The queue that a message came through is its channel, and says
how far its author can be believed.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from bypass_responder.model.allowlist import AllowlistEdit
from bypass_responder.model.base import Stored, Utc, Value
from bypass_responder.model.message import Guid
from bypass_responder.model.plan_run import PlanRef
from bypass_responder.model.step import Observed, StepKind, StepState

SCHEMA_VERSION = 1
LASTS = timedelta(hours=1)
"""A message that is older is not carried out: what the person was shown is no longer true."""
MOST_FINDINGS, MOST_INCIDENTS, MOST_STEPS = 500, 200, 8
"""What a message lists, so that it stays under the 48 KiB of a queue message."""
LONGEST_ASKED = 1024
"""Characters of a user principal name, as Entra takes them."""
MOST_WARNING, MOST_SHOWN = 2000, 200
"""Characters of a warning, and of one in a notification."""

APPLICATION = "application "
"""What the name of an author begins with who is an application; its app id follows."""

AccountName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_ASKED)]
"""An object id, or a user principal name."""
Id = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class DecisionKind(StrEnum):
    """What a person can decide, or ask the responder. An allowlist edit is reported when made."""

    APPROVE = "approve"
    DISMISS = "dismiss"
    CLOSE = "close"
    RELEASE = "release"
    ACKNOWLEDGE = "acknowledge"
    ACCEPT_WARNING = "accept_warning"
    APPROVE_ENTRY = "approve_entry"
    ALLOWLIST_EDIT = "allowlist_edit"
    TEST_NOTIFICATION = "test_notification"
    READ_POSTURE = "read_posture"
    APPLY_PLAN = "apply_plan"
    UNDO_PLAN = "undo_plan"
    STOP_PLAN = "stop_plan"
    INSPECT_ACCOUNT = "inspect_account"
    """A question, to which the answer is a row: it is no decision, and the log has no line of it."""


class Channel(StrEnum):
    """How a decision came in: each has its own queue."""

    BYPASSCTL = "bypassctl"
    CONSOLE = "console"

    @property
    def verified(self) -> bool:
        """True when the sender is an app that has verified its author; otherwise the author is only claimed."""
        return self is Channel.CONSOLE


class Author(Stored):
    """Who decided."""

    object_id: Guid | None = None
    name: Annotated[str, StringConstraints(min_length=1, max_length=256)]

    def __str__(self) -> str:
        """For the response log."""
        return f"{self.name} ({self.object_id or 'no object id'})"


def named(author: Author, channel: Channel) -> str:
    """Return the author for the response log, marked where nobody has verified them."""
    return str(author) if channel.verified else f"{author}, claimed"


class ShownStep(Value):
    """One step of the incident as the person was shown it."""

    step: StepKind
    state: StepState


class Shown(Value):
    """What the responder last knew of an account, as it is shown to a person. None: not known yet."""

    sign_in: Observed | None = None
    sign_in_at: Utc | None = None
    """When the directory was read."""
    bypass: Literal["on", "off"] | None = None
    bypass_at: Utc | None = None
    steps: Annotated[tuple[ShownStep, ...], Field(max_length=MOST_STEPS)] = ()
    """Of the incident that is decided."""
    findings: Annotated[tuple[Id, ...], Field(max_length=MOST_FINDINGS)] = ()
    """The ids of that incident's findings."""
    incidents: Annotated[tuple[Id, ...], Field(max_length=MOST_INCIDENTS)] = ()
    """The ids of all incidents of the account that nobody has ended, the newest last. By id, since clocks differ."""

    def digest(self) -> str:
        """SHA-256 of the state without the times of its reads: what a decision depends on."""
        state = self.model_dump_json(exclude={"sign_in_at", "bypass_at"})
        return hashlib.sha256(state.encode()).hexdigest()[:32]

    def state_of(self, kind: StepKind) -> StepState | None:
        """The state of one step, or None."""
        return next((step.state for step in self.steps if step.step is kind), None)


class DecisionMessage(Value):
    """One decision of a person. Its random id makes a second delivery harmless.

    ``target`` is the ledger's key. After ``not_after``, at most an hour after ``sent_at``, it is refused.
    """

    schema_version: int = SCHEMA_VERSION
    message_id: Guid
    tenant_id: Guid
    target: Id
    kind: DecisionKind
    tool: Channel | None = None
    """What sent it, in its own words; None is taken as bypassctl. On the queue of the other one it is refused."""
    incident_id: Annotated[str, StringConstraints(max_length=100, pattern=r"^([0-9A-Za-z][0-9A-Za-z-]*)?$")] = ""
    """Empty with every kind that is about no incident."""
    warning: Annotated[str, StringConstraints(min_length=1, max_length=MOST_WARNING)] | None = None
    """With accept_warning: the text of the warning of Exchange."""
    entry_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    """With approve_entry: of the row that the person was shown."""
    edit: AllowlistEdit | None = None
    """With allowlist_edit: what the tool has written into the table."""
    asked: AccountName | None = None
    """With inspect_account."""
    account: Guid | None = None
    """With approve: the account that a person names for an unresolved target."""
    receiver: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    """With test_notification: the one receiver that gets it; None for all."""
    plan: PlanRef | None = None
    """With apply_plan: the plan that the person was shown."""
    run: Guid | None = None
    """With undo_plan and stop_plan: the run of a plan."""
    shown: Shown
    author: Author
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    sent_at: Utc
    not_after: Utc

    @property
    def subject(self) -> str:
        """What is decided, for people."""
        match self.kind:
            case DecisionKind.APPROVE_ENTRY:
                return f"the allowlist entry of {self.target}"
            case DecisionKind.ACCEPT_WARNING:
                return f"the warning {(self.warning or '')[:MOST_SHOWN]}"
            case DecisionKind.ALLOWLIST_EDIT:
                rows = self.edit.rows if self.edit else ()
                return f"{len(rows)} allowlist entries" if len(rows) > 1 else f"the allowlist entry of {self.target}"
            case DecisionKind.INSPECT_ACCOUNT:
                return f"the question about {self.asked}"
            case DecisionKind.READ_POSTURE:
                return "the read of all mailboxes"
            case DecisionKind.APPLY_PLAN:
                return f"plan {self.plan.sha256[:12] if self.plan else ''}"
            case DecisionKind.UNDO_PLAN | DecisionKind.STOP_PLAN:
                return f"run {self.run} of a plan"
            case DecisionKind.TEST_NOTIFICATION:
                return f"the notifications to {self.receiver or 'all receivers'}"
        return f"incident {self.incident_id}"

    @property
    def read_again(self) -> str:
        """The command that shows it."""
        match self.kind:
            case DecisionKind.APPROVE_ENTRY | DecisionKind.ALLOWLIST_EDIT:
                return "bypassctl allowlist list"
            case (
                DecisionKind.ACCEPT_WARNING
                | DecisionKind.TEST_NOTIFICATION
                | DecisionKind.INSPECT_ACCOUNT
                | DecisionKind.READ_POSTURE
            ):
                return "bypassctl status"
            case DecisionKind.APPLY_PLAN | DecisionKind.UNDO_PLAN | DecisionKind.STOP_PLAN:
                return "bypassctl posture applied"
        return f"bypassctl incidents show {self.incident_id}"

    @model_validator(mode="after")
    def _ends_within_an_hour(self) -> Self:
        if not timedelta() < self.not_after - self.sent_at <= LASTS:
            msg = "not_after comes after sent_at, at most an hour later"
            raise ValueError(msg)
        if self.account is not None and self.kind is not DecisionKind.APPROVE:
            msg = "only approve names an account"
            raise ValueError(msg)
        test = self.kind is DecisionKind.TEST_NOTIFICATION
        if self.receiver is not None and not test:
            msg = "only test_notification names a receiver"
            raise ValueError(msg)
        of_run = self.kind in {DecisionKind.UNDO_PLAN, DecisionKind.STOP_PLAN}
        if (self.run is not None) != of_run:
            msg = "undo_plan and stop_plan name a run, and nothing else does"
            raise ValueError(msg)
        only = {
            DecisionKind.ACCEPT_WARNING: self.warning,
            DecisionKind.APPROVE_ENTRY: self.entry_sha256,
            DecisionKind.ALLOWLIST_EDIT: self.edit,
            DecisionKind.INSPECT_ACCOUNT: self.asked,
            DecisionKind.APPLY_PLAN: self.plan,
        }
        given = [bool(self.incident_id), *(each is not None for each in only.values())]
        about = (
            None
            if test or of_run or self.kind is DecisionKind.READ_POSTURE
            else [*only].index(self.kind) + 1
            if self.kind in only
            else 0
        )
        if given != [number == about for number in range(len(given))]:
            msg = (
                "accept_warning names a warning, approve_entry the hash of an entry, allowlist_edit the edit, "
                "inspect_account what is asked, apply_plan a plan, any other decision an incident"
            )
            raise ValueError(msg)
        return self
