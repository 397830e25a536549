"""The allowlist in the console: entries, their history, and edits shown before they are made."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Body, Depends, Form, Header, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import StringConstraints

from bypass_responder.console.access import API, Change, PrincipalDep, require_change
from bypass_responder.console.context import Console, ConsoleDep
from bypass_responder.console.decisions import Reason, Tag, send_once
from bypass_responder.console.origin import Kind
from bypass_responder.console.parameters import Parameters
from bypass_responder.console.principal import Principal, Role
from bypass_responder.console.rendering import render
from bypass_responder.errors import ConflictError, NotFoundError, RefusedError
from bypass_responder.event_lines import write_line
from bypass_responder.model.account import Account
from bypass_responder.model.base import Utc, Value, expiry_of
from bypass_responder.model.decision_message import DecisionMessage
from bypass_responder.model.inspection import Inspection
from bypass_responder.model.message import Guid
from bypass_responder.operating.allowlist import edit as edits
from bypass_responder.operating.allowlist import entries
from bypass_responder.operating.allowlist.edit import Edit, Made
from bypass_responder.operating.allowlist.entries import EntryView
from bypass_responder.operating.allowlist.history import Change as EntryChange
from bypass_responder.operating.allowlist.history import history
from bypass_responder.operating.allowlist.import_lookup import is_current
from bypass_responder.operating.allowlist.review import Review, mark_unused, review
from bypass_responder.operating.allowlist.rules import ADDRESS, Fields, text_problem
from bypass_responder.operating.decide import prepare_approval
from bypass_responder.operating.status import last_self_check

Action = Literal["add", "set", "remove", "keep", "undo"]
ObjectId = Annotated[Guid, Path(description="Object id of the account.")]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Editor = Annotated[Change, Depends(require_change(Role.ALLOWLIST))]
forms = APIRouter(include_in_schema=False)
api = APIRouter(prefix=API)


class EntryList(Value):
    """The allowlist, the first to expire first; malformed rows before all."""

    read_at: Utc
    entries: tuple[EntryView, ...]
    total: int


class Entry(Value):
    """One entry and its history, oldest first. ``entry`` None: there is none now."""

    read_at: Utc
    object_id: str
    entry: EntryView | None
    history: tuple[EntryChange, ...]
    inspected: Inspection | None
    """What the responder last answered about the account."""


class Wanted(Parameters):
    """The fields of an edit.

    With ``set`` the empty ones stay as they are; ``remove``, ``keep`` and ``undo`` need none.
    ``account``, with ``add``: the user principal name. ``expires``: the last valid day, or an ISO time.
    """

    account: Text = ""
    reason_class: Text = ""
    justification: Text = ""
    owner: Text = ""
    ticket: Text = ""
    documentation: Text = ""
    expires: Text = ""


class EditRequest(Wanted):
    """An edit with the reason for it, which the response log keeps."""

    reason: Reason


class ApprovalRequest(Parameters):
    """An approval, with the reason for it."""

    reason: Reason


class ApprovalForm(ApprovalRequest):
    """The same from a form, with what the page showed."""

    seen: Annotated[str, StringConstraints(max_length=200)]
    token: str


class ApprovalSent(Value):
    """What was sent.

    The responder carries it out within a minute, or refuses it: see the history of the entry.
    """

    message_id: str
    not_after: Utc


class ReviewList(Value):
    """The entries to review, each with a proposal.

    ``use_known`` False: unused ones are not recognized here.
    """

    read_at: Utc
    entries: tuple[Review, ...]
    total: int
    use_known: bool


class EditForm(EditRequest):
    """The same from a form, with what the page showed."""

    seen: Annotated[str, StringConstraints(max_length=200)]
    token: str


async def allowlist(
    console: ConsoleDep,
    search: Annotated[str, Query(max_length=256, description="In account, id, owner, ticket or reason.")] = "",
) -> EntryList:
    """Every entry with its state, or those that have a text."""
    every = await entries.read_entries(console.services, await last_self_check(console.self_checks))
    found = entries.matching(every, search) if search.strip() else every
    found = await mark_unused(found, console.services)
    return EntryList(read_at=console.services.clock(), entries=tuple(found), total=len(every))


async def allowlist_entry(console: ConsoleDep, object_id: ObjectId) -> Entry:
    """One entry with its history. 404 where there never was one."""
    entry = await entries.read_entry(object_id, console.services, await last_self_check(console.self_checks))
    changes = history([line async for line in console.services.ledger.log(object_id)])
    if entry is not None:
        [entry] = await mark_unused([entry], console.services)
    elif not changes:
        raise NotFoundError(f"{object_id} is not on the allowlist, and never was.")
    return Entry(
        read_at=console.services.clock(),
        object_id=object_id,
        entry=entry,
        history=tuple(changes),
        inspected=await console.services.inspections.of(object_id),
    )


async def allowlist_review(
    console: ConsoleDep,
    *,
    every: Annotated[bool, Query(alias="all", description="Include entries that are not due.")] = False,
) -> ReviewList:
    """The entries whose review is due, each with a proposal: keep, extend, remove, or fix."""
    found = await review(console.services, await last_self_check(console.self_checks))
    return ReviewList(
        read_at=console.services.clock(),
        entries=tuple(each for each in found if every or each.due),
        total=len(found),
        use_known=await entries.read_baseline(console.services) is not None,
    )


async def allowlist_plan(
    console: ConsoleDep, who: PrincipalDep, object_id: ObjectId, action: Action, wanted: Annotated[Wanted, Query()]
) -> Edit:
    """What an edit would change, and what it means for the account. Nothing is changed."""
    return await _plan(console, who, object_id, action, wanted)


def tag_of(shown: Edit | Entry) -> str:
    """Return what stands for the row that a person was shown."""
    row = shown.before if isinstance(shown, Edit) else shown.entry
    return row_tag(row.etag if row else None)


def row_tag(etag: str | None) -> str:
    """Return a short name of an ETag; of no row, too."""
    return hashlib.sha256((etag or "none").encode()).hexdigest()[:32]


@forms.post("/allowlist/{object_id}/approve")
async def approve_by_form(
    change: Editor, console: ConsoleDep, object_id: ObjectId, asked: Annotated[ApprovalForm, Form()]
) -> RedirectResponse:
    """Send the approval of the entry that the person was shown."""
    message = await _approve(console, change, object_id, asked, seen=asked.seen)
    return RedirectResponse(f"/allowlist/{object_id}?sent={message.message_id}", status_code=303)


@api.post("/allowlist/{object_id}/approve", status_code=202, operation_id="approve_entry")
async def approve(
    change: Editor,
    console: ConsoleDep,
    object_id: ObjectId,
    asked: Annotated[ApprovalRequest, Body()],
    if_match: Annotated[Tag, Header(description="The ETag of the entry, as it was read.")],
) -> ApprovalSent:
    """Send the approval of the entry that ``If-Match`` names.

    It counts once the responder has carried it out.
    """
    message = await _approve(console, change, object_id, asked, seen=if_match)
    return ApprovalSent(message_id=message.message_id, not_after=message.not_after)


@forms.post("/allowlist/{object_id}/{action}")
async def edit_by_form(
    request: Request,
    change: Editor,
    console: ConsoleDep,
    object_id: ObjectId,
    action: Action,
    asked: Annotated[EditForm, Form()],
) -> Response:
    """Make the edit that the person was shown, and show the entry again. What they typed survives a conflict."""
    try:
        await _make(console, change, object_id, action, asked, seen=asked.seen)
    except ConflictError as problem:
        typed = {name: text for name in Wanted.model_fields if (text := getattr(asked, name))}
        again = f"/allowlist/{object_id}/plan/{action}?{urlencode(typed)}"
        known: dict[str, Any] = {"title": "Not possible", "sentence": str(problem), "code": 412, "menu": ()}
        return render(request, "problem.html", status=412, again=again, reason=asked.reason, **known)
    return RedirectResponse(f"/allowlist/{object_id}?sent=edit", status_code=303)


@api.post("/allowlist/{object_id}/{action}", operation_id="edit_allowlist")
async def edit(
    change: Editor,
    console: ConsoleDep,
    object_id: ObjectId,
    action: Action,
    asked: Annotated[EditRequest, Body()],
    if_match: Annotated[Tag, Header(description="The ETag of the plan, as it was read.")],
) -> Made:
    """Make an edit of the row that ``If-Match`` names."""
    return await _make(console, change, object_id, action, asked, seen=if_match)


async def _make(
    console: Console, change: Change, object_id: str, action: Action, asked: EditRequest, *, seen: str
) -> Made:
    planned = await _plan(console, change.principal, object_id, action, asked)
    if tag_of(planned) != seen:
        raise ConflictError(edits.not_as_read(planned))
    via: Any = "console" if change.kind is Kind.FORM else "api"
    made = await edits.make(planned, console.services, author=change.principal.author, via=via, reason=asked.reason)
    write_line("console_change", kind=f"allowlist_{action}", target=object_id, author=change.principal.object_id)
    return made


async def _approve(
    console: Console, change: Change, object_id: str, asked: ApprovalRequest, *, seen: str
) -> DecisionMessage:
    author = change.principal.author
    entry, message = await prepare_approval(object_id, console.services, reason=asked.reason, author=author)
    if row_tag(entry.etag) != seen:
        raise ConflictError("The entry has changed since you read it. Nothing was sent. Read it again and decide.")
    message = message.model_copy(update={"message_id": change.message_id})
    await send_once(message, console, change)
    return message


async def _plan(console: Console, who: Principal, object_id: str, action: Action, wanted: Wanted) -> Edit:
    services, author = console.services, who.author
    texts = wanted.model_dump(include=set(Fields.model_fields) - {"expires_at"})
    expires = expiry_of(wanted.expires) if wanted.expires else None
    if wanted.expires and expires is None:
        raise RefusedError(f"{wanted.expires} is not a date. Use YYYY-MM-DD, the last valid day.")
    match action:
        case "add":
            if expires is None or not wanted.account:
                raise RefusedError("An entry needs the account's user principal name and the last valid day.")
            if not ADDRESS.fullmatch(wanted.account) or text_problem("account", wanted.account):
                raise RefusedError(
                    f"{wanted.account!r:.80} is not a user principal name; use one such as app@contoso.com."
                )
            account = await _account(object_id, console)
            return await edits.plan_add(account, Fields(**texts, expires_at=expires), services, author=author)
        case "set":
            given: dict[str, Any] = {name: text for name, text in texts.items() if text}
            return await edits.plan_set(
                object_id, given | ({"expires_at": expires} if expires else {}), services, author=author
            )
        case "remove":
            return await edits.plan_remove(object_id, services, author=author)
        case "keep":
            return await edits.plan_keep(object_id, services, author=author)
        case "undo":
            return await edits.plan_undo(object_id, services, author=author)


async def _account(object_id: str, console: Console) -> Account:
    """Return the account as Entra has it, which the responder has to have answered. Raises RefusedError."""
    found = await console.services.inspections.of(object_id)
    if found is None or found.problem or not is_current(found, console.services.clock()):
        why = f" It could not be read: {found.problem}" if found and found.problem else ""
        raise RefusedError(
            f"The console does not know whose account {object_id} is.{why} Ask the responder, then add the entry: "
            f"/accounts/{object_id}, or POST {API}/accounts/{object_id}/inspect."
        )
    if found.account is None:
        raise RefusedError(
            f"No account of this tenant has the object id {object_id}, as of {found.at:%Y-%m-%d %H:%MZ}."
        )
    return found.account
