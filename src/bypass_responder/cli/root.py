"""The root command group: accepts its options anywhere on the line, prints an error as one line."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from typer._click import Context

FLAGS: tuple[str, ...] = ("--local-time",)
WITH_VALUE: tuple[str, ...] = ("--profile",)
HELP = {"help_option_names": ["-h", "--help"]}
FAILED, INTERRUPTED, READER_GONE = 3, 130, 1
"""Exit codes; the last one is typer's own."""
LONGEST_MESSAGE = 300


class Given:
    """The options of bypassctl itself, as the line has them."""

    profile = ""
    """The name of a profile; empty: the one in use."""
    applied = False
    """True once the settings of the profile were added to the environment."""
    local_time = False


class Root(TyperGroup):
    """The commands of bypassctl."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        """Parse the options of bypassctl itself, wherever they stand."""
        return super().parse_args(ctx, own_first(args))

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *_: Any, **extra: Any) -> Any:  # noqa: ANN401 - as in its base
        """Run the command and exit. An error is one line; for an invalid argument with the command that explains it."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without a character must not end the command
        try:
            code = super().main(args, prog_name, **extra | {"standalone_mode": False})
            sys.stdout.flush()
        except NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except typer.TyperException as error:
            typer.echo(_one_line(error), err=True)
            code = error.exit_code
        except typer.Abort:
            code = INTERRUPTED
        except BrokenPipeError:
            _drop_output()
            code = READER_GONE
        except Exception as error:  # noqa: BLE001 - the outermost edge: a traceback would exit 1, "attention needed"
            typer.echo(_unexpected(error), err=True)
            _drop_output()
            code = FAILED
        sys.exit(code)


def own_first(args: Iterable[str]) -> list[str]:
    """Return the arguments with the options of bypassctl itself before the command.

    Returns an option alone that has no value, so that no command is taken for it.
    """
    own: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in FLAGS or word.startswith(tuple(f"{name}=" for name in WITH_VALUE)):
            own.append(word)
        elif word in WITH_VALUE:
            if (value := next(words, None)) is None:
                return [word]
            own += [word, value]
        else:
            rest.append(word)
    return own + rest


def command_in(args: Iterable[str]) -> str:
    """Return the first word that is no option of bypassctl itself; empty when there is none."""
    words = iter(own_first(args))
    for word in words:
        if word in WITH_VALUE:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _one_line(error: typer.TyperException) -> str:
    from bypass_responder.model.base import plain

    error.message = plain(error.message)
    what = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, UsageError) else None
    return f"{what}. See: {context.command_path} --help" if context else f"{what}."


def _unexpected(error: Exception) -> str:
    from bypass_responder.model.record import printable

    what = printable(" ".join(f"{type(error).__name__}: {error}".split()))[:LONGEST_MESSAGE].rstrip(".:")
    return f"Unexpected error: {what}. Before you repeat a change, read what was done: bypassctl status."


def _drop_output() -> None:
    """Discard what standard output still holds, which Python would fail to write once more when it exits."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError:  # no file is behind it
        return
