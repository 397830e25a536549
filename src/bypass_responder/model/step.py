"""What the responder does to an account, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from bypass_responder.model.base import Row, Utc


class StepKind(StrEnum):
    """What the responder does to an account."""

    BLOCK_SIGN_IN = "block_sign_in"
    REVOKE_SESSIONS = "revoke_sessions"
    DISABLE_BYPASS = "disable_bypass"
    RELEASE = "release"


CONTROLS = (StepKind.BLOCK_SIGN_IN, StepKind.REVOKE_SESSIONS, StepKind.DISABLE_BYPASS)
"""The kinds that a decision is about. A release is always a person's."""


class StepState(StrEnum):
    """Where a step is.

    planned → claimed → acted → done; or failed (a person is needed), held (waits for a person), withheld (observe, or a
    rule read again at the claim forbids it), canceled.
    """

    PLANNED = "planned"
    CLAIMED = "claimed"
    ACTED = "acted"
    DONE = "done"
    FAILED = "failed"
    HELD = "held"
    WITHHELD = "withheld"
    CANCELED = "canceled"

    @property
    def running(self) -> bool:
        """True while the responder still has something to do for the step."""
        return self in {StepState.PLANNED, StepState.CLAIMED, StepState.ACTED}


WAITING = frozenset({StepState.HELD, StepState.FAILED, StepState.WITHHELD})
"""States of a step that only a person's decision continues."""


class Rule(StrEnum):
    """The rules that stop a step that was decided. The text is the step's reason."""

    OBSERVE = "MODE is observe"
    PROTECTED = "protected account: never blocked"


class Effect(StrEnum):
    """What the step really did to the account, as read back."""

    EFFECTIVE = "effective"
    TEMPORARY = "temporary"
    INEFFECTIVE = "ineffective"
    REVERTED = "reverted"
    UNVERIFIED = "unverified"
    NOT_NEEDED = "not_needed"


CANNOT_SIGN_IN = frozenset({Effect.EFFECTIVE, Effect.TEMPORARY, Effect.NOT_NEEDED})
"""Effects of a block by which its account is contained."""
SHOWN = frozenset({Effect.EFFECTIVE, Effect.TEMPORARY})
"""Effects of a block of ours that a read has shown."""


class Step(Row):
    """One thing to do to the account of one incident."""

    kind: ClassVar[str] = "step"
    key: ClassVar[str] = "step-{row.incident_id}-{row.step}"
    incident_id: str
    step: StepKind
    state: StepState
    reason: str = ""
    approved_by: str | None = None
    attempts: int = 0
    first_attempt_at: Utc | None = None
    lease_until: Utc | None = None
    acted_at: Utc | None = None
    next_at: Utc | None = None
    readbacks: int = 0
    effect: Effect | None = None
    detail: str = ""

    @property
    def approvable(self) -> bool:
        """True when a person's approval continues the step."""
        return self.state in WAITING or self.effect is Effect.UNVERIFIED

    @property
    def stands(self) -> bool:
        """True for a block when a read has shown that the account cannot sign in: one that is still tried may fail."""
        return self.state is StepState.DONE and self.effect in CANNOT_SIGN_IN

    @property
    def was_off_already(self) -> bool:
        """True when the bypass needed no removal: since when it was off is not known."""
        return self.step is StepKind.DISABLE_BYPASS and self.effect is Effect.NOT_NEEDED


class Observed(StrEnum):
    """What a read of the directory showed of an account."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    ABSENT = "absent"


class Control(Row):
    """The actions on an account and its observed state, for one control, over all of its incidents.

    The steps of the incidents say what is wanted; this row says how far it is true.
    """

    kind: ClassVar[str] = "control"
    key: ClassVar[str] = "control-{row.control}"
    control: StepKind
    """``block_sign_in``, which a release uses too, or ``revoke_sessions``."""
    calling: StepKind | None = None
    """The call under way: opposite calls are never under way together."""
    token: str | None = None
    """Names the holder of the claim. A result under another token only causes a read."""
    lease_until: Utc | None = None
    attempts: int = 0
    first_attempt_at: Utc | None = None
    acted_at: Utc | None = None
    """When the service last accepted our call. Until a release, a disabled account is then our doing."""
    next_at: Utc | None = None
    reads: int = 0
    """Reads since the last call that did not show its effect."""
    observed: Observed | None = None
    observed_at: Utc | None = None
    shown_at: Utc | None = None
    """When a read last showed our block."""
    enabled_since: Utc | None = None
    """The first of the reads that showed the account enabled after our block had been shown."""
    absent_since: Utc | None = None
    absent_reads: int = 0
    reverted_at: Utc | None = None
    """Set: the block was undone by somebody else, and is not made again without a new reason."""
    released_at: Utc | None = None
    """When the service last accepted that we enabled the account. A replica may show it disabled for a while."""


class Recheck(Row):
    """A check of the account and its bypass, some time after containment."""

    kind: ClassVar[str] = "recheck"
    key: ClassVar[str] = "recheck-{row.incident_id}-{row.after_hours:02d}"
    incident_id: str
    due_at: Utc
    after_hours: int
    done: bool = False
    result: str = ""
