"""The entry point of bypassctl. ``detect`` loads no other command, so that it starts fast."""

from __future__ import annotations

import sys

import typer


def main() -> None:
    """Run bypassctl."""
    if sys.argv[1:2] == ["detect"]:
        from bypass_responder.cli.detect import detect
        from bypass_responder.cli.root import HELP, Root

        only = typer.Typer(name="bypassctl", cls=Root, context_settings=HELP, pretty_exceptions_enable=False)
        only.callback()(lambda: None)
        only.command()(detect)
        only(prog_name="bypassctl")
    else:
        from bypass_responder.cli.app import app

        app(prog_name="bypassctl")
