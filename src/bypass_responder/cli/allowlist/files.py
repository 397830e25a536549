"""Import and export of the allowlist as CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.allowlist.edits import DryRun, Note
from bypass_responder.cli.terminal import (
    BAD_NEWS,
    NOT_DONE,
    Format,
    Output,
    confirm,
    note,
    say,
    show_document,
    show_table,
    stop,
    who_am_i,
    with_responder,
    write_utf8,
)
from bypass_responder.errors import RefusedError
from bypass_responder.model.base import counted
from bypass_responder.operating.allowlist.csv_file import write_file
from bypass_responder.operating.allowlist.entries import EntryState, EntryView, read_entries
from bypass_responder.operating.allowlist.import_file import ImportResult, check_rejected, import_file
from bypass_responder.operating.allowlist.import_plan import ImportPlan, PlannedRow, Verdict, plan_import

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder

MOST_SHOWN, MOST_NAMED = 50, 10


def export(
    file: Annotated[Path | None, typer.Option("--file", "-f", help="Write to this file, not to the terminal.")] = None,
) -> None:
    """Export all entries as CSV, which import reads. Cells that a spreadsheet would run get an apostrophe."""

    async def use(responder: Responder) -> list[EntryView]:
        return await read_entries(responder.services)

    entries = with_responder(use)
    malformed = sum(entry.state is EntryState.MALFORMED for entry in entries)
    text = write_file(entries)
    if file is None:
        write_utf8()
        sys.stdout.write(text)
    else:
        try:
            file.write_text(text, encoding="utf-8-sig", newline="")
        except OSError as error:
            stop(f"{file} cannot be written: {error.strerror}.")
        say(f"Exported {counted(len(entries) - malformed, 'entry', 'entries')} to {file}.")
    if malformed:
        note(f"{counted(malformed, 'malformed row')} left out: bypassctl allowlist list --state malformed")


def import_entries(
    file: Annotated[Path, typer.Argument(help="CSV file with the columns of export.")],
    *,
    confirmed: Annotated[
        str, typer.Option("--confirm", metavar="PLAN", help="Import without asking, if this is still the plan.")
    ] = "",
    skip_rejected: Annotated[
        bool, typer.Option("--skip-rejected", help="Import the other rows when some are rejected.")
    ] = False,
    reason: Note = "",
    dry_run: DryRun = False,
    output: Format = Output.TABLE,
) -> None:
    """Add and change the entries of a CSV file. Entries that are not in it stay unchanged.

    Shows a plan with a verdict for each row, and asks for confirmation. To finish an interrupted import, run it again.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        stop(f"{file} cannot be read: {error.strerror}.")

    async def look(responder: Responder) -> ImportPlan:
        return await plan_import(data, responder.services, author=await who_am_i(responder))

    plan = with_responder(look)
    _show_plan(plan, output)
    if dry_run or not plan.todo:
        raise typer.Exit(BAD_NEWS if plan.of(Verdict.REJECT) else 0)
    if confirmed and confirmed.strip().lower() != plan.plan_id:
        stop(
            f"Plan {confirmed:.40} is no longer the plan: the file or the allowlist has changed. "
            f"Read the plan above, then confirm it: --confirm {plan.plan_id}"
        )
    try:
        check_rejected(plan, skip_rejected=skip_rejected)
    except RefusedError as error:
        stop(str(error))
    if not confirmed:
        confirm(f"Import plan {plan.plan_id}?", yes=False, option=f"--confirm {plan.plan_id}")
    written: list[PlannedRow] = []

    async def use(responder: Responder) -> ImportResult:
        author = await who_am_i(responder)
        return await import_file(
            data,
            responder.services,
            confirmed=plan.confirmation,
            author=author,
            via="bypassctl",
            reason=reason.strip() or f"import of {file.name}"[:200],
            skip_rejected=skip_rejected,
            written=written.extend,
        )

    try:
        result = with_responder(use)
    except (typer.Exit, KeyboardInterrupt):
        last = f", up to line {written[-1].line}" if written else ""
        say(
            f"Interrupted. {len(written)} of {counted(len(plan.todo), 'row')} written{last}. "
            "To finish, run the command again with the same file."
        )
        raise typer.Exit(NOT_DONE) from None
    _show_result(result, output)


def _show_plan(plan: ImportPlan, output: Output) -> None:
    if output is not Output.TABLE:
        document = plan.model_dump(exclude={"confirmation": True, "rows": {"__all__": {"before", "after"}}})
        show_document(document | {"counts": plan.counts}, output)
        return
    rows = [row for row in plan.rows if row.verdict is not Verdict.SAME]
    rows.sort(key=lambda row: row.verdict is not Verdict.REJECT)
    shown = [(str(row.line), row.verdict.value, row.account, row.object_id, row.why) for row in rows[:MOST_SHOWN]]
    if shown:
        show_table(("line", "verdict", "account", "object id", "why"), shown)
    if len(rows) > MOST_SHOWN:
        say(f"… and {len(rows) - MOST_SHOWN} more; -o json has all.")
    say(f"Plan {plan.plan_id}: " + ", ".join(f"{count} {verdict}" for verdict, count in plan.counts.items()))
    for line in plan.says if plan.todo else ():
        say(line)


def _show_result(result: ImportResult, output: Output) -> None:
    tell = say if output is Output.TABLE else note
    tell(f"Imported plan {result.plan_id}: {counted(result.written, 'row')} written, {result.same} unchanged.")
    if result.unreported:
        tell(f"{result.unreported} of them could not be reported to the responder; their rows name the editor.")
    if result.changed:
        for row in result.changed[:MOST_NAMED]:
            tell(f"Line {row.line}, {row.account or row.object_id}: {row.why}")
        rows = counted(len(result.changed), "row was", "rows were")
        stop(f"{rows} not written: changed in the meantime. Run the import again to see the current plan.")
