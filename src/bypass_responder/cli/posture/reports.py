"""``bypassctl posture report`` and ``check``: what the worker last read."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.posture.options import Against, Missing, NotAudited, Pinned, Types, measures_of, require_known
from bypass_responder.cli.posture.output import File, Form, Output, show
from bypass_responder.cli.terminal import BAD_NEWS, WRONG_CALL, say, stop, with_responder
from bypass_responder.posture.filter import RowFilter

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.operating.posture.report import PostureReport
    from bypass_responder.posture.baseline import Measures

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def duration_of(text: str) -> timedelta:
    """Return the duration of a text such as ``26h``. Exits 2 for another text."""
    found = re.fullmatch(r"(\d{1,5})([mhd])", text.strip())
    if not found:
        stop(f"--max-age is a number with m, h or d, such as 26h, not {text!r:.40}.", WRONG_CALL)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def report(
    against: Against = "microsoft",
    types: Types = [],  # noqa: B006 - Typer copies it
    missing: Missing = [],  # noqa: B006 - as above
    *,
    pinned: Pinned = False,
    not_audited: NotAudited = False,
    output: Output = Form.TABLE,
    file: File = None,
) -> None:
    """Report the posture as the worker last read it, with trend and changes.

    Exit code 0: complete, and nothing to fix. 1: something to fix, or a
    partial read, which is never clean.
    """
    wanted = RowFilter(types=tuple(types), missing=tuple(missing), pinned=pinned, not_audited=not_audited)
    made = read_stored(measures_of(against), wanted)
    require_known(wanted, made.found)
    show(made, output, file)


def check(
    max_age: Annotated[str, typer.Option("--max-age", help="Maximum age of the read, such as 26h or 2d.")] = "26h",
    against: Against = "microsoft",
) -> None:
    """Check the posture for a pipeline: print each failed check, and exit 1 if there is one."""
    from bypass_responder.operating.posture.check import failures

    age = duration_of(max_age)
    found = read_stored(measures_of(against), RowFilter())
    if failed := failures(found, age):
        for line in failed:
            say(f"FAIL {line}")
        raise typer.Exit(BAD_NEWS)
    say(found.state)


def read_stored(measures: Measures, wanted: RowFilter) -> PostureReport:
    """Return the report of the last read. Exits 3 with one line where there is none."""
    from bypass_responder.operating.posture.answers import read_report

    async def use(responder: Responder) -> PostureReport:
        return await read_report(responder.services, measures, wanted)

    return with_responder(use)
