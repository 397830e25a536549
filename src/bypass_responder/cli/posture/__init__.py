"""``bypassctl posture``: what mailboxes audit, and what would change that."""

from __future__ import annotations

import typer

from bypass_responder.cli.posture.access import access
from bypass_responder.cli.posture.apply_plan import apply, stop_run, undo
from bypass_responder.cli.posture.comparisons import compare
from bypass_responder.cli.posture.grants import grants
from bypass_responder.cli.posture.plans import plan
from bypass_responder.cli.posture.reads import read
from bypass_responder.cli.posture.reports import check, report
from bypass_responder.cli.posture.runs import applied

app = typer.Typer(help="Show what mailboxes audit and who opens them; plan and undo changes.", no_args_is_help=True)
app.command()(compare)
app.command()(read)
app.command()(report)
app.command()(check)
app.command()(plan)
app.command()(grants)
app.command()(access)
app.command()(apply)
app.command()(applied)
app.command()(undo)
app.command("stop")(stop_run)
