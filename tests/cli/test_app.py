"""bypassctl itself, before any command."""

from __future__ import annotations

from typer.testing import CliRunner

from bypass_responder import __version__
from bypass_responder.cli.app import app


def test_the_version_is_printed() -> None:
    shown = CliRunner().invoke(app, ["--version"])

    assert (shown.output, shown.exit_code) == (f"bypassctl {__version__}\n", 0)
