"""Notifications about many allowlist rows: the first read, many changes, expiring entries. Pure."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.allowlist_text import WHO, editor_named_by, name_of_row, stamps_of
from bypass_responder.case.tasks import Task
from bypass_responder.model.account import UNREAD, AllowlistEntry, MalformedEntry
from bypass_responder.model.base import counted, until
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from bypass_responder.case.draft import Draft

MOST_NAMED = 20
"""Entries that a notification names. More that change between two runs are notified together."""
MOST_COMMANDS = 5
"""Entries of a digest whose removal it has the command for."""
MOST_EDITORS = 5
EXPIRES_SOON = timedelta(days=14)
DIGEST_EVERY = timedelta(days=7)


def summarize(draft: Draft, rows: Sequence[AllowlistEntry | MalformedEntry]) -> None:
    """Notify once of the rows that the first run found."""
    named = ", ".join(name_of_row(row.row_id, row.columns) for row in rows[:MOST_NAMED])
    more = f" and {len(rows) - MOST_NAMED} more" if len(rows) > MOST_NAMED else ""
    draft.notify(
        "allowlist_changed",
        f"The allowlist has {counted(len(rows), 'entry', 'entries')}; from now on each change is notified",
        f"{named}{more}",
        key="first",
        severity=Severity.INFO,
        left_to_do=(Task("Check that you know each of them", "bypassctl allowlist list"),),
    )


def summarize_changes(draft: Draft, changes: Mapping[str, AllowlistEntry | MalformedEntry | None]) -> None:
    """Notify once of many rows that changed between two runs, None for one that was removed."""
    shown = sorted(changes)[:MOST_NAMED]
    names = (name_of_row(row_id, row.columns if (row := changes[row_id]) else {}) for row_id in shown)
    more = f" and {len(changes) - MOST_NAMED} more" if len(changes) > MOST_NAMED else ""
    editors = sorted({editor_named_by(stamps_of(row)) for row in changes.values() if row})[:MOST_EDITORS]
    key = "|".join(f"{row_id} {row.etag if row else ''}" for row_id, row in sorted(changes.items()))
    draft.notify(
        "allowlist_changed",
        f"{counted(len(changes), 'allowlist entry', 'allowlist entries')} changed within a minute",
        " ".join((f"{', '.join(names)}{more}.", *editors)),
        key=f"many-{hashlib.sha256(key.encode()).hexdigest()}",
        severity=Severity.WARNING,
        left_to_do=(
            "If nobody you know did this, find out who can write the table Allowlist.",
            "See each entry: bypassctl allowlist list; who changed one: bypassctl allowlist history ACCOUNT",
        ),
        changed=len(changes),
    )


def expiring(rows: Iterable[AllowlistEntry | MalformedEntry], *, now: datetime) -> list[AllowlistEntry]:
    """Return the entries that have expired or expire soon, the first to expire first."""
    entries = (row for row in rows if isinstance(row, AllowlistEntry) and row.expires_at <= now + EXPIRES_SOON)
    return sorted(entries, key=lambda entry: (entry.expires_at, entry.object_id))


def send_digest(draft: Draft, entries: Sequence[AllowlistEntry]) -> None:
    """Notify of the entries that expire within 14 days, or have expired."""
    expired = sum(entry.expires_at <= draft.now for entry in entries)
    lines = [
        f"{name_of_row(entry.object_id, entry.columns)}, owner {entry.owner}, {until(entry.expires_at)}"
        for entry in entries[:MOST_NAMED]
    ]
    more = [f"and {len(entries) - MOST_NAMED} more"] if len(entries) > MOST_NAMED else []
    draft.notify(
        "allowlist_expiring",
        f"Allowlist: {len(entries) - expired} to expire within {EXPIRES_SOON.days} days, {expired} expired",
        f"{'; '.join(lines + more)}. An account whose bypass is on when its entry ends has its auditing restored.",
        key=f"{draft.now:%Y-%m-%d}",
        severity=Severity.WARNING,
        left_to_do=(
            Task("Read them, and what was decided about each", "bypassctl allowlist review"),
            Task("To keep one", "bypassctl allowlist extend --help"),
            *(
                Task(
                    f"To end {name_of_row(each.object_id, each.columns)}",
                    f"bypassctl allowlist remove {each.object_id}",
                )
                for each in entries[:MOST_COMMANDS]
            ),
        ),
        expire=len(entries) - expired,
        expired=expired,
    )


def report_many(draft: Draft, count: int) -> None:
    """Notify, once a day, that there are more rows of no account than are followed one by one."""
    draft.notify(
        "allowlist_changed",
        f"The allowlist has {count} more rows whose keys are not object ids",
        f"They exempt nobody, and their changes are not reported one by one. {WHO}",
        key=f"many-{draft.now:%Y-%m-%d}",
        severity=Severity.CRITICAL,
        left_to_do=(Task("Delete them, and find out who can write the table Allowlist", "bypassctl allowlist list"),),
    )


def report_unread(draft: Draft) -> None:
    """Notify, once a day, that the table has more rows than are compared with an account."""
    draft.notify(
        "allowlist_changed",
        "The allowlist has more rows than are read for a decision",
        f"{UNREAD.problem}. Until there are fewer, an account without a valid entry is not blocked without a person.",
        key=f"unread-{draft.now:%Y-%m-%d}",
        severity=Severity.CRITICAL,
        left_to_do=(Task("Delete the rows that are not needed, and the misspelled ones", "bypassctl allowlist list"),),
    )
