"""``bypassctl posture compare``: exported mailboxes against the baselines, offline."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bypass_responder.cli.posture.options import (
    Against,
    Columns,
    Exports,
    Missing,
    NotAudited,
    Pinned,
    Types,
    measures_of,
    read_files,
    require_known,
)
from bypass_responder.cli.posture.output import File, Form, Output, show
from bypass_responder.cli.terminal import WRONG_CALL, note, stop
from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.comparison import Before
from bypass_responder.posture.comparison import compare as compared
from bypass_responder.posture.filter import RowFilter
from bypass_responder.settings import mailbox_names

Earlier = Annotated[
    list[Path], typer.Option("--before", help="An earlier export of the mailboxes, to show what has changed.")
]
Watched = Annotated[
    str,
    typer.Option(
        "--watched", envvar="WATCHED_MAILBOXES", help="Object ids or addresses that come first, comma-separated."
    ),
]


def compare(
    files: Exports,
    before: Earlier = [],  # noqa: B006 - Typer copies it
    against: Against = "microsoft",
    types: Types = [],  # noqa: B006 - as above
    missing: Missing = [],  # noqa: B006 - as above
    *,
    pinned: Pinned = False,
    not_audited: NotAudited = False,
    watched: Watched = "",
    columns: Columns = [],  # noqa: B006 - as above
    output: Output = Form.TABLE,
    file: File = None,
) -> None:
    """Compare exported mailboxes with the baselines. Works offline, with no installation.

    Exit code 0: complete, and nothing to fix. 1: something to fix, or the
    files do not have everything (partial). 2: a file cannot be read.
    """
    if file and any(file.exists() and each.exists() and file.samefile(each) for each in (*files, *before)):
        stop(f"{file} is one of the exports, and would be overwritten. Name another file.", WRONG_CALL)
    wanted = RowFilter(types=tuple(types), missing=tuple(missing), pinned=pinned, not_audited=not_audited)
    measures = measures_of(against)
    earlier = read_files(before, columns) if before else None
    if earlier and not earlier.mailboxes:
        stop("--before has no mailboxes, so every mailbox would be new.", WRONG_CALL)
    for problem in earlier.problems if earlier else ():
        note(f"the earlier export is partial: {problem}")
    known = Before(earlier.read_at, earlier.mailboxes) if earlier else None
    found = compared(read_files(files, columns), measures, watched=mailbox_names(watched), before=known)
    require_known(wanted, found)
    show(PostureReport(found, datetime.now(UTC), wanted), output, file)
