"""Output and exit codes of all commands: tables, JSON and CSV, and one line for an error.

0: success. 1: attention needed (a finding, a broken log, a pending decision). 2: invalid arguments. 3: failed because
of a setting, a service or a rule, which the error names with its fix, or of an unexpected error.
"""

from __future__ import annotations

import asyncio
import csv
import getpass
import io
import json
import logging
import os
import re
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import BaseModel

from bypass_responder.cli.profile_file import use_profile
from bypass_responder.cli.root import Given
from bypass_responder.cli.table_layout import as_block, as_table, named_lines
from bypass_responder.errors import NoTokenError, ResponderError, SettingError
from bypass_responder.model.base import guid_or_none, iso
from bypass_responder.model.record import printable
from bypass_responder.model.spreadsheet import defused

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.decision_message import Author

BAD_NEWS, WRONG_CALL, NOT_DONE = 1, 2, 3
PIPE_WIDTH = 200
STORAGE_SCOPE = "https://storage.azure.com/.default"
LONGEST_NAME, LONGEST_REASON = 256, 300
SET_IT = "Add a profile: bypassctl profile add NAME --from-azd; or correct the setting (docs/settings.md)."
MOMENT = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ")
"""A time as people are shown it. JSON and CSV have it in ISO 8601, always in UTC."""
T = TypeVar("T")


class Output(StrEnum):
    """Output formats."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Format = Annotated[Output, typer.Option("--output", "-o", help="table for people; json and csv for scripts.")]
Reason = Annotated[str, typer.Option("--reason", help="Reason, stored in the response log.")]
Yes = Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")]


def with_responder(use: Callable[[Responder], Awaitable[T]]) -> T:
    """Build the responder from the environment, use it and close it. Exits 3 with one line on an error."""
    from bypass_responder.bootstrap import build

    given = environment()

    async def session() -> T:
        responder = build(given, short_lived=True)
        try:
            return await use(responder)
        finally:
            await responder.aclose()

    try:
        return asyncio.run(session())
    except SettingError as error:
        stop(f"{error} {SET_IT}")
    except NoTokenError as error:
        stop(f"Not signed in to Azure ({_why(error)}). Sign in: az login --tenant {given.get('TENANT_ID')}.")
    except ResponderError as error:
        stop(error.diagnostics())


def _why(error: NoTokenError) -> str:
    """Return what the Azure CLI answered, or else the last credential that was tried, or the error's own text."""
    tried = [line.strip() for line in str(error.__cause__).splitlines() if line.startswith("\t")]
    by_cli = [line for line in tried if line.startswith("AzureCliCredential: ")]
    return ([str(error), *tried[-1:], *by_cli][-1])[:LONGEST_REASON].rstrip(".")


def environment() -> Mapping[str, str]:
    """Return the environment, completed from the chosen profile. Exits 3 when that cannot be read.

    Silences azure-identity, which logs every attempt of every call: an error names the one that matters.
    """
    logging.getLogger("azure.identity").setLevel(logging.CRITICAL)
    try:
        overridden = use_profile()
    except SettingError as error:
        stop(str(error))
    if overridden:
        note(f"{', '.join(overridden)}: the value of this shell is used, not that of the profile.")
    return os.environ


async def who_am_i(responder: Responder) -> Author:
    """Return the caller: the token's identity for storage or, with a connection string, the machine's."""
    from bypass_responder.model.decision_message import Author

    if responder.services.settings.storage.connection_string is not None:
        return Author(name=f"{getpass.getuser()}@{socket.gethostname()}"[:LONGEST_NAME])
    from bypass_responder.adapters.own_token import claims_of
    from bypass_responder.adapters.storage_errors import translated

    with translated("the token of the caller"):
        token = await responder.credential.get_token(STORAGE_SCOPE)
    claims = claims_of(token.token) or {}
    name = claims.get("upn") or claims.get("unique_name") or claims.get("appid") or "unknown"
    return Author(object_id=guid_or_none(str(claims.get("oid", ""))), name=str(name)[:LONGEST_NAME])


def confirm(question: str, *, yes: bool, option: str = "--yes") -> None:
    """Ask on the terminal, unless ``yes``.

    Exits 2 without a terminal, 3 when the person does not confirm.
    ``option``: of the command, which confirms without a terminal.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        stop(f"No terminal to ask for confirmation. Read the lines above, then run again with {option}.", WRONG_CALL)
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:  # Ctrl-C, or the end of the input
        agreed = False
    if not agreed:
        stop("Nothing was changed.")


def stop(message: str, code: int = NOT_DONE) -> NoReturn:
    """Print one line on standard error and exit."""
    note(message)
    raise typer.Exit(code)


def note(message: str) -> None:
    """Print one line on standard error, so that it is no part of the output."""
    typer.echo(_shown(message), err=True)


def width() -> int:
    """Return the characters per line of standard output: many when that is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else PIPE_WIDTH


def say(line: str, *, style: str = "") -> None:
    """Print one line on standard output, without unprintable characters. ``style``: such as ``bold red``."""
    _print(_shown(line), style)


def _print(line: str, style: str = "") -> None:
    if style:
        color = next((word for word in style.split() if word != "bold"), None)
        line = typer.style(line, fg=color, bold="bold" in style or None)
    typer.echo(line, color=False if os.environ.get("NO_COLOR") else bool(os.environ.get("FORCE_COLOR")) or None)


def show_json(value: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print one JSON document on standard output."""
    print(json.dumps(value, indent=2, default=_as_json))  # noqa: T201 - this is the program's output


def write_utf8() -> None:
    """Write UTF-8 to standard output from now on, as to a file, whatever the encoding of the terminal is."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def show_csv(fields: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print CSV with a header, unless it is empty, on standard output.

    Texts are printable, and none is a formula.
    """
    write_utf8()
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerows([fields] if fields else [])
    writer.writerows([_as_cell(value) for value in row] for row in rows)


def show_list(
    items: Iterable[T], output: Output, *, fields: Sequence[str], table: Mapping[str, Callable[[T], str]]
) -> None:
    """Print a list: as JSON and CSV with the ``fields`` of its items, else with the columns of ``table``."""
    if output is Output.TABLE:
        rows = [[cell(item) for cell in table.values()] for item in items]
        show_table(list(table), rows)
        if not rows:
            note("Nothing to list.")
        return
    records = [_record(item) for item in items]
    if output is Output.JSON:
        show_json([{name: record.get(name) for name in fields} for record in records])
    else:
        show_csv(fields, ([record.get(name) for name in fields] for record in records))


def show_line(
    item: T, output: Output, *, fields: Sequence[str], table: Mapping[str, Callable[[T], str]], first: bool
) -> None:
    """Print one item of a list without end, on one line at once. ``first``: CSV begins with a header."""
    record = _record(item)
    if output is Output.TABLE:
        say("  ".join(filter(None, (cell(item) for cell in table.values()))))
    elif output is Output.JSON:
        print(json.dumps({name: record.get(name) for name in fields}, default=_as_json), flush=True)  # noqa: T201 - this is the program's output
    else:
        show_csv(fields if first else (), [[record.get(name) for name in fields]])
        sys.stdout.flush()


def show_document(document: Mapping[str, Any], output: Output) -> None:
    """Print a document as JSON, or as CSV with the columns field and value, such as ``steps.0.state``."""
    if output is Output.JSON:
        show_json(document)
    else:
        show_csv(("field", "value"), _leaves("", document))


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "") -> None:
    """Print a table, without unprintable characters; a block of lines per row where it is too wide."""
    shown = [[_shown(cell) for cell in row] for row in rows]
    if title:
        _print(title, "bold")
    if table := as_table(columns, shown, width=width()):
        _print(table[0], "bold")
        lines = table[1:]
    else:
        lines = [line for row in shown for line in as_block(columns, row, width=width())]
    for line in lines:
        _print(line)


def show_section(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print an empty line, a title and a table; nothing when there are no rows."""
    if rows:
        say("")
        show_table(columns, rows, title=title)


def show_fields(fields: Mapping[str, object]) -> None:
    """Print one name and value per line; empty values are left out."""
    shown = {name: "" if value in (None, "", ()) else _shown(str(value)) for name, value in fields.items()}
    for line in named_lines(shown, width=width()):
        _print(line)


def _shown(text: str) -> str:
    """Return the text for people: printable, with its times in the zone that they asked for."""
    text = printable(text)
    return MOMENT.sub(_local, text) if Given.local_time else text


def _local(found: re.Match[str]) -> str:
    try:
        return f"{datetime.fromisoformat(found[0]).astimezone()}"
    except (ValueError, OverflowError):  # the text in the record is not a time
        return found[0]


def _record(item: object) -> Mapping[str, Any]:
    return item.model_dump(mode="json") if isinstance(item, BaseModel) else dict(item)  # type: ignore[call-overload]


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield each value of a document with its path."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}".lstrip("."), inner)
    elif isinstance(value, list | tuple) and value:
        for number, inner in enumerate(value):
            yield from _leaves(f"{path}.{number}", inner)
    elif value not in (None, {}, [], ()):
        yield path, value


def _as_cell(value: object) -> object:
    if isinstance(value, str):
        return defused(printable(value))
    if isinstance(value, bool | Mapping | list | tuple):
        return json.dumps(value, default=_as_json)
    return "" if value is None else value if isinstance(value, int | float) else _as_json(value)


def _as_json(value: object) -> str:
    return iso(value) if isinstance(value, datetime) else value.isoformat() if isinstance(value, date) else str(value)
