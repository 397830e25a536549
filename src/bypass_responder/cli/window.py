"""``bypassctl window``: for which accounts and times records of mailbox actions do not exist."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.incident_filter import moment_of
from bypass_responder.cli.terminal import BAD_NEWS, Format, Output, say, show_document, show_section, with_responder
from bypass_responder.model.base import moment
from bypass_responder.operating.blind_windows.read_windows import BlindWindows, read_windows

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.operating.blind_windows.known_window import KnownWindow


def window(
    account: Annotated[
        str, typer.Argument(help="Object id, user principal name or its beginning; without it, all accounts.")
    ] = "",
    since: Annotated[
        str, typer.Option(help="Leave out windows that ended before: 2026-11-01, 2026-11-01T06:00Z, 24h or 7d.")
    ] = "",
    output: Format = Output.TABLE,
) -> None:
    """Show for which accounts and times there are no records of mailbox actions, and why.

    Read it before a search of the audit log: an empty result proves nothing
    within these times. `-o json` writes the file for `bypassctl detect --windows`.

    Exit code 1: there is such a time.
    """
    start = moment_of(since, datetime.now(UTC), "--since")

    async def use(responder: Responder) -> BlindWindows:
        return await read_windows(responder.services, account, since=start)

    found = with_responder(use)
    if output is Output.TABLE:
        _show(found)
    else:
        show_document(found.model_dump(mode="json"), output)
    raise typer.Exit(BAD_NEWS if found.any else 0)


def _show(found: BlindWindows) -> None:
    if not found.any:
        say(f"No times without records are known for {found.account or 'any account'}.")
    elif found.account and not found.own:
        say(f"No times without records are known for {found.account} itself.")
    for each in (*found.organization, *found.own):
        say(each.text, style="bold red")
    _table("Other accounts, whose actions in this mailbox are not recorded either", found.others)
    _table("Mailboxes in which these types of action are not recorded", found.mailboxes)
    if found.of_every_type:
        say(f"Action types without records: {', '.join(found.action_types)}.")
        say(f"Still recorded: {'; '.join(found.still_recorded)}.")
    for what in found.incomplete:
        say(f"INCOMPLETE: {what}.", style="bold red")


def _table(title: str, windows: tuple[KnownWindow, ...]) -> None:
    show_section(
        title,
        ("account", "from", "to", "why", "types"),
        [
            (it.name, _start(it), moment(it.end) if it.end else "now", it.why, ", ".join(it.action_types) or "all")
            for it in windows
        ],
    )


def _start(window: KnownWindow) -> str:
    if window.start is None:
        return "unknown"
    return moment(window.start) if window.start_known else f"unknown, before {moment(window.start)}"
