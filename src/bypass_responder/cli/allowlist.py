"""``bypassctl allowlist``: accounts that may be bypassed, each with reason, owner, ticket and expiry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.case.account_state import lines_of, shown_of
from bypass_responder.case.person_decision import author_is
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Format,
    Output,
    Yes,
    confirm,
    say,
    show_fields,
    show_json,
    show_table,
    stop,
    who_am_i,
    with_responder,
)
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.base import guid_or_none

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.account import Account
    from bypass_responder.model.decision_message import Shown

app = typer.Typer(help="Manage the accounts that may be bypassed.", no_args_is_help=True)
REASONS = ("archiving", "legal_hold", "compliance_export", "migration", "vendor", "backup", "other")
LONGEST_DAYS = 366


@app.command()
def add(
    account: Annotated[str, typer.Argument(help="Object id or user principal name.")],
    reason_class: Annotated[
        str, typer.Option("--reason-class", help=f"Category of the reason: {', '.join(REASONS)}.")
    ] = "other",
    *,
    reason: Annotated[str, typer.Option(help="Why this account must be bypassed.")],
    owner: Annotated[str, typer.Option(help="E-mail address of the responsible person or team.")],
    ticket: Annotated[str, typer.Option(help="Change ticket.")],
    expires: Annotated[str, typer.Option(help="Last valid day, YYYY-MM-DD, at most 366 days ahead.")],
) -> None:
    """Allow one account to be bypassed. Does not cover a bypass that is already on."""
    if reason_class not in REASONS:
        stop(f"--reason-class {reason_class!r} is invalid. Use one of: {', '.join(REASONS)}.", WRONG_CALL)
    for name, text in {"--reason": reason, "--owner": owner, "--ticket": ticket}.items():
        if not text.strip():
            stop(f"{name} must not be empty.", WRONG_CALL)
    expires_at = last_moment(expires)

    async def use(responder: Responder) -> tuple[Account, AllowlistEntry]:
        found = await responder.services.directory.find(account)
        if found is None:
            stop(f"No account has the object id or user principal name {account}. Check the spelling.")
        author = await who_am_i(responder)
        if author_is(author, found):
            stop(f"{author.name} cannot allowlist their own account. Somebody else has to.")
        entry = AllowlistEntry(
            object_id=found.object_id,
            display_name=found.user_principal_name,
            reason_class=reason_class,
            justification=reason,
            owner=owner,
            ticket=ticket,
            approved_by=str(author),
            expires_at=expires_at,
        )
        await responder.services.allowlist.put(entry)
        return found, entry

    found, entry = with_responder(use)
    say(f"Allowed: {found}")
    show_fields({"until": f"{entry.expires_at:%Y-%m-%d %H:%M:%SZ}", "owner": owner, "ticket": ticket, "reason": reason})


@app.command("list")
def list_entries(output: Format = Output.TABLE) -> None:
    """List all entries, including expired and malformed ones."""

    async def use(responder: Responder) -> list[AllowlistEntry | MalformedEntry]:
        return [entry async for entry in responder.services.allowlist.entries()]

    entries = with_responder(use)
    if output is Output.JSON:
        show_json([entry.model_dump(mode="json") for entry in entries])
        return
    show_table(
        ("account", "object id", "state", "until", "owner", "ticket", "reason"), [_row(entry) for entry in entries]
    )


@app.command()
def remove(
    account: Annotated[str, typer.Argument(help="Object id or user principal name.")],
    *,
    yes: Yes = False,
) -> None:
    """Remove one account from the allowlist. From then on, its bypass is a violation.

    Shows the account's state first, and asks.
    """

    async def look(responder: Responder) -> tuple[str, Shown] | None:
        object_id = guid_or_none(account)
        if object_id is None:
            found = await responder.services.directory.find(account)
            object_id = found.object_id if found else None
        if object_id is None or await responder.services.allowlist.get(object_id) is None:
            return None
        return object_id, shown_of(await responder.services.ledger.load(object_id, history=True))

    async def use(responder: Responder) -> bool:
        return await responder.services.allowlist.remove(object_id)

    found = with_responder(look)
    if found is None:
        stop(f"{account} is not on the allowlist. List the entries: bypassctl allowlist list.")
    object_id, shown = found
    show_fields({"account": account, **lines_of(shown)})
    if shown.bypass == "on":
        say("The bypass is on: without its entry the account is contained as soon as it is seen again.")
    confirm(f"Remove {account} from the allowlist?", yes=yes)
    if not with_responder(use):
        stop(f"{account} is no longer on the allowlist.")
    say(f"Removed: {object_id}")


def last_moment(day: str) -> datetime:
    """Return the last second of that day in UTC. Exits 2 when it is invalid, past or too far ahead."""
    try:
        moment = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1, seconds=-1)
    except ValueError:
        stop(f"--expires {day!r} is not a date. Use YYYY-MM-DD, such as 2027-01-31.", WRONG_CALL)
    now = datetime.now(UTC)
    if not now < moment <= now + timedelta(days=LONGEST_DAYS):
        stop(f"--expires {day} is out of range. Use a day from today to {LONGEST_DAYS} days ahead.", WRONG_CALL)
    return moment


def _row(entry: AllowlistEntry | MalformedEntry) -> tuple[str, ...]:
    if isinstance(entry, MalformedEntry):
        return ("", entry.object_id, f"MALFORMED: {entry.problem}", "", "", "", "")
    state = "expired" if entry.expires_at <= datetime.now(UTC) else "valid"
    until = f"{entry.expires_at:%Y-%m-%d}"
    reason = f"{entry.reason_class}: {entry.justification}"
    return (entry.display_name, entry.object_id, state, until, entry.owner, entry.ticket, reason)
