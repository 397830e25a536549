"""``bypassctl posture applied``: the plans that were carried out, their progress and undo files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.terminal import (
    BAD_NEWS,
    WRONG_CALL,
    Format,
    Output,
    note,
    say,
    show_document,
    show_fields,
    show_list,
    stop,
    with_responder,
)
from bypass_responder.model.base import counted, moment
from bypass_responder.model.plan_run import PlanRun

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.operating.posture.plan_runs import UndoFile

RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="Id of the run, or its beginning: see bypassctl posture applied.")
]
TABLE = {
    "run": lambda run: run.id[:8],
    "started": lambda run: moment(run.started_at),
    "plan": lambda run: f"{'undo of ' if run.undoes else ''}{run.plan[:12]}",
    "state": lambda run: f"held: {run.held}" if run.held else run.state,
    "mailboxes": lambda run: run.progress,
    "asked by": lambda run: run.who,
}


def applied(
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="Id of one run, or its beginning; without it, all runs.")
    ] = "",
    *,
    undo_file: Annotated[
        Path | None, typer.Option("--undo-file", help="Write the run's undo file to this new file.")
    ] = None,
    output: Format = Output.TABLE,
) -> None:
    """List the plans that were carried out, or show one and write its undo file, even while it runs."""
    from bypass_responder.operating.posture.plan_runs import RunView, held_text, view_of

    if not run:
        if undo_file:
            stop("--undo-file needs a run: bypassctl posture applied RUN --undo-file FILE.", WRONG_CALL)
        runs = _runs()
        if not runs and output is Output.TABLE:
            say("No plan was carried out yet. To make one: bypassctl posture plan -o plan.json.")
            return
        show_list(list(map(view_of, runs)), output, fields=[*RunView.model_fields], table=TABLE)
        return
    found = _run(run)
    if undo_file:
        _write(undo_file, found)
    if output is not Output.TABLE:
        show_document(view_of(found).model_dump(mode="json"), output)
        return

    show_fields(
        {
            "run": found.id,
            "plan": found.plan,
            "undoes run": found.undoes,
            "asked by": found.who,
            "reason": found.reason,
            "started": moment(found.started_at),
            "ended": moment(found.ended_at) if found.ended_at else "",
            "state": found.state,
            "held": held_text(found),
            "stopped": found.stopped,
            "mailboxes": found.progress,
        }
    )
    for each in found.named:
        say(f"Not as wanted: {each}")
    if not found.undoes and found.may_have_changed:
        say(f'To undo it: bypassctl posture undo {found.id} --reason "TICKET"')


def follow(run_id: str) -> None:
    """Show how far a run is until it has ended. Exits 1 unless every mailbox is as wanted."""

    async def use(responder: Responder) -> PlanRun:
        from bypass_responder.operating.posture.plan_runs import held_text, read_run, wait_for_change

        run = await read_run(run_id, responder.services)
        while run.running:
            say(f"{run.progress}{f', held: {held_text(run)}' if run.held else ''}")
            run = await wait_for_change(run, responder.services)
        return run

    run = with_responder(use)
    say(f"{run.state}: {run.progress}")
    for each in (*filter(None, [run.stopped]), *run.named):
        say(each)
    if not run.undoes:
        say(f"Its undo file: bypassctl posture applied {run.id} --undo-file FILE")
    if run.state != "done":
        raise typer.Exit(BAD_NEWS)


def _runs() -> list[PlanRun]:
    async def use(responder: Responder) -> list[PlanRun]:
        from bypass_responder.operating.posture.plan_runs import read_runs

        return await read_runs(responder.services)

    return with_responder(use)


def _run(run_id: str) -> PlanRun:
    async def use(responder: Responder) -> PlanRun:
        from bypass_responder.operating.posture.plan_runs import read_run

        return await read_run(run_id, responder.services)

    return with_responder(use)


def _write(path: Path, run: PlanRun) -> None:
    if path.exists():
        stop(f"{path} already exists. Name another file.", WRONG_CALL)

    async def use(responder: Responder) -> UndoFile:
        from bypass_responder.operating.posture.plan_runs import undo_file

        return await undo_file(run, responder.services)

    made = with_responder(use)
    try:
        path.write_text(made.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        stop(f"{path} cannot be written: {error.strerror or error}.", WRONG_CALL)
    goes_on = ", and the run goes on" if run.running else ""
    note(f"{path}  {counted(len(made.entries), 'mailbox', 'mailboxes')}{goes_on}")
