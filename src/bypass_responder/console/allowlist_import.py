"""Import of a CSV file: planned row by row, confirmed once as it was shown, written in parts.

The page of the plan holds the file and the state of each row, so that what is confirmed is what was shown. An import
that is too long for one request says how many rows are left; the same file finishes it.
"""

from __future__ import annotations

import asyncio
import base64
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import StringConstraints
from starlette.datastructures import UploadFile

from bypass_responder.bounded import limited
from bypass_responder.console.access import API, Change, form_of, require_change
from bypass_responder.console.context import Console, ConsoleDep
from bypass_responder.console.decisions import Reason
from bypass_responder.console.form_fields import form_fields
from bypass_responder.console.pages import PAGES
from bypass_responder.console.parameters import Parameters
from bypass_responder.console.principal import Role
from bypass_responder.console.rendering import render
from bypass_responder.errors import InputError, RefusedError
from bypass_responder.event_lines import write_line
from bypass_responder.model.base import Value
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import DecisionKind
from bypass_responder.operating.allowlist.import_file import ImportResult, import_file
from bypass_responder.operating.allowlist.import_plan import ImportPlan, Verdict, plan_import
from bypass_responder.operating.inspect_account import question

if TYPE_CHECKING:
    from starlette.datastructures import FormData

MOST_BYTES = 4 * 1024 * 1024
"""Of an uploaded file: 10,000 rows have about half of it."""
WRITTEN_AT_ONCE = 2_000
"""Rows in one request: it ends long before the host's limit."""
ASKED_AT_ONCE = 100
MOST_SHOWN = 200
LONGEST_REASON = 2000
LONGEST_CONFIRMATION = 100_000
Editor = Annotated[Change, Depends(require_change(Role.ALLOWLIST))]
forms = APIRouter(include_in_schema=False)
api = APIRouter(prefix=API)
ROWS_LEFT_OUT = {"before", "after"}


class ImportFile(Parameters):
    """The text of a CSV file, with the columns of the export."""

    csv: Annotated[str, StringConstraints(max_length=MOST_BYTES)]


class ConfirmedImport(ImportFile):
    """A file whose plan was read.

    ``confirmed``: the ``confirmation`` of the plan. ``reason``: for the history of each entry.
    """

    confirmed: Annotated[str, StringConstraints(max_length=LONGEST_CONFIRMATION)]
    reason: Reason
    skip_rejected: bool = False


class AskedAbout(Value):
    """How many questions were sent, and how many names are left to ask about."""

    sent: int
    left: int


@forms.post("/allowlist/import/plan")
async def plan_by_form(change: Editor, console: ConsoleDep, request: Request) -> HTMLResponse:
    """Show what an import of the uploaded file would do. Nothing is written."""
    upload = (await form_of(request)).get("file")
    if not isinstance(upload, UploadFile):
        raise InputError("file", "no file was sent. Choose a CSV file.")
    data = await upload.read()
    await upload.close()
    return await _shown(request, console, change, _bounded(data))


@forms.post("/allowlist/import/ask")
async def ask_by_form(change: Editor, console: ConsoleDep, request: Request) -> HTMLResponse:
    """Ask the responder whose the names of the file are, and show the plan again."""
    form = await form_of(request)
    data = _content(form)
    asked = await _ask(console, change, data) if _text(form, "again") != "yes" else None
    return await _shown(request, console, change, data, asked=asked)


@forms.post("/allowlist/import")
async def import_by_form(change: Editor, console: ConsoleDep, request: Request) -> HTMLResponse:
    """Write the file that the person was shown, or its next part, and show what is left."""
    form = await form_of(request)
    reason = _text(form, "reason")
    if not reason or len(reason) > LONGEST_REASON:
        raise InputError("reason", f"the reason is missing, or has more than {LONGEST_REASON} characters.")
    data = _content(form)
    skip = _text(form, "skip_rejected") == "yes"
    done = await _import(
        console, change, data, confirmed=_text(form, "confirmed"), reason=reason, skip_rejected=skip, via="console"
    )
    return await _shown(request, console, change, data, done=done, reason=reason, skip=skip)


@api.post(
    "/allowlist/import/plan", operation_id="plan_import", response_model_exclude={"rows": {"__all__": ROWS_LEFT_OUT}}
)
async def plan_of_import(change: Editor, console: ConsoleDep, asked: Annotated[ImportFile, Body()]) -> ImportPlan:
    """Return what an import would do, with a verdict for each row. Nothing is written."""
    return await plan_import(_bounded(asked.csv.encode()), console.services, author=change.principal.author)


@api.post("/allowlist/import/ask", status_code=202, operation_id="ask_about_import")
async def ask_about_import(change: Editor, console: ConsoleDep, asked: Annotated[ImportFile, Body()]) -> AskedAbout:
    """Ask the responder about the names in ``ask`` of the plan, 100 at once.

    Read the plan again in a minute.
    """
    return await _ask(console, change, _bounded(asked.csv.encode()))


@api.post(
    "/allowlist/import",
    operation_id="import_allowlist",
    response_model_exclude={"changed": {"__all__": ROWS_LEFT_OUT}},
)
async def import_entries(
    change: Editor, console: ConsoleDep, asked: Annotated[ConfirmedImport, Body()]
) -> ImportResult:
    """Write up to 2,000 rows of a file whose plan was read. ``left`` rows: send the same again."""
    return await _import(
        console,
        change,
        asked.csv.encode(),
        confirmed=asked.confirmed,
        reason=asked.reason,
        skip_rejected=asked.skip_rejected,
        via="api",
    )


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def _content(form: FormData) -> bytes:
    """Return the file that the page holds."""
    try:
        return _bounded(base64.b64decode(_text(form, "content"), validate=True))
    except ValueError:  # no base64, or no ASCII
        raise InputError("content", "the file did not arrive completely. Upload it again.") from None


def _bounded(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise RefusedError(f"The file has {len(data):,} bytes; at most {MOST_BYTES:,} are read here. Split it.")
    return data


async def _ask(console: Console, change: Change, data: bytes) -> AskedAbout:
    services, author = console.services, change.principal.author
    names = (await plan_import(data, services, author=author)).ask

    async def send(name: str) -> None:
        await services.decisions.send(question(name, services, author=author))

    await asyncio.gather(*map(limited(send), names[:ASKED_AT_ONCE]))
    sent = len(names[:ASKED_AT_ONCE])
    by = change.principal.object_id
    write_line("console_change", kind=DecisionKind.INSPECT_ACCOUNT.value, target=TENANT_TARGET, author=by, count=sent)
    return AskedAbout(sent=sent, left=len(names) - sent)


async def _import(
    console: Console,
    change: Change,
    data: bytes,
    *,
    confirmed: str,
    reason: str,
    skip_rejected: bool,
    via: Literal["console", "api"],
) -> ImportResult:
    done = await import_file(
        _bounded(data),
        console.services,
        confirmed=confirmed,
        author=change.principal.author,
        via=via,
        reason=reason,
        skip_rejected=skip_rejected,
        most=WRITTEN_AT_ONCE,
    )
    author = change.principal.object_id
    write_line("console_change", kind="allowlist_import", target=TENANT_TARGET, author=author, count=done.written)
    return done


async def _shown(
    request: Request,
    console: Console,
    change: Change,
    data: bytes,
    *,
    done: ImportResult | None = None,
    asked: AskedAbout | None = None,
    reason: str = "",
    skip: bool = False,
) -> HTMLResponse:
    """Return the page of a plan, and of what was written of it. The plan is the one of now."""
    plan = await plan_import(data, console.services, author=change.principal.author)
    rows = [*plan.of(Verdict.REJECT), *plan.todo]
    known: dict[str, Any] = {
        "title": "Import into the allowlist",
        "menu": PAGES,
        "plan": plan,
        "rows": rows[:MOST_SHOWN],
        "more": max(0, len(rows) - MOST_SHOWN),
        "done": done,
        "asked": asked,
        "content": base64.b64encode(data).decode(),
        "reason": reason,
        "skip": skip,
    }
    return render(request, "allowlist_import_plan.html", **known, **form_fields(request))
