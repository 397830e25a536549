"""``bypassctl allowlist``: accounts that may be bypassed, each with reason, owner, ticket and expiry."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.case.account_state import lines_of, shown_of
from bypass_responder.case.allowlist import NO_DIFFERENCE, difference
from bypass_responder.case.person_decision import author_is
from bypass_responder.cli.send_decision import Wait, check_reason, send_decision
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Format,
    Output,
    Reason,
    Yes,
    confirm,
    say,
    show_fields,
    show_json,
    show_list,
    show_table,
    stop,
    who_am_i,
    with_responder,
)
from bypass_responder.errors import ConflictError
from bypass_responder.model.account import AllowlistEntry, MalformedEntry
from bypass_responder.model.base import guid_or_none
from bypass_responder.operating.decide import is_approved, prepare_approval

if TYPE_CHECKING:
    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.account import Account
    from bypass_responder.model.decision_message import DecisionMessage, Shown

app = typer.Typer(help="Manage the accounts that may be bypassed.", no_args_is_help=True)
REASONS = ("archiving", "legal_hold", "compliance_export", "migration", "vendor", "backup", "other")
LONGEST_DAYS = 366
ADDRESS = re.compile(r"[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\.]+(\.[^\s@,;:<>()\[\]\"\\.]+)+")
"""An e-mail address, or a user principal name."""


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
    replace: Annotated[bool, typer.Option("--replace", help="Replace the entry that the account has.")] = False,
) -> None:
    """Allow one account to be bypassed. Does not cover a bypass that is already on.

    An account that has an entry is refused, and the difference shown; --replace replaces it.
    """
    if reason_class not in REASONS:
        stop(f"--reason-class {reason_class!r} is invalid. Use one of: {', '.join(REASONS)}.", WRONG_CALL)
    for name, text in {"--reason": reason, "--owner": owner, "--ticket": ticket}.items():
        if not text.strip():
            stop(f"{name} must not be empty.", WRONG_CALL)
    if not ADDRESS.fullmatch(owner.strip()):
        stop(f"--owner {owner!r} is not an e-mail address. Use one such as ops@contoso.com.", WRONG_CALL)
    expires_at = last_moment(expires)

    async def use(responder: Responder) -> tuple[Account, AllowlistEntry, str]:
        found = await responder.services.directory.find(account)
        if found is None:
            stop(f"No account has the object id or user principal name {account}. Check the spelling.")
        author = await who_am_i(responder)
        if author_is(author, found):
            stop(f"{author.name} cannot allowlist their own account. Another person must.")
        entry = AllowlistEntry(
            object_id=found.object_id,
            display_name=found.user_principal_name,
            reason_class=reason_class,
            justification=reason,
            owner=owner.strip(),
            ticket=ticket,
            approved_by=str(author),
            expires_at=expires_at,
        )
        before = await responder.services.allowlist.get(found.object_id)
        changes = difference(before.columns, entry.columns) if before else ""
        if before and not replace:
            stop(f"{found} has an entry already. {_to_replace(changes)}")
        try:
            await responder.services.allowlist.put(entry, replaces=before.etag if before else None)
        except ConflictError:
            stop(f"The entry of {account} was changed meanwhile. Read it: bypassctl allowlist list.")
        return found, entry, changes

    found, entry, changes = with_responder(use)
    say(f"Replaced: {found}. {changes}." if changes else f"Allowed: {found}")
    show_fields({"until": f"{entry.expires_at:%Y-%m-%d %H:%M:%SZ}", "owner": owner, "ticket": ticket, "reason": reason})


def _to_replace(changes: str) -> str:
    if changes == NO_DIFFERENCE:
        return "It has the same values, so nothing was changed."
    return f"To replace it, add --replace; that changes {changes}."


@app.command()
def approve(
    account: Annotated[str, typer.Argument(help="Object id or user principal name.")],
    reason: Reason,
    *,
    wait: Wait = False,
    yes: Yes = False,
) -> None:
    """Approve the entry of one account as it is now. Required with ALLOWLIST_APPROVAL=required.

    Shows the entry and asks. A person other than its author must approve it; a change needs approval again.
    """
    check_reason(reason)

    async def look(responder: Responder) -> tuple[AllowlistEntry, DecisionMessage]:
        object_id = await _object_id(account, responder)
        author = await who_am_i(responder)
        if object_id is None:
            stop(f"No account has the object id or user principal name {account}. Check the spelling.")
        return await prepare_approval(object_id, responder.services, reason=reason, author=author)

    entry, message = with_responder(look)
    show_fields({"object id": entry.object_id, **entry.columns, **lines_of(message.shown)})
    confirm(f"Approve the allowlist entry of {account} as shown?", yes=yes)
    send_decision(message, f"approve the allowlist entry of {account}", wait=wait)


@app.command("list")
def list_entries(output: Format = Output.TABLE) -> None:
    """List all entries, including expired and malformed ones."""

    async def use(responder: Responder) -> tuple[list[AllowlistEntry | MalformedEntry], set[str]]:
        services = responder.services
        entries = [entry async for entry in services.allowlist.entries()]
        if not services.settings.approval_required:
            return entries, set()
        own = [entry for entry in entries if isinstance(entry, AllowlistEntry)]
        return entries, {entry.row_id for entry in own if not await is_approved(entry, services)}

    entries, waiting = with_responder(use)
    if output is Output.JSON:
        show_json([entry.model_dump(mode="json") for entry in entries])
        return
    if output is Output.CSV:
        show_list(entries, output, fields=(*AllowlistEntry.model_fields, "problem"), table={})
        return
    show_table(
        ("account", "object id", "state", "until", "owner", "ticket", "reason"),
        [_row(entry, approved=entry.row_id not in waiting) for entry in entries],
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
        object_id = await _object_id(account, responder)
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
    say(f"Removed: {account}" + (f" ({object_id})" if account != object_id else ""))


async def _object_id(account: str, responder: Responder) -> str | None:
    """Return the object id of an account; None for a name that the directory does not know."""
    if given := guid_or_none(account):
        return given
    found = await responder.services.directory.find(account)
    return found.object_id if found else None


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


def _row(entry: AllowlistEntry | MalformedEntry, *, approved: bool) -> tuple[str, ...]:
    if isinstance(entry, MalformedEntry):
        return ("", entry.object_id, f"MALFORMED: {entry.problem}", "", "", "", "")
    state = "expired" if entry.expires_at <= datetime.now(UTC) else "valid" if approved else "not approved"
    until = f"{entry.expires_at:%Y-%m-%d}"
    reason = f"{entry.reason_class}: {entry.justification}"
    return (entry.display_name, entry.object_id, state, until, entry.owner, entry.ticket, reason)
