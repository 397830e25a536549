"""The entry point of bypassctl. ``detect`` loads no other command, so that it starts fast."""

from __future__ import annotations

import sys

import typer


def main() -> None:
    """Run bypassctl."""
    if sys.argv[1:2] == ["detect"]:
        from bypass_responder.cli.detect import detect

        only = typer.Typer(name="bypassctl", pretty_exceptions_enable=False)
        only.callback()(lambda: None)
        only.command()(detect)
        only()
    else:
        from bypass_responder.cli.app import app

        app()
