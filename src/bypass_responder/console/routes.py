"""The routes of all pages and of their twins in the API, made from the table of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from bypass_responder.console.access import API, is_api, require
from bypass_responder.console.context import ConsoleDep
from bypass_responder.console.form_fields import form_fields
from bypass_responder.console.pages import FIRST, PAGES, Subject
from bypass_responder.console.principal import Role
from bypass_responder.console.rendering import render
from bypass_responder.model.base import guid_or_none
from bypass_responder.model.case import TENANT_TARGET
from bypass_responder.model.decision_message import LONGEST_ASKED
from bypass_responder.model.message import Guid
from bypass_responder.operating.allowlist.csv_file import write_file
from bypass_responder.operating.allowlist.entries import read_entries
from bypass_responder.operating.allowlist.import_lookup import is_current
from bypass_responder.operating.decide import recorded_outcome
from bypass_responder.operating.overview.account_log import read_whole_log
from bypass_responder.operating.overview.log_csv import log_csv

if TYPE_CHECKING:
    from bypass_responder.console.pages import Page

READER = [Depends(require(Role.READ))]
public = APIRouter(include_in_schema=False)
pages = APIRouter(include_in_schema=False, dependencies=READER)
api = APIRouter(prefix=API, dependencies=READER)


def _add(page: Page) -> None:
    async def html(
        request: Request,
        console: ConsoleDep,
        view: Any = Depends(page.read),  # noqa: ANN401, B008 - FastAPI's way
    ) -> HTMLResponse:
        sent, target = guid_or_none(request.query_params.get("sent", "")), page.target(view)
        outcome = await recorded_outcome(target, sent, console.services) if sent and target else None
        known = {"view": view, "title": page.title, "menu": PAGES, "seen": page.tag(view), "outcome": outcome}
        return render(request, page.template, **known, **form_fields(request))

    async def as_json(response: Response, view: Any = Depends(page.read)) -> Any:  # noqa: ANN401, B008 - FastAPI's way
        if tag := page.tag(view):
            response.headers["etag"] = f'"{tag}"'
        return view

    name = page.read.__name__
    pages.add_api_route(page.path, html, name=f"{name}_page", methods=["GET"])
    api.add_api_route(
        page.path,
        as_json,
        name=name,
        operation_id=name,
        summary=page.title,
        description=page.read.__doc__ or "",
        methods=["GET"],
        response_model=page.shows,
    )


@pages.get("/")
async def home() -> RedirectResponse:
    """Go to the first page."""
    return RedirectResponse(FIRST, status_code=303)


@pages.get("/allowlist/add")
async def add(
    request: Request,
    console: ConsoleDep,
    account: Annotated[str, Query(min_length=1, max_length=LONGEST_ASKED)],
    object_id: Guid | Literal[""] = "",
) -> Response:
    """Go to the page that shows what an entry for this account would mean, once the account is known."""
    found = await console.services.inspections.of(object_id or account)
    known = found.account if found and is_current(found, console.services.clock()) else None
    if known is None:
        names: dict[str, Any] = {
            "found": found,
            "name": object_id or account.strip(),
            "title": "Add an allowlist entry",
            "menu": PAGES,
        }
        return render(request, "allowlist_add.html", **names, **form_fields(request))
    fields = request.url.remove_query_params("object_id").include_query_params(account=known.user_principal_name).query
    return RedirectResponse(f"/allowlist/{known.object_id}/plan/add?{fields}", status_code=303)


@pages.get("/allowlist/import")
async def import_page(request: Request) -> HTMLResponse:
    """Show the form that uploads a file."""
    known: dict[str, Any] = {"title": "Import into the allowlist", "menu": PAGES}
    return render(request, "allowlist_import.html", **known, **form_fields(request))


@pages.get("/allowlist.csv")
@api.get(
    "/allowlist.csv",
    summary="Export of the allowlist",
    operation_id="export_allowlist",
    response_class=PlainTextResponse,
)
async def export(request: Request, console: ConsoleDep) -> Response:
    """Return the allowlist as CSV, as `bypassctl allowlist import` reads it. Formulas are defused."""
    text = write_file(await read_entries(console.services))
    return _csv(request, text, "allowlist.csv")


@pages.get("/log.csv")
@api.get("/log.csv", summary="Export of the log", operation_id="export_log", response_class=PlainTextResponse)
async def export_log(request: Request, console: ConsoleDep, subject: Subject = TENANT_TARGET) -> Response:
    """Return the log of an incident, an account or the tenant as CSV, with the hashes of its chain."""
    text = log_csv(await read_whole_log(subject, console.services))
    return _csv(request, text, "response-log.csv")


def _csv(request: Request, text: str, name: str) -> Response:
    """Return a file to download. For people it begins with a BOM: without one, Excel takes UTF-8 for Windows-1252."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text.encode("utf-8" if is_api(request) else "utf-8-sig"), media_type="text/csv", headers=headers)


@public.get("/welcome")
async def welcome(request: Request) -> HTMLResponse:
    """Show the public page, which leads to the sign-in."""
    return render(request, "welcome.html", title="Sign in", menu=())


for _page in PAGES:  # after the fixed addresses, which a parameter would match too
    _add(_page)
