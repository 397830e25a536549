"""The root command group: accepts its options anywhere on the line, prints an error as one line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError
from typer.core import TyperGroup

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from typer._click import Context

FLAGS: tuple[str, ...] = ("--local-time",)
WITH_VALUE: tuple[str, ...] = ("--profile",)
HELP = {"help_option_names": ["-h", "--help"]}


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
        """Run the command and exit. An invalid argument is one line, with the command that explains it."""
        try:
            code = super().main(args, prog_name, **extra | {"standalone_mode": False})
        except NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except typer.TyperException as error:
            typer.echo(_one_line(error), err=True)
            code = error.exit_code
        except typer.Abort:
            code = 130
        sys.exit(code)


def own_first(args: Iterable[str]) -> list[str]:
    """Return the arguments with the options of bypassctl itself before the command."""
    own: list[str] = []
    rest: list[str] = []
    words = iter(args)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in FLAGS or word.startswith(tuple(f"{name}=" for name in WITH_VALUE)):
            own.append(word)
        elif word in WITH_VALUE:
            own += [word, *_next(words)]
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


def _next(words: Iterator[str]) -> list[str]:
    return [word for word in [next(words, None)] if word is not None]


def _one_line(error: typer.TyperException) -> str:
    from bypass_responder.model.base import plain

    error.message = plain(error.message)
    what = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, UsageError) else None
    return f"{what}. See: {context.command_path} --help" if context else f"{what}."
