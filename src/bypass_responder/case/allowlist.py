"""Allowlist rows over time: each change, and since when an account has had a valid entry. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bypass_responder.case.allowlist_text import LONGEST_VALUE, WHO, difference, editor_named_by, name_of_row, stamps_of
from bypass_responder.case.tasks import Task
from bypass_responder.model.account import AllowlistEntry, MalformedEntry, account_of
from bypass_responder.model.allowlist import ENTRY_KEY, Approval, SeenRow
from bypass_responder.model.base import latest
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.notification import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from bypass_responder.case.draft import Draft
    from bypass_responder.model.case import Case

    Interval = tuple[datetime, datetime] | None
    Intervals = dict[str, Interval]

GONE_FOR = timedelta(hours=1)
"""Longer than a run takes: nobody who had read the removed row is still at work."""
MOST_FORGOTTEN = 30
"""Marks of removed rows in one transaction, which holds 100."""
REMEMBERED = timedelta(days=30)
"""How long an account's removed entry leaves a mark: no record of a bypass from before is that late."""


def target_of(row_id: str) -> str:
    """Return the case that a row belongs to: the account's, else the tenant's."""
    return account_of(row_id) or TENANT_TARGET


def in_force(
    entry: AllowlistEntry | MalformedEntry | None, case: Case, *, approval_required: bool
) -> AllowlistEntry | MalformedEntry | None:
    """Return the entry with its effective time; malformed when a required approval is missing.

    ``case``: of the account. A row that no run has seen yet counts from its last edit.
    """
    if not isinstance(entry, AllowlistEntry):
        return entry
    seen = case.row(SeenRow, ENTRY_KEY)
    since = valid_since(entry, seen)
    earlier = _earlier(seen, entry, since, approval_required=approval_required)
    if approval_required:
        approval = seen.approval if seen and since == seen.valid_since else None
        if approval is None or approval.sha256 != entry.digest():
            why = (
                f'nobody has approved it as it is now: bypassctl allowlist approve {entry.object_id} --reason "TICKET"'
            )
            return MalformedEntry(object_id=entry.object_id, problem=why, edited_at=entry.edited_at, etag=entry.etag)
        since = since and latest(since, approval.since)
    return entry.model_copy(update={"valid_since": since, "earlier": earlier})


def valid_since(row: AllowlistEntry | MalformedEntry, seen: SeenRow | None) -> datetime | None:
    """Return since when the account has had a valid entry without an interruption that a run saw.

    None for a row that cannot be read. An edit after the entry had expired starts again.
    """
    if not isinstance(row, AllowlistEntry) or row.edited_at is None:
        return None
    if seen is None or seen.valid_since is None or seen.valid_until is None:
        return row.edited_at
    begins_anew = not seen.compared or seen.valid_until <= row.edited_at
    if row.etag != seen.etag and begins_anew:
        return row.edited_at
    return min(seen.valid_since, row.edited_at)


def was_in_force(case: Case, moment: datetime, *, approval_required: bool) -> bool:
    """Return True when an entry that is gone by now was in force at a time, as the runs recorded it.

    ``case``: of the account. Where an approval is required, only an approved entry was in force.
    """
    seen = case.row(SeenRow, ENTRY_KEY)
    if seen is None:
        return False
    gone = seen if seen.gone_at else _gone(seen, seen.valid_until or moment)
    earlier = gone.earlier_approved if approval_required else gone.earlier
    return earlier is not None and earlier[0] < moment < earlier[1]


def _earlier(
    seen: SeenRow | None, entry: AllowlistEntry, since: datetime | None, *, approval_required: bool
) -> tuple[datetime, datetime] | None:
    """Return when an entry was in force before this one, which no run may have recorded yet."""
    if seen is None:
        return None
    kept = _ended(seen, entry, since)
    return kept["earlier_approved" if approval_required else "earlier"]


def _ended(
    before: SeenRow, row: AllowlistEntry | MalformedEntry, since: datetime | None, *, anew: bool = False
) -> Intervals:
    """Return the intervals to keep of a row that is replaced: those that ended with it, else the ones before.

    ``since``: since when the new row counts. ``anew``: the row was gone in between, at an unknown time.
    """
    kept: Intervals = {"earlier": before.earlier, "earlier_approved": before.earlier_approved}
    if anew or row.etag == before.etag or not before.compared or row.edited_at is None:
        return kept
    valid, approved = _intervals(before, row.edited_at)
    if valid and since != before.valid_since:
        kept["earlier"] = valid
    same = isinstance(row, AllowlistEntry) and row.digest() == before.digest
    if approved and (since != before.valid_since or not same):
        kept["earlier_approved"] = approved
    return kept


def _intervals(row: SeenRow, end: datetime) -> tuple[Interval, Interval]:
    """Return from when to when, at most until ``end``, a row was valid, and valid and approved."""
    if row.valid_since is None or row.valid_until is None:
        return None, None
    until = min(row.valid_until, end)
    valid = (row.valid_since, until) if row.valid_since < until else None
    if row.approval is None or row.approval.sha256 != row.digest:
        return valid, None
    since = latest(row.valid_since, row.approval.since)
    return valid, (since, until) if since < until else None


def record_row(
    draft: Draft,
    row_id: str,
    row: AllowlistEntry | MalformedEntry | None,
    *,
    quiet: bool = False,
    summarized: bool = False,
    anew: bool = False,
    compared: bool = True,
    editor: str = "",
) -> None:
    """Record a row as it is now, None when it is gone; log and notify each change.

    ``quiet``: without notification of a row that no run has seen. ``summarized``: one notification is about all of the
    run. ``anew``: it was not there at the run before, so what is recorded of it is of a row that has gone.
    ``compared``: False for a row that was read for a decision alone. ``editor``: as the message of the edit names them.
    """
    before = _seen(draft.case, row_id)
    quiet = summarized or (quiet and before is None)
    if row is None:
        if before is not None and before.gone_at is None:
            _forget_gone(draft)
            draft.put(_gone(before, draft.now))
            _report(draft, row_id, before.columns, {}, key=f"gone-{before.etag}", quiet=quiet, who=WHO)
        return
    if before is not None and (before.etag == row.etag or _is_older(row, before)):
        if before.gone_at is None:
            draft.put(before.model_copy(update={"compared": before.compared or compared}))
        return
    since = valid_since(row, None if anew else before)
    columns = {name: value[:LONGEST_VALUE] for name, value in row.columns.items()}
    kept = {} if before is None else _ended(before, row, since, anew=anew)
    now = SeenRow(
        id=row_id,
        etag=row.etag,
        columns=columns,
        digest=row.digest() if isinstance(row, AllowlistEntry) else "",
        edited_at=row.edited_at,
        valid_since=since,
        valid_until=row.expires_at if isinstance(row, AllowlistEntry) else None,
        compared=compared or (before is not None and before.compared and before.gone_at is None),
        comparison=before.comparison if before else 0,
        **kept,
        **stamps_of(row),
    )
    if before is not None and since is not None and since == before.valid_since:
        now = now.model_copy(update={"used_at": before.used_at, "approval": before.approval})
    draft.put(now)
    known = before.columns if before and before.gone_at is None else {}
    edit = stamps_of(row) if now.edit_id != (before.edit_id if before else "") else {}
    who = f"Edited by {editor}." if editor else editor_named_by(edit)
    _report(draft, row_id, known, columns, key=row.etag, quiet=quiet, who=who, **edit)


def record_compared(
    draft: Draft,
    row_id: str,
    row: AllowlistEntry | MalformedEntry | None,
    *,
    comparison: int,
    begun: bool,
    quiet: bool,
    summarized: bool,
    anew: bool,
) -> None:
    """Record a row as a comparison read it, unless a later comparison has recorded it.

    ``begun``: an earlier comparison may still be recording it, so that its absence is kept even if nothing is known.
    The others are as for ``record_row``.
    """
    before = _seen(draft.case, row_id)
    if before is not None and before.comparison > comparison:
        return
    record_row(draft, row_id, row, quiet=quiet, summarized=summarized, anew=anew)
    seen = _seen(draft.case, row_id)
    if seen is None and begun and row is None:
        seen = SeenRow(id=row_id, etag="", columns={}, gone_at=draft.now)
    if seen is not None:
        draft.put(seen.model_copy(update={"comparison": comparison}))


def _gone(row: SeenRow, now: datetime) -> SeenRow:
    valid, approved = _intervals(row, now)
    kept = {"earlier": valid or row.earlier, "earlier_approved": approved or row.earlier_approved}
    nothing = {"valid_since": None, "valid_until": None, "used_at": None, "approval": None}
    return row.model_copy(update=nothing | kept | {"gone_at": now})


def _forget_gone(draft: Draft) -> None:
    for row in draft.case.rows(SeenRow):
        if len(draft.places) >= MOST_FORGOTTEN:
            return
        lasts = REMEMBERED if row.row_key == ENTRY_KEY else GONE_FOR
        if row.gone_at is not None and draft.now - row.gone_at > lasts:
            draft.remove(row)


def _seen(case: Case, row_id: str) -> SeenRow | None:
    return next((row for row in case.rows(SeenRow) if row.id == row_id), None)


def _is_older(row: AllowlistEntry | MalformedEntry, seen: SeenRow) -> bool:
    """True for a row that was read before what another run has recorded already."""
    return row.edited_at is not None and seen.edited_at is not None and row.edited_at < seen.edited_at


def _report(
    draft: Draft,
    row_id: str,
    before: Mapping[str, str],
    after: Mapping[str, str],
    *,
    key: str,
    quiet: bool,
    who: str,
    **stamps: str,
) -> None:
    what = "added" if not before else "changed" if after else "removed"
    known = after and account_of(row_id) == row_id
    fix = f"bypassctl allowlist remove {row_id}" if known else "bypassctl allowlist list"
    changes = difference(before, after)
    draft.log("allowlist_changed", f"{what}: {changes}", row=row_id, before=dict(before), after=dict(after), **stamps)
    if quiet:
        return
    draft.notify(
        "allowlist_changed",
        f"Allowlist entry {what}: {name_of_row(row_id, before, after)}",
        f"{changes}. {who}",
        key=f"{row_id}-{key}",
        severity=Severity.WARNING,
        left_to_do=(
            Task(f"If nobody you know did this, {'undo it' if known else 'read the list'}", fix),
            Task("Then find out who can write the table Allowlist"),
        ),
        row=row_id,
        before=dict(before),
        after=dict(after),
        **stamps,
    )


def record_use(draft: Draft, entry: AllowlistEntry, *, record: str) -> None:
    """Record and notify that an entry exempts its account for the first time."""
    seen = draft.case.row(SeenRow, ENTRY_KEY)
    if seen is None or seen.gone_at is not None:
        record_row(draft, entry.row_id, entry, quiet=True, compared=False)
    seen = draft.case.row(SeenRow, ENTRY_KEY)
    if seen is None or seen.used_at is not None or seen.gone_at is not None:
        return
    draft.put(seen.model_copy(update={"used_at": draft.now}))
    since = f" since {seen.valid_since:%Y-%m-%d %H:%M:%SZ}" if seen.valid_since else ""
    draft.log("allowlist_used", "the allowlist entry exempted the account for the first time", record=record)
    draft.notify(
        "allowlist_used",
        f"An allowlist entry exempts an account for the first time: {name_of_row(entry.row_id, seen.columns)}",
        f"Its bypass is on, and nothing is done: the entry is valid{since}. {difference({}, seen.columns)}. {WHO}",
        key=f"{seen.etag}",
        severity=Severity.WARNING,
        left_to_do=(
            Task("If you do not expect this", f"bypassctl allowlist remove {entry.object_id}"),
            Task("Then read what the account did"),
        ),
        record=record,
        entry=dict(seen.columns),
    )


def approve(draft: Draft, entry: AllowlistEntry, *, by: str) -> None:
    """Record that a person approved the row as it is now."""
    record_row(draft, entry.row_id, entry, compared=False)
    seen = draft.case.row(SeenRow, ENTRY_KEY)
    if seen is not None:
        since = seen.approval.since if seen.approval else draft.now
        draft.put(seen.model_copy(update={"approval": Approval(sha256=entry.digest(), by=by, since=since)}))
