"""How every command talks: tables for people, JSON for scripts, one line for an error, and the exit codes.

0: done, nothing to worry about. 1: the answer is bad news (something found, the log is broken, something waits).
2: called wrongly. 3: it could not be done (a setting, a service, a rule); the line says what to do.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bypass_responder.errors import ResponderError
from bypass_responder.model.excerpt import printable

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder

BAD_NEWS, WRONG_CALL, NOT_DONE = 1, 2, 3
PIPE_WIDTH = 200
LONGEST_ID = 36
"""A GUID. What is no longer stays on one line, to be copied."""
T = TypeVar("T")


class Output(StrEnum):
    """How the answer is printed."""

    TABLE = "table"
    JSON = "json"


Format = Annotated[Output, typer.Option("--format", help="json is for scripts.")]
Reason = Annotated[str, typer.Option("--reason", help="Why. It goes into the response log.")]


def with_responder(use: Callable[[Responder], Awaitable[T]]) -> T:
    """Build the responder from the same settings as the app, use it, close it. Exits 3 with one line on an error."""
    from bypass_responder.bootstrap import build

    async def session() -> T:
        responder = build(os.environ)
        try:
            return await use(responder)
        finally:
            await responder.aclose()

    try:
        return asyncio.run(session())
    except ResponderError as error:
        stop(error.diagnostics())


def stop(message: str, code: int = NOT_DONE) -> NoReturn:
    """Say one line on standard error and exit."""
    Console(stderr=True, soft_wrap=True).print(Text(printable(message)), highlight=False)
    raise typer.Exit(code)


def console() -> Console:
    """Standard output; wide where it goes to no terminal."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, soft_wrap=False)


def say(line: str, *, style: str = "") -> None:
    """One line of text on standard output, safe to show."""
    console().print(Text(printable(line), style=style), soft_wrap=True)


def show_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, default=str))  # noqa: T201 - this is the program's output


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """A table for people; every cell is safe to show."""
    lines = list(rows)
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        short = all(len(row[number]) <= LONGEST_ID for row in lines)
        table.add_column(name, no_wrap=name == "id" and short)
    for row in lines:
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in row))
    console().print(table)


def show_section(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table under its title, after an empty line; nothing at all when it has no rows."""
    if rows:
        say("")
        show_table(columns, rows, title=title)


def show_fields(fields: Mapping[str, object]) -> None:
    """Names and values, one a line."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        if value not in (None, "", ()):
            say(f"{name.ljust(width)}  {value}")
