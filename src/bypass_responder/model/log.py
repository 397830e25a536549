"""The response log: one hash chain per target, and checkpoints that chain the ends of all chains."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal, get_args

from pydantic import Field

from bypass_responder.model.base import Utc, Value

Event = Literal[
    "account_given",
    "acknowledged",
    "acted",
    "alert",
    "allowlist_approved",
    "allowlist_changed",
    "allowlist_edited",
    "allowlist_used",
    "answer_ignored",
    "answered",
    "approved",
    "asked",
    "attempt",
    "claimed",
    "closed",
    "decided",
    "decision_refused",
    "dismissed",
    "effect",
    "evidence",
    "evidence_gathered",
    "failed",
    "fewer_objects",
    "first_sweep",
    "flapping",
    "hint",
    "mailbox_changed",
    "many_targets",
    "mode_changed",
    "plan_ended",
    "plan_held",
    "plan_started",
    "plan_stopped",
    "poison",
    "protected_blocked",
    "protected_changed",
    "recovered",
    "release_planned",
    "released",
    "reminded",
    "resolved",
    "restored",
    "retry",
    "reverted",
    "stood_down",
    "sweep_incomplete",
    "switched_off",
    "tampering",
    "test_notification",
    "read_posture",
    "unanswered",
    "unreadable",
    "warning_accepted",
    "withheld",
]
"""The event of an entry of the response log."""

About = Literal[
    "acknowledged",
    "allowlist_changed",
    "allowlist_expired",
    "allowlist_expiring",
    "allowlist_used",
    "attempt",
    "contained",
    "decision_carried_out",
    "decision_refused",
    "first_sweep",
    "flapping",
    "follow_on",
    "health",
    "held",
    "late_evidence",
    "many_targets",
    "mode_changed",
    "observed",
    "plan_ended",
    "plan_held",
    "poison",
    "protected_blocked",
    "recovered",
    "restored",
    "restoring",
    "step_failed",
    "step_ineffective",
    "still_dark",
    "tampering",
    "test",
    "unacknowledged",
    "undecided",
    "unreadable",
    "worker_failed",
    "worker_silent",
]
"""The subject of a notification. docs/runbook.md explains each."""

EVENTS: frozenset[str] = frozenset(get_args(Event))
ABOUTS: frozenset[str] = frozenset(get_args(About))


def _digest(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


class LogEntry(Value):
    """One line of the response log. ``hash`` covers every other field, ``previous`` the line before."""

    target: str
    seq: int
    at: Utc
    event: str
    """Machine-readable: decided, claimed, acted, effect, answered, restored, approved …"""
    text: str
    incident_id: str | None = None
    who: str = "responder"
    facts: dict[str, Any] = Field(default_factory=dict)
    previous: str
    hash: str = ""

    def digest(self) -> str:
        """SHA-256 over the canonical JSON of everything but ``hash``."""
        return _digest(self.model_dump(mode="json", exclude={"hash"}))


class Checkpoint(Value):
    """The ends of all chains that changed since the checkpoint before: target → (seq, hash)."""

    seq: int
    at: Utc
    heads: dict[str, tuple[int, str]]
    previous: str
    hash: str = ""

    def digest(self) -> str:
        """SHA-256 over the canonical JSON of everything but ``hash``."""
        return _digest(self.model_dump(mode="json", exclude={"hash"}))


class TornLine(Value):
    """A line in a checkpoint blob that is no checkpoint: an incomplete append, not part of the chain."""

    blob: str
