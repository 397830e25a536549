"""The commands of bypassctl by name, each imported only when it is run.

The imports take longer than most runs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder import __version__
from bypass_responder.cli.root import HELP, Given, Root

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMANDS = ("detect", "status", "doctor", "drill", "grant", "window")
"""Each in the module of its name, as a function of its name."""
GROUPS = ("accounts", "allowlist", "decisions", "incidents", "log", "notify", "posture", "profile", "sweeps")
"""Each in the module of its name, as ``app``."""


def of(names: Iterable[str]) -> typer.Typer:
    """Return bypassctl with these commands."""
    app = typer.Typer(
        name="bypassctl",
        help="Respond to mailbox audit bypass. Settings come from a profile or the environment; see docs/bypassctl.md.",
        cls=Root,
        context_settings=HELP,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    for name in names:
        module = import_module(f"bypass_responder.cli.{name}")
        if name in GROUPS:
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bypassctl {__version__}")
        raise typer.Exit


def profile_names(incomplete: str) -> list[str]:
    """Return the profiles for completion."""
    from bypass_responder.cli.profile import names

    return names(incomplete)


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
            autocompletion=profile_names,
            help="Profile to use, instead of the one in use: see bypassctl profile list.",
        ),
    ] = "",
    local_time: Annotated[
        bool, typer.Option("--local-time", help="Show times of tables in the local time zone, not in UTC.")
    ] = False,
) -> None:
    """Handle the options of bypassctl itself."""
    del version
    Given.profile, Given.applied, Given.local_time = profile_name, False, local_time
