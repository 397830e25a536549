"""``bypassctl posture access``: who else than its owner opened which watched mailbox."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.incident_filter import moment_of
from bypass_responder.cli.terminal import (
    BAD_NEWS,
    WRONG_CALL,
    Format,
    Output,
    note,
    say,
    show_list,
    show_section,
    stop,
    with_responder,
)
from bypass_responder.model.base import moment
from bypass_responder.model.mailbox_access import AccessLogon
from bypass_responder.operating.posture.access import MOST_ROWS, AccessLine, ActorLine, read_access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bypass_responder.bootstrap import Responder
    from bypass_responder.operating.posture.access import Accesses

_ACTORS: Mapping[str, Callable[[ActorLine], str]] = {
    "mailbox": lambda it: it.mailbox,
    "actor": lambda it: it.actor,
    "as": lambda it: ", ".join(it.logons),
    "records": lambda it: f"{it.count:,} on {it.days} day{'' if it.days == 1 else 's'}",
    "first": lambda it: moment(it.first),
    "last": lambda it: moment(it.last),
    "operations": lambda it: ", ".join(it.operations),
    "address": lambda it: ", ".join(it.addresses),
    "permission": lambda it: it.grant or "none recorded",
}
_ROWS: Mapping[str, Callable[[AccessLine], str]] = {
    "day": lambda it: f"{it.day}",
    "mailbox": lambda it: it.mailbox,
    "actor": lambda it: it.actor,
    "as": lambda it: it.logon,
    "operation": lambda it: it.operation,
    "records": lambda it: f"{it.count:,}",
    "first": lambda it: moment(it.first),
    "last": lambda it: moment(it.last),
    "address": lambda it: ", ".join(it.addresses),
    "client": lambda it: ", ".join(it.clients),
}
_TIMES = "2026-11-01, 2026-11-01T06:00Z, 24h or 7d"


def access(
    mailbox: Annotated[str, typer.Option(help="User principal name, object id or Exchange's id of a mailbox.")] = "",
    actor: Annotated[str, typer.Option(help="User principal name, object id or application id.")] = "",
    logon_type: Annotated[AccessLogon | None, typer.Option(help="Only with this logon type.")] = None,
    since: Annotated[str, typer.Option(help=f"From this day on: {_TIMES}. Default: the last 30 days.")] = "",
    until: Annotated[str, typer.Option(help="Before this day, in the same forms.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Maximum number of rows.")] = MOST_ROWS,
    *,
    by_day: Annotated[bool, typer.Option("--by-day", help="List each day and operation, as json and csv do.")] = False,
    output: Format = Output.TABLE,
) -> None:
    """List who other than its owner opened a watched mailbox, how often, when, and how.

    It is counted once a day, and kept for ACCESS_RETENTION_DAYS. What a
    bypassed account did is not in it; those times are named.

    Exit code 1: part of it is not known, or not listed; what is missing is named.
    """
    now = datetime.now(UTC)
    start, end = moment_of(since, now, "--since"), moment_of(until, now, "--until")
    if start and start >= min(end or now, now):
        stop("--since must be before --until, and not in the future.", WRONG_CALL)

    async def use(responder: Responder) -> Accesses:
        names = {"mailbox": mailbox, "actor": actor}
        return await read_access(responder.services, **names, logon=logon_type, since=start, until=end, limit=limit)

    found = with_responder(use)
    if output is Output.TABLE:
        _show(found, by_day=by_day)
    else:
        show_list(found.rows, output, fields=[*AccessLine.model_fields], table=_ROWS)
    _note_gaps(found, output)
    raise typer.Exit(0 if found.whole else BAD_NEWS)


def _show(found: Accesses, *, by_day: bool) -> None:
    say(found.sentence, style="" if found.whole else "bold red")
    if by_day:
        show_section("By day", [*_ROWS], [[cell(each) for cell in _ROWS.values()] for each in found.rows])
    else:
        show_section("By actor", [*_ACTORS], [[cell(each) for cell in _ACTORS.values()] for each in found.actors])


def _note_gaps(found: Accesses, output: Output) -> None:
    """Print what the list cannot have, also beside json and csv."""
    if found.fix:
        note(found.advice if output is Output.TABLE else f"{found.problem} Fix: {found.fix}.")
    for each in found.unknown:
        note(f"INCOMPLETE: {each}.")
    if not found.complete:
        note(f"INCOMPLETE: there are more rows than {len(found.rows)}. Narrow the period, or raise --limit.")
    for each in found.windows:
        note(f"NOT IN THE LIST: {each}")
