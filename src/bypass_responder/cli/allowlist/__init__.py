"""``bypassctl allowlist``: accounts that may be bypassed, each with reason, owner, ticket and expiry."""

from __future__ import annotations

import typer

from bypass_responder.cli.allowlist import edits, files, views

app = typer.Typer(help="Manage the accounts that may be bypassed.", no_args_is_help=True)
app.command()(edits.add)
app.command()(edits.approve)
app.command()(views.explain)
app.command()(files.export)
app.command()(edits.extend)
app.command()(views.history)
app.command("import")(files.import_entries)
app.command("list")(views.list_entries)
app.command()(edits.remove)
app.command()(views.review)
app.command("set")(edits.set_fields)
app.command()(views.show)
app.command()(edits.undo)
