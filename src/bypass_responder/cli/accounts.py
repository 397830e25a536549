"""``bypassctl accounts``: who is bypassed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

from bypass_responder.cli.terminal import BAD_NEWS, Format, Output, say, show_list, with_responder
from bypass_responder.model.base import moment, until
from bypass_responder.operating.bypassed import BypassedAccount, BypassedAccounts, bypassed_accounts
from bypass_responder.operating.status import last_self_check

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder

app = typer.Typer(help="Show who is bypassed.", no_args_is_help=True)
LISTED: dict[str, Callable[[BypassedAccount], str]] = {
    "account": lambda it: it.account,
    "object id": lambda it: it.object_id or "",
    "bypass": lambda it: f"{it.bypass}, as of {moment(it.bypass_at)}",
    "since": lambda it: moment(it.on_since),
    "allowlisted": lambda it: _until(it) if it.allowlisted else "NO",
    "why": lambda it: f"{it.reason_class}: {it.justification} ({it.ticket}, {it.owner})" if it.ticket else it.incident,
}


@app.callback()
def accounts() -> None:
    """Show who is bypassed."""


@app.command()
def bypassed(output: Format = Output.TABLE) -> None:
    """List the accounts that are bypassed, with the justification from the allowlist.

    As of the last complete sweep; for accounts without an entry, with the state that the responder has read since.

    Exit code 1: an account is bypassed and not on the allowlist, or the last complete sweep is not current.
    """

    async def use(responder: Responder) -> BypassedAccounts:
        return await bypassed_accounts(responder.services, await last_self_check(responder.self_checks))

    found = with_responder(use)
    if output is Output.TABLE:
        _say_how_many(found)
    if found.accounts or output is not Output.TABLE:
        show_list(found.accounts, output, fields=tuple(BypassedAccount.model_fields), table=LISTED)
    raise typer.Exit(BAD_NEWS if found.doubt or found.others else 0)


def _say_how_many(found: BypassedAccounts) -> None:
    if found.doubt:
        say(f"Who is bypassed now is UNKNOWN: {found.doubt}.", style="bold red")
    if found.as_of:
        count = sum(each.bypass == "on" for each in found.accounts)
        say(f"{count} bypassed, {found.others} of them not allowlisted (last complete sweep: {moment(found.as_of)}).")


def _until(account: BypassedAccount) -> str:
    return f"until {until(account.expires_at)}" if account.expires_at else "yes, entry gone since"
