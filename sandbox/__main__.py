"""`python -m sandbox COMMAND`: runs a command of the sandbox."""

from __future__ import annotations

import importlib
import sys

COMMANDS = {
    "demo": "run attacks, from audit record to contained account",
    "serve": "start the sandbox and keep it running",
    "attack": "stage an attack in a running tenant",
    "populate": "fill a running sandbox with made-up incidents and allowlist entries",
}


def main(argv: list[str]) -> int:
    """Run one command; each is a module of this package with ``main(argv) -> int``, imported on demand."""
    if not argv or argv[0] not in COMMANDS:
        commands = "\n".join(f"  {name:8} {what}" for name, what in COMMANDS.items())
        if argv and not argv[0].startswith("-"):
            sys.stderr.write(f"Unknown command {argv[0]}.\n")
        sys.stderr.write(f"usage: python -m sandbox COMMAND [ARGS]\n{commands}\n")
        return 0 if argv in (["-h"], ["--help"]) else 2
    code: int = importlib.import_module(f"sandbox.{argv[0]}").main(argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
