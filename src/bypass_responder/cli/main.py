"""The entry point of bypassctl: loads the one command that the line names, and all of them only to explain them."""

from __future__ import annotations

import sys

from bypass_responder.cli.commands import COMMANDS, GROUPS, of
from bypass_responder.cli.root import command_in


def main() -> None:
    """Run bypassctl."""
    every = () if sys.argv[1:] == ["--version"] else (*COMMANDS, *GROUPS)
    wanted = command_in(sys.argv[1:])
    of((wanted,) if wanted in every else every)(prog_name="bypassctl")
