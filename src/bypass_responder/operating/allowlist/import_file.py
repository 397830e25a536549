"""Carry out an import in transactions of at most 100 rows.

Importing the same file again finishes what was interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bypass_responder.errors import ConflictError, RefusedError
from bypass_responder.model.allowlist import MOST_EDITS, AllowlistEdit, EditAction, EditedRow
from bypass_responder.model.base import Value, counted
from bypass_responder.operating.allowlist.edit import report, reported_columns
from bypass_responder.operating.allowlist.import_plan import PLAN_DIGITS, ImportPlan, PlannedRow, Verdict, plan_import

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bypass_responder.model.account import AllowlistEntry
    from bypass_responder.model.decision_message import Author
    from bypass_responder.operating.allowlist.edit import Via
    from bypass_responder.services import Services

MOST_REPORTED_BYTES = 36_000
"""A queue message holds 48 KiB, with the rest of the decision."""


class ImportResult(Value):
    """What an import has written.

    ``changed`` were edited by someone else meanwhile, in whole transactions.
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

    ``confirmed``: the hash, or plan id, that a person was shown. ``most``: rows to write now; the same file writes the
    others. ``written`` is called after each transaction. Raises RefusedError for another file, or one with rejected
    rows.
    """
    plan = await plan_import(data, services, author=author)
    check_confirmed(plan, confirmed, skip_rejected=skip_rejected)
    done, changed, unreported = 0, list[PlannedRow](), 0
    for rows in _batches(plan.todo[:most], services):
        try:
            await services.allowlist.put_all([_stamped(row, edit, author, via) for row, edit in rows])
        except ConflictError:
            changed += [row for row, _ in rows]
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
        left=len(plan.todo[most:]) if most else 0,
    )


def check_confirmed(plan: ImportPlan, confirmed: str, *, skip_rejected: bool) -> None:
    """Raise RefusedError unless a person confirmed this file, and its rejected rows are fixed or skipped."""
    if len(confirmed) < PLAN_DIGITS or not plan.sha256.startswith(confirmed.strip().lower()):
        raise RefusedError(f"The file is not the one that was confirmed: its plan is {plan.plan_id}. Read it again.")
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
