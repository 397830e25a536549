"""Telemetry lines for Application Insights: one per event, with the event as message and flat fields.

The record is the response log, not these lines. They hold ids, fixed words and numbers, never a name, free text, a
token or mail content. Alert rules and the workbook read these events and fields; infra/checks keeps them consistent.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, get_args

from bypass_responder.model.log import EVENTS, Event
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bypass_responder.model.health import HealthAlert
    from bypass_responder.model.log import Checkpoint, LogEntry
    from bypass_responder.model.notification import Notification

logger = logging.getLogger(__name__)

Own = Literal[
    "access_refused", "baseline_moved", "checkpoint", "console_change", "exchange_read", "gathered", "hint_waits",
    "hunted", "log_unverified", "log_verified", "mailboxes_read", "notification", "ongoing", "polled", "resumed",
    "run_failed", "self_check_failed", "self_checked", "sent", "settling_failed", "source_failed", "started", "swept",
]  # fmt: skip
"""Events that are not entries of the response log."""

LARGEST = 7_500
"""Characters of one field: Application Insights cuts a property at 8,192."""
LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.CRITICAL: logging.ERROR,
    Severity.EMERGENCY: logging.CRITICAL,
}


class Fields(TypedDict, total=False):
    """All fields of a line besides ``event``. Numbers and booleans arrive as text."""

    incident_id: str | None
    target: str
    seq: int
    hash: str
    previous: str
    author: str
    step: str
    state: str
    effect: str
    verdict: str
    command: str
    kind: str
    outcome: str
    before: bool
    after: bool
    asked: int
    ours: bool
    next_at: str
    blind_from: str
    blind_until: str
    opened_at: str
    about: str
    alert: str
    severity: str
    notification: str
    since: str
    count: int
    part: int
    parts: int
    heads: str
    targets: int
    problems: int
    listed: int
    read: int
    records: int
    unreadable: int
    gaps: int
    pending: int
    scanned: int
    on: int
    covered: int
    mode: str
    tenant_id: str
    function: str
    error_class: str
    receiver: str
    reason: str
    route: str
    source: str


WORDS = EVENTS | frozenset(get_args(Own))
FIELDS = frozenset(Fields.__annotations__) | {"event"}
SMALL_FACTS = (
    "step", "state", "effect", "verdict", "command", "kind", "outcome", "before", "after", "asked", "ours",
    "next_at", "blind_from", "blind_until", "alert", "count",
)  # fmt: skip
"""Facts of a log entry or notification that its line includes. Others may name a person and stay in storage."""


def write_line(event: Event | Own, level: int = logging.INFO, **fields: Unpack[Fields]) -> None:
    """Write one telemetry line."""
    _write(event, level, fields)


def write_entry(entry: LogEntry) -> None:
    """Write the line of a committed log entry. ``author`` distinguishes people from the responder."""
    fields = {
        "incident_id": entry.incident_id,
        "target": entry.target,
        "seq": entry.seq,
        "hash": entry.hash,
        "previous": entry.previous,
        "author": "responder" if entry.who == "responder" else "person",
    }
    _write(entry.event, logging.INFO, fields | _small(entry.facts))


def write_notification(notification: Notification) -> None:
    """Write the line of a notification that is new in the outbox, whether or not a receiver is set."""
    fields = {
        "about": notification.about,
        "severity": notification.severity.value,
        "incident_id": notification.incident_id,
        "target": notification.target,
        "notification": notification.id,
        "opened_at": notification.facts.get("opened_at"),
    }
    _write("notification", LEVELS[notification.severity], fields | _small(notification.facts))


def write_ongoing(alert: HealthAlert) -> None:
    """Log a line for an ongoing health alert again: alert rules see only their own time window."""
    write_line("ongoing", alert=alert.id, severity=alert.severity.value, since=alert.since.isoformat())


def write_checkpoint_lines(checkpoint: Checkpoint) -> None:
    """Write a checkpoint with its heads, as a copy outside the storage account, in one or more lines."""
    parts = list(_parts(f"{target}:{seq}:{digest}" for target, (seq, digest) in sorted(checkpoint.heads.items())))
    for number, heads in enumerate(parts, start=1):
        write_line(
            "checkpoint",
            seq=checkpoint.seq,
            hash=checkpoint.hash,
            previous=checkpoint.previous,
            count=len(checkpoint.heads),
            part=number,
            parts=len(parts),
            heads=heads,
        )


def _parts(heads: Iterator[str]) -> Iterator[str]:
    part = ""
    for head in heads:
        if part and len(part) + 1 + len(head) > LARGEST:
            yield part
            part = ""
        part += f" {head}" if part else head
    yield part


def _small(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in SMALL_FACTS if name in facts}


def _write(event: str, level: int, fields: Mapping[str, Any]) -> None:
    present = {name: value for name, value in fields.items() if value is not None}
    logger.log(level, event, extra={"event": event} | present)
