"""The entries of the allowlist, one by one and together: state, history, review, explanation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bypass_responder.cli.allowlist.edits import Account, NewAccount, Note, keep
from bypass_responder.cli.terminal import (
    BAD_NEWS,
    WRONG_CALL,
    Format,
    Output,
    say,
    show_document,
    show_fields,
    show_list,
    stop,
    with_responder,
)
from bypass_responder.decision import Disposition
from bypass_responder.errors import NotFoundError
from bypass_responder.model.base import counted, moment, until
from bypass_responder.operating.allowlist.entries import (
    Bypassed,
    EntryState,
    EntryView,
    expiring,
    find_object_id,
    matching,
    read_entries,
    read_entry,
)
from bypass_responder.operating.allowlist.explain import Explanation
from bypass_responder.operating.allowlist.explain import explain as explained
from bypass_responder.operating.allowlist.history import Change
from bypass_responder.operating.allowlist.history import history as changes_of
from bypass_responder.operating.allowlist.review import Review, mark_unused
from bypass_responder.operating.allowlist.review import review as reviewed
from bypass_responder.operating.status import last_self_check

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bypass_responder.bootstrap import Responder

BYPASS = {True: "on", False: "off", None: "unknown"}


def _state(entry: EntryView) -> str:
    if entry.state is EntryState.MALFORMED:
        return f"MALFORMED: {entry.problem}"
    return f"{entry.state.value}, unused" if entry.unused else entry.state.value


def _reason(entry: EntryView) -> str:
    return f"{entry.reason_class}: {entry.justification}" if entry.reason_class else ""


COLUMNS: Mapping[str, Callable[[EntryView], str]] = {
    "account": lambda entry: entry.account,
    "object id": lambda entry: entry.object_id,
    "state": _state,
    "until": lambda entry: until(entry.expires_at) if entry.expires_at else "",
    "bypass": lambda entry: BYPASS[entry.bypass.now],
    "owner": lambda entry: entry.owner,
    "ticket": lambda entry: entry.ticket,
    "reason": _reason,
}
CHANGES: Mapping[str, Callable[[Change], str]] = {
    "at": lambda line: moment(line.at),
    "what": lambda line: line.what,
    "who": lambda line: line.who,
    "editor": lambda line: line.known.value,
    "via": lambda line: line.via,
    "changes": lambda line: line.changes,
}
REVIEW_FIELDS = tuple(name for name in Review.model_fields if name != "entry")
REVIEWS: Mapping[str, Callable[[Review], str]] = {
    "account": lambda each: each.entry.account,
    "object id": lambda each: each.entry.object_id,
    "until": lambda each: until(each.entry.expires_at) if each.entry.expires_at else "",
    "bypass": lambda each: BYPASS[each.entry.bypass.now],
    "proposal": lambda each: each.proposal.value,
    "why": lambda each: each.why,
    "last review": lambda each: _last_review(each.entry),
}


def list_entries(
    *,
    state: Annotated[EntryState | None, typer.Option("--state", help="Only entries in this state.")] = None,
    soon: Annotated[
        bool, typer.Option("--expiring", help="Only entries that have expired, or expire within 30 days.")
    ] = False,
    search: Annotated[str, typer.Option("--search", help="Only entries with this text in a field.")] = "",
    output: Format = Output.TABLE,
) -> None:
    """List all entries, including expired and malformed ones, in order of expiry."""

    async def use(responder: Responder) -> list[EntryView]:
        check = await last_self_check(responder.self_checks)
        return await mark_unused(await read_entries(responder.services, check), responder.services)

    entries = with_responder(use)
    entries = [entry for entry in entries if state is None or entry.state is state]
    entries = expiring(entries) if soon else entries
    entries = matching(entries, search) if search.strip() else entries
    show_list(entries, output, fields=tuple(EntryView.model_fields), table=COLUMNS)


def show(account: Account, output: Format = Output.TABLE) -> None:
    """Show one entry: its fields, who edited and reviewed it, and whether the bypass is on now."""

    async def use(responder: Responder) -> EntryView | None:
        check = await last_self_check(responder.self_checks)
        entry = await read_entry(await find_object_id(account, responder.services), responder.services, check)
        return (await mark_unused([entry], responder.services))[0] if entry else None

    entry = with_responder(use)
    if entry is None:
        stop(f"{account} is not on the allowlist. List the entries: bypassctl allowlist list.")
    if output is not Output.TABLE:
        show_document(entry.model_dump(), output)
        return
    show_fields(_fields(entry))


def history(
    account: Annotated[str, typer.Argument(help="Object id; for an existing entry also a user principal name.")],
    output: Format = Output.TABLE,
) -> None:
    """Show who changed an entry, oldest first: what the table showed, and who reported the edit."""

    async def use(responder: Responder) -> list[Change]:
        object_id = await find_object_id(account, responder.services, listed=False)
        return changes_of([entry async for entry in responder.services.ledger.log(object_id)])

    lines = with_responder(use)
    show_list(lines, output, fields=tuple(Change.model_fields), table=CHANGES)


def review(
    account: Annotated[str, typer.Argument(help="One entry; without it, all.")] = "",
    *,
    keep_it: Annotated[bool, typer.Option("--keep", help="Record that you reviewed this entry and keep it.")] = False,
    all_entries: Annotated[bool, typer.Option("--all", help="Include entries whose review is not due.")] = False,
    reason: Note = "",
    output: Format = Output.TABLE,
) -> None:
    """List the entries to review, each with a proposal: keep, extend, remove, or fix.

    Exit code 1: some are due.
    With an account and --keep: record that you reviewed it. To extend or remove an entry: extend, remove.
    """
    if keep_it:
        if not account:
            stop("--keep needs an account: bypassctl allowlist review ACCOUNT --keep.", WRONG_CALL)
        keep(account, reason=reason)
        return

    async def use(responder: Responder) -> list[Review]:
        found = await reviewed(responder.services, await last_self_check(responder.self_checks))
        if not account:
            return [each for each in found if each.due or all_entries]
        object_id = await find_object_id(account, responder.services)
        return [each for each in found if each.entry.object_id == object_id]

    found = with_responder(use)
    if output is Output.CSV:
        rows = [each.entry.model_dump(mode="json") | each.model_dump(exclude={"entry"}) for each in found]
        show_list(rows, output, fields=(*EntryView.model_fields, *REVIEW_FIELDS), table={})
    else:
        show_list(found, output, fields=tuple(Review.model_fields), table=REVIEWS)
    if any(each.due for each in found):
        raise typer.Exit(BAD_NEWS)


def explain(account: NewAccount, output: Format = Output.TABLE) -> None:
    """Explain what would happen if the bypass of this account were switched on now. Changes nothing."""

    async def use(responder: Responder) -> Explanation:
        found = await responder.services.directory.find(account)
        if found is None:
            raise NotFoundError(f"No account has the object id or user principal name {account}.")
        return await explained(found, responder.services)

    found = with_responder(use)
    if output is not Output.TABLE:
        show_document(found.model_dump(), output)
        return
    say(f"If the bypass of {found.account} were switched on now:")
    say(found.sentence)
    show_fields(
        {
            "object id": found.object_id,
            "verdict": found.verdict,
            **{
                kind.value: ("not done" if each is Disposition.NOT else each.value)
                for kind, each in found.steps.items()
            },
            "entry": "" if found.entry else "none",
        }
    )
    show_fields(found.entry)


def _last_review(entry: EntryView) -> str:
    return f"{entry.reviewed_at:%Y-%m-%d} by {entry.reviewed_by}" if entry.reviewed_at else "never"


def _bypass(bypass: Bypassed) -> str:
    if bypass.as_of is None:
        return "unknown: no complete sweep can be read"
    if bypass.now is None:
        then = f", then {BYPASS[bypass.on]}" if bypass.on is not None else ""
        return f"unknown since {moment(bypass.as_of)}{then}: {bypass.doubt or 'it is not in the list'}"
    return f"{BYPASS[bypass.now]}, as of {moment(bypass.as_of)}"


def _fields(entry: EntryView) -> dict[str, object]:
    return {
        "account": entry.account,
        "object id": entry.object_id,
        "state": entry.state.value,
        "problem": entry.problem,
        "bypass": _bypass(entry.bypass),
        "used": "no: off in all complete sweeps for 30 days" if entry.unused else "",
        "until": f"{moment(entry.expires_at)} ({counted(entry.days_left or 0, 'day')})" if entry.expires_at else "",
        "reason": _reason(entry),
        "documentation": entry.documentation,
        "owner": entry.owner,
        "ticket": entry.ticket,
        "approved by": entry.approved_by,
        "edited": f"{moment(entry.edited_at)} by {entry.edited_by or 'unknown'} {entry.via}".strip()
        if entry.edited_at
        else "",
        "last review": _last_review(entry),
        "review due": f"{entry.review_due:%Y-%m-%d}" if entry.review_due else "now",
        "behaves like a person": entry.behavior.text,
    }
