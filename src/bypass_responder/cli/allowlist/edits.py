"""Edits of one entry: shown with what they mean, then made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.case.account_state import lines_of
from bypass_responder.case.allowlist_text import NO_DIFFERENCE
from bypass_responder.cli.send_decision import Wait, check_reason, send_decision
from bypass_responder.cli.terminal import (
    WRONG_CALL,
    Reason,
    Yes,
    confirm,
    say,
    show_fields,
    stop,
    who_am_i,
    with_responder,
)
from bypass_responder.model.allowlist import EditAction
from bypass_responder.model.base import expiry_of
from bypass_responder.operating.allowlist import edit as edits
from bypass_responder.operating.allowlist.entries import find_object_id
from bypass_responder.operating.allowlist.rules import REASONS, Fields, problems_of
from bypass_responder.operating.decide import prepare_approval

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bypass_responder.bootstrap import Responder
    from bypass_responder.model.account import AllowlistEntry
    from bypass_responder.model.decision_message import Author, DecisionMessage
    from bypass_responder.operating.allowlist.edit import Edit
    from bypass_responder.services import Services

DONE = {
    EditAction.ADD: "Allowed",
    EditAction.SET: "Changed",
    EditAction.EXTEND: "Extended",
    EditAction.REMOVE: "Removed",
    EditAction.UNDO: "Undone",
    EditAction.REVIEW: "Reviewed and kept",
}
OPTIONS = {"justification": "--reason", "reason_class": "--reason-class"}
"""Fields that are an option of ``add`` under another name."""
NewAccount = Annotated[str, typer.Argument(help="Object id or user principal name.")]
Account = Annotated[str, typer.Argument(help="Object id, the beginning of one, or user principal name.")]
Class = Annotated[str, typer.Option("--reason-class", help=f"Category of the reason: {', '.join(REASONS)}.")]
Why = Annotated[str, typer.Option("--reason", help="Why this account must be bypassed.")]
Owner = Annotated[str, typer.Option("--owner", help="E-mail address of the responsible person or team.")]
Ticket = Annotated[str, typer.Option("--ticket", help="Change ticket.")]
Expires = Annotated[str, typer.Option("--expires", help="Last valid day, YYYY-MM-DD.")]
Documentation = Annotated[
    str, typer.Option("--documentation", help="https:// link to the vendor's page that asks for the bypass.")
]
Note = Annotated[str, typer.Option("--reason", help="Reason of the edit, stored in the response log.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")]


def add(
    account: NewAccount,
    reason_class: Class = "other",
    *,
    reason: Why,
    owner: Owner,
    ticket: Ticket,
    expires: Expires,
    documentation: Documentation = "",
    replace: Annotated[bool, typer.Option("--replace", help="Replace the entry that the account has.")] = False,
    dry_run: DryRun = False,
) -> None:
    """Allow one account to be bypassed. Does not cover a bypass that is already on.

    If the account has an entry, shows the difference and changes nothing, unless --replace is given.
    """
    texts = {"reason_class": reason_class, "justification": reason, "owner": owner, "ticket": ticket}
    fields = Fields(**_stripped(texts | {"documentation": documentation}), expires_at=last_moment(expires))

    async def plan(services: Services, author: Author) -> Edit:
        _check(fields, services)
        found = await services.directory.find(account)
        if found is None:
            stop(f"No account has the object id or user principal name {account}. Check the spelling.")
        return await edits.plan_add(found, fields, services, author=author, replace=replace)

    _edit(plan, reason=reason, ask=False, yes=True, dry_run=dry_run)


def set_fields(
    account: Account,
    *,
    reason_class: Class = "",
    justification: Annotated[str, typer.Option("--justification", help="Why this account must be bypassed.")] = "",
    owner: Owner = "",
    ticket: Ticket = "",
    expires: Expires = "",
    documentation: Annotated[
        str | None, typer.Option("--documentation", help="https:// link to the vendor's page; empty to remove it.")
    ] = None,
    reason: Note = "",
    dry_run: DryRun = False,
) -> None:
    """Change fields of an entry; the others stay unchanged.

    The account stays covered without interruption.
    """
    given = {"reason_class": reason_class, "justification": justification, "owner": owner, "ticket": ticket}
    texts = {name: text for name, text in _stripped(given).items() if text}
    texts |= {} if documentation is None else {"documentation": documentation.strip()}
    moments = {"expires_at": last_moment(expires)} if expires else {}
    if not texts and not moments:
        stop("Nothing to change: give at least one of the fields, such as --owner or --expires.", WRONG_CALL)

    async def plan(services: Services, author: Author) -> Edit:
        return await edits.plan_set(
            await find_object_id(account, services), {**texts, **moments}, services, author=author
        )

    _edit(plan, reason=reason, ask=False, yes=True, dry_run=dry_run)


def extend(
    account: Account,
    *,
    expires: Expires,
    ticket: Ticket = "",
    reason: Note = "",
    dry_run: DryRun = False,
) -> None:
    """Make an entry expire later. The account stays covered without interruption."""
    changes: dict[str, str | datetime] = {"expires_at": last_moment(expires)}
    changes |= {"ticket": ticket.strip()} if ticket.strip() else {}

    async def plan(services: Services, author: Author) -> Edit:
        return await edits.plan_set(await find_object_id(account, services), changes, services, author=author)

    _edit(plan, reason=reason, ask=False, yes=True, dry_run=dry_run)


def remove(account: Account, *, reason: Note = "", yes: Yes = False, dry_run: DryRun = False) -> None:
    """Remove one account from the allowlist. From then on, its bypass is a violation.

    Shows the account's state first, and asks for confirmation. To restore the entry: undo.
    """

    async def plan(services: Services, author: Author) -> Edit:
        return await edits.plan_remove(await find_object_id(account, services), services, author=author)

    _edit(plan, reason=reason, ask=True, yes=yes, dry_run=dry_run)


def undo(
    account: Annotated[str, typer.Argument(help="Object id; for an existing entry also a user principal name.")],
    *,
    reason: Note = "",
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Restore an entry as it was before its last change, even if it was removed.

    Shows the difference first, and asks for confirmation. A restored entry covers what it covered before.
    """

    async def plan(services: Services, author: Author) -> Edit:
        return await edits.plan_undo(await find_object_id(account, services, listed=False), services, author=author)

    _edit(plan, reason=reason, ask=True, yes=yes, dry_run=dry_run)


def keep(account: str, *, reason: str) -> None:
    """Record that a person reviewed an entry and keeps it."""

    async def plan(services: Services, author: Author) -> Edit:
        return await edits.plan_keep(await find_object_id(account, services), services, author=author)

    _edit(plan, reason=reason, ask=False, yes=True, dry_run=False)


def approve(
    account: NewAccount,
    reason: Reason,
    *,
    wait: Wait = False,
    yes: Yes = False,
) -> None:
    """Approve the entry of one account as it is now. Required with ALLOWLIST_APPROVAL=required.

    Shows the entry and asks for confirmation. A person other than its author must approve it; each change needs
    a new approval.
    """
    check_reason(reason)

    async def look(responder: Responder) -> tuple[AllowlistEntry, DecisionMessage]:
        author = await who_am_i(responder)
        object_id = await find_object_id(account, responder.services, listed=False)
        return await prepare_approval(object_id, responder.services, reason=reason, author=author)

    entry, message = with_responder(look)
    show_fields({"object id": entry.object_id, **entry.columns, **lines_of(message.shown)})
    confirm(f"Approve the allowlist entry of {account} as shown?", yes=yes)
    send_decision(message, f"approve the allowlist entry of {account}", wait=wait)


def _edit(
    plan: Callable[[Services, Author], Awaitable[Edit]], *, reason: str, ask: bool, yes: bool, dry_run: bool
) -> None:
    """Plan an edit, show it, ask where it takes something away, and make it."""

    async def look(responder: Responder) -> tuple[Edit, Author]:
        author = await who_am_i(responder)
        return await plan(responder.services, author), author

    edit, author = with_responder(look)
    if ask or dry_run:
        show_fields({"account": edit.account, **edit.state, "changes": edit.changes})
    for line in edit.says:
        say(line)
    if dry_run:
        say("Nothing was changed (--dry-run).")
        return
    if ask:
        confirm(f"{edit.action.value.capitalize()} the allowlist entry of {edit.account}?", yes=yes)

    async def make(responder: Responder) -> bool:
        why = reason.strip() or f"{edit.action.value} with bypassctl"
        made = await edits.make(edit, responder.services, author=author, via="bypassctl", reason=why)
        return made.reported

    reported = with_responder(make)
    changes = "" if edit.changes == NO_DIFFERENCE else f". {edit.changes}"
    say(f"{DONE[edit.action]}: {edit.account}{changes if not ask else ''}")
    if not reported:
        say("The edit could not be reported to the responder: the history will show the editor that the row names.")
    if edit.action is not EditAction.UNDO:
        say(f"To undo it: bypassctl allowlist undo {edit.object_id}")


def _check(fields: Fields, services: Services) -> None:
    """Exit 2 for fields that no entry may have."""
    if problems := problems_of(fields, services.settings, now=services.clock()):
        stop(f"{'; '.join(map(_by_option, problems))}.", WRONG_CALL)


def _by_option(problem: str) -> str:
    """Return a problem under the name of the option, where it begins with that of a field."""
    field, _, rest = problem.partition(" ")
    option = OPTIONS.get(field, f"--{field}")
    return f"{option} {rest}"


def _stripped(texts: dict[str, str]) -> dict[str, str]:
    return {name: text.strip() for name, text in texts.items()}


def last_moment(day: str) -> datetime:
    """Return the last second of that day in UTC. Exits 2 when it is no day, or past."""
    moment = expiry_of(day) if ":" not in day else None
    if moment is None:
        stop(f"--expires {day!r} is not a date. Use YYYY-MM-DD, such as 2027-01-31.", WRONG_CALL)
    if moment <= datetime.now(UTC):
        stop(f"--expires {day} is out of range. Use a day from today on.", WRONG_CALL)
    return moment
