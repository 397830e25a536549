"""``bypassctl``, for operators. Reads the same settings as the app, from the environment or a profile."""

from __future__ import annotations

from typing import Annotated

import typer

from bypass_responder import __version__
from bypass_responder.cli import accounts, allowlist, incidents, log, notify, profile, status, sweeps
from bypass_responder.cli.detect import detect
from bypass_responder.cli.doctor import doctor
from bypass_responder.cli.grant import grant
from bypass_responder.cli.profile_file import Chosen
from bypass_responder.cli.root import HELP, Root
from bypass_responder.cli.terminal import Times

app = typer.Typer(
    name="bypassctl",
    help="Respond to mailbox audit bypass. Settings come from a profile or the environment; see docs/bypassctl.md.",
    cls=Root,
    context_settings=HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bypassctl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    profile_name: Annotated[
        str,
        typer.Option(
            "--profile",
            envvar="BYPASSCTL_PROFILE",
            autocompletion=profile.names,
            help="Profile to use, instead of the one in use: see bypassctl profile list.",
        ),
    ] = "",
    local_time: Annotated[
        bool, typer.Option("--local-time", help="Show times of tables in the local time zone, not in UTC.")
    ] = False,
) -> None:
    """Handle the options of bypassctl itself."""
    del version
    Times.local = local_time
    Chosen.name, Chosen.applied = profile_name, False


app.command()(detect)
app.command()(status.status)
app.command()(doctor)
app.command()(grant)
app.add_typer(accounts.app, name="accounts")
app.add_typer(allowlist.app, name="allowlist")
app.add_typer(incidents.app, name="incidents")
app.add_typer(log.app, name="log")
app.add_typer(notify.app, name="notify")
app.add_typer(profile.app, name="profile")
app.add_typer(sweeps.app, name="sweeps")
