"""The words of the response log and of notes, each once; what a line of the log or a note is about is one of these."""

from __future__ import annotations

from typing import Literal, get_args

Event = Literal[
    "account_given",
    "acted",
    "alert",
    "answer_ignored",
    "answered",
    "approve_written",
    "approved",
    "asked",
    "attempt",
    "claimed",
    "decided",
    "dismiss_written",
    "dismissed",
    "effect",
    "evidence",
    "failed",
    "fewer_objects",
    "first_sweep",
    "flapping",
    "hint",
    "poison",
    "recovered",
    "release_planned",
    "release_written",
    "released",
    "resolved",
    "restored",
    "retry",
    "reverted",
    "stood_down",
    "sweep_incomplete",
    "switched_off",
    "tampering",
    "unanswered",
    "unreadable",
    "withheld",
]
"""What a line of the response log tells."""

About = Literal[
    "allowlist_expired",
    "attempt",
    "contained",
    "first_sweep",
    "flapping",
    "health",
    "held",
    "observed",
    "poison",
    "recovered",
    "restoring",
    "step_failed",
    "step_ineffective",
    "tampering",
    "undecided",
    "unreadable",
    "worker_failed",
    "worker_silent",
]
"""What a note tells. docs/runbook.md says what each means."""

EVENTS: frozenset[str] = frozenset(get_args(Event))
ABOUTS: frozenset[str] = frozenset(get_args(About))
