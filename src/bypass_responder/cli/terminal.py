"""Output and exit codes of all commands: tables for people, JSON for scripts, one line for an error.

0: success. 1: attention needed (a finding, a broken log, a pending decision). 2: invalid arguments. 3: failed because
of a setting, a service or a rule; the error names the fix.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bypass_responder.errors import ResponderError
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.record import printable

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import Author

BAD_NEWS, WRONG_CALL, NOT_DONE = 1, 2, 3
PIPE_WIDTH = 200
STORAGE_SCOPE = "https://storage.azure.com/.default"
LONGEST_NAME = 256
LONGEST_ID = 36
"""The length of a GUID. Ids up to this length are not wrapped, so that they can be copied."""
T = TypeVar("T")


class Output(StrEnum):
    """Output formats."""

    TABLE = "table"
    JSON = "json"


Format = Annotated[Output, typer.Option("--format", help="json prints JSON for scripts.")]
Reason = Annotated[str, typer.Option("--reason", help="Reason, stored in the response log.")]
Yes = Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")]


def with_responder(use: Callable[[Responder], Awaitable[T]]) -> T:
    """Build the responder from the environment, use it and close it. Exits 3 with one line on an error."""
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


async def who_am_i(responder: Responder) -> Author:
    """Return the caller, as the token for storage names them; with a connection string, as the machine does."""
    from bypass_responder.model.decision_message import Author

    if responder.services.settings.storage.connection_string is not None:
        return Author(name=f"{getpass.getuser()}@{socket.gethostname()}"[:LONGEST_NAME])
    from bypass_responder.adapters.own_token import claims_of

    token = await responder.credential.get_token(STORAGE_SCOPE)
    claims = claims_of(token.token) or {}
    name = claims.get("upn") or claims.get("unique_name") or claims.get("appid") or "unknown"
    return Author(object_id=guid_or_none(str(claims.get("oid", ""))), name=str(name)[:LONGEST_NAME])


def confirm(question: str, *, yes: bool) -> None:
    """Ask on the terminal, unless ``yes``. Exits 2 without a terminal, 3 when the person does not confirm."""
    if yes:
        return
    if not sys.stdin.isatty():
        stop("No terminal to ask for confirmation. Read the lines above, then run again with --yes.", WRONG_CALL)
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:  # Ctrl-C, or the end of the input
        agreed = False
    if not agreed:
        stop("Nothing was changed.")


def stop(message: str, code: int = NOT_DONE) -> NoReturn:
    """Print one line on standard error and exit."""
    Console(stderr=True, soft_wrap=True).print(Text(printable(message)), highlight=False)
    raise typer.Exit(code)


def console() -> Console:
    """Return a console on standard output; wide when that is not a terminal."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, soft_wrap=False)


def say(line: str, *, style: str = "") -> None:
    """Print one line on standard output, without unprintable characters."""
    console().print(Text(printable(line), style=style), soft_wrap=True)


def show_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print one JSON document on standard output."""
    print(json.dumps(value, indent=2, default=str))  # noqa: T201 - this is the program's output


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table, without unprintable characters."""
    lines = list(rows)
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for number, name in enumerate(columns):
        short = all(len(row[number]) <= LONGEST_ID for row in lines)
        table.add_column(name, no_wrap=name == "id" and short)
    for row in lines:
        table.add_row(*(Text(printable(cell), overflow="fold") for cell in row))
    console().print(table)


def show_section(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print an empty line, a title and a table; nothing when there are no rows."""
    if rows:
        say("")
        show_table(columns, rows, title=title)


def show_fields(fields: Mapping[str, object]) -> None:
    """Print one name and value per line; empty values are left out."""
    width = max(map(len, fields), default=0)
    for name, value in fields.items():
        if value not in (None, "", ()):
            say(f"{name.ljust(width)}  {value}")
