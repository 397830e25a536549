"""Carry out an import in transactions of at most 100 rows.

Importing the same file again finishes what was interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.errors import ConflictError, RefusedError
from bypass_responder.model.account import AllowlistEntry
from bypass_responder.model.allowlist import MOST_EDITS, AllowlistEdit, EditAction, EditedRow
from bypass_responder.model.base import Value, counted
from bypass_responder.operating.allowlist.edit import report, reported_columns
from bypass_responder.operating.allowlist.import_plan import (
    STATE_DIGITS,
    TO_WRITE,
    ImportPlan,
    PlannedRow,
    Verdict,
    plan_import,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bypass_responder.model.decision_message import Author
    from bypass_responder.operating.allowlist.edit import Via
    from bypass_responder.services import Services

MOST_REPORTED_BYTES = 36_000
"""A queue message holds 48 KiB, with the rest of the decision."""


class ImportResult(Value):
    """What an import has written.

    ``changed`` were not written, each with the reason: someone else changed them after the plan was shown, or one of
    their transaction while it was written.
    """

    plan_id: str
    written: int
    same: int
    changed: tuple[PlannedRow, ...]
    unreported: int
    """Rows that are written, and whose editor the responder was not sent."""
    left: int = 0
    """Rows that are not written yet: more than the caller wanted at once."""


async def import_file(  # noqa: PLR0913 - all but two are by keyword
    data: bytes,
    services: Services,
    *,
    confirmed: str,
    author: Author,
    via: Via,
    reason: str,
    skip_rejected: bool = False,
    most: int | None = None,
    written: Callable[[list[PlannedRow]], None] = lambda _: None,
) -> ImportResult:
    """Write what the plan of these bytes adds and changes.

    ``confirmed``: the ``confirmation`` of the plan that a person was shown. A row that has changed since is not
    written; one that this file has written is as the file has it. ``most``: rows to write now; the same file writes
    the others. ``written`` is called after each transaction. Raises RefusedError for another file, or one with
    rejected rows.
    """
    plan = await plan_import(data, services, author=author)
    _check_file(plan, confirmed)
    check_rejected(plan, skip_rejected=skip_rejected)
    changed = _changed_since(plan, confirmed)
    left_out = {row.line for row in changed}
    todo = [row for row in plan.todo if row.line not in left_out]
    done, unreported = 0, 0
    for rows in _batches(todo[:most], services):
        try:
            await services.allowlist.put_all([_stamped(row, edit, author, via) for row, edit in rows])
        except ConflictError:
            changed += [_unwritten(row, "an entry of its transaction was changed meanwhile") for row, _ in rows]
            continue
        done += len(rows)
        written([row for row, _ in rows])
        edit = AllowlistEdit(action=EditAction.IMPORT, via=via, plan=plan.plan_id, rows=tuple(each for _, each in rows))
        if not await report(edit, services, author=author, reason=reason):
            unreported += len(rows)
    return ImportResult(
        plan_id=plan.plan_id,
        written=done,
        same=plan.counts[Verdict.SAME],
        changed=tuple(changed),
        unreported=unreported,
        left=len(todo[most:]) if most else 0,
    )


def _check_file(plan: ImportPlan, confirmed: str) -> None:
    sha256, _, states = confirmed.partition(".")
    if sha256 != plan.sha256 or len(states) != len(plan.rows) * (1 + STATE_DIGITS):
        raise RefusedError(f"The file is not the one that was confirmed: its plan is {plan.plan_id}. Read it again.")


def _changed_since(plan: ImportPlan, confirmed: str) -> list[PlannedRow]:
    """Return the rows to write whose entry, or verdict, is not the one that was shown."""
    states, size = confirmed.partition(".")[2], 1 + STATE_DIGITS
    shown = (states[at : at + size] for at in range(0, len(states), size))
    return [
        _unwritten(row, _meanwhile(row, state))
        for row, state in zip(plan.rows, shown, strict=True)
        if row.verdict in TO_WRITE and row.state != state
    ]


def _meanwhile(row: PlannedRow, shown: str) -> str:
    """Return what happened to a row after it was shown with this state."""
    if row.before is None:
        removed = shown[0] in {Verdict.CHANGE.value[0], Verdict.SAME.value[0]}
        return (
            "its entry was removed after the plan was shown" if removed else "the plan that was shown had another row"
        )
    named = row.before.edited_by if isinstance(row.before, AllowlistEntry) else ""
    return f"its entry was changed by {named or 'an unknown editor'} after the plan was shown"


def _unwritten(row: PlannedRow, meanwhile: str) -> PlannedRow:
    return row.model_copy(update={"why": f"not written: {meanwhile}. Entry now → file: {row.why}"})


def check_rejected(plan: ImportPlan, *, skip_rejected: bool) -> None:
    """Raise RefusedError unless the rejected rows are fixed or skipped."""
    rejected = plan.of(Verdict.REJECT)
    if rejected and not skip_rejected:
        rows = counted(len(rejected), "row is", "rows are")
        raise RefusedError(
            f"{rows} rejected, the first in line {rejected[0].line}: {rejected[0].why}. "
            "Fix them, or leave them out (--skip-rejected). Nothing was written."
        )


def _batches(rows: list[PlannedRow], services: Services) -> Iterator[list[tuple[PlannedRow, EditedRow]]]:
    """Yield the rows in lists that fit into one transaction and one message."""
    batch: list[tuple[PlannedRow, EditedRow]] = []
    size = 0
    for row in rows:
        edit = EditedRow(
            object_id=row.object_id,
            edit_id=services.new_id(),
            before=reported_columns(row.before),
            after=reported_columns(row.after),
        )
        length = len(edit.model_dump_json().encode())
        if batch and (len(batch) == MOST_EDITS or size + length > MOST_REPORTED_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((row, edit))
        size += length
    if batch:
        yield batch


def _stamped(row: PlannedRow, edit: EditedRow, author: Author, via: Via) -> tuple[AllowlistEntry, str | None]:
    if row.after is None:
        raise AssertionError(row)
    stamps = {"edit_id": edit.edit_id, "edited_by": str(author), "via": via}
    return row.after.model_copy(update=stamps), row.before.etag if row.before else None
