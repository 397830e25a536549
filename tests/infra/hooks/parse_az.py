"""Parses command lines with the real Azure CLI and runs none of them.

Started by the Python that has azure-cli.

Reads a JSON list of command lines, without the word ``az``, on stdin. Writes what is wrong with each, or an empty text.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys

from azure.cli.core import get_default_cli
from knack.events import EVENT_INVOKER_POST_PARSE_ARGS


class ParsedError(Exception):
    """The command line was parsed: what follows would run it."""


def stop(_: object, **__: object) -> None:
    """End the invocation after its arguments were parsed."""
    raise ParsedError


def problem_of(words: list[str]) -> str:
    """Why the Azure CLI refuses the command line; empty when it takes it."""
    cli = get_default_cli()
    cli.register_event(EVENT_INVOKER_POST_PARSE_ARGS, stop)
    cli.invocation = cli.invocation_cls(
        cli_ctx=cli, parser_cls=cli.parser_cls, commands_loader_cls=cli.commands_loader_cls, help_cls=cli.help_cls
    )
    said = io.StringIO()
    heard = logging.StreamHandler(said)
    logging.getLogger("cli").addHandler(heard)
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            cli.invocation.execute(words)
    except ParsedError:
        return ""
    except SystemExit:
        pass
    finally:
        logging.getLogger("cli").removeHandler(heard)
    return said.getvalue().strip() or "refused"


if __name__ == "__main__":
    json.dump([problem_of(words) for words in json.load(sys.stdin)], sys.stdout)
