"""The entry point of bypassctl: loads the one command that the command line names.

All commands are loaded only to explain them.
"""

from __future__ import annotations

import gc
import sys

NEW_OBJECTS = 200_000
"""Between two searches for garbage. Imports build objects that stay: at Python's 700, a start searches them often."""


def main() -> None:
    """Run bypassctl."""
    gc.set_threshold(NEW_OBJECTS)
    from bypass_responder.cli.commands import COMMANDS, GROUPS, of
    from bypass_responder.cli.root import command_in

    every = () if sys.argv[1:] == ["--version"] else (*COMMANDS, *GROUPS)
    wanted = command_in(sys.argv[1:])
    of((wanted,) if wanted in every else every)(prog_name="bypassctl")
