"""The routes of all pages and of their twins in the API, made from the table of pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from bypass_responder.console.access import API, require
from bypass_responder.console.context import ConsoleDep
from bypass_responder.console.form_fields import form_fields
from bypass_responder.console.pages import FIRST, PAGES
from bypass_responder.console.principal import Role
from bypass_responder.console.rendering import render
from bypass_responder.model.message import Guid
from bypass_responder.operating.allowlist.csv_file import write_file
from bypass_responder.operating.allowlist.entries import read_entries

if TYPE_CHECKING:
    from bypass_responder.console.pages import Page

READER = [Depends(require(Role.READ))]
public = APIRouter(include_in_schema=False)
pages = APIRouter(include_in_schema=False, dependencies=READER)
api = APIRouter(prefix=API, dependencies=READER)


def _add(page: Page) -> None:
    async def html(request: Request, view: Any = Depends(page.read)) -> HTMLResponse:  # noqa: ANN401, B008 - FastAPI's way
        known = {"view": view, "title": page.title, "menu": PAGES, "seen": page.tag(view)}
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
async def add(request: Request, object_id: Guid) -> RedirectResponse:
    """Go to the page that shows what an entry for this account would mean."""
    fields = request.url.remove_query_params("object_id").query
    return RedirectResponse(f"/allowlist/{object_id}/plan/add?{fields}", status_code=303)


@pages.get("/allowlist.csv")
async def export(console: ConsoleDep) -> PlainTextResponse:
    """Return the allowlist as CSV, as `bypassctl allowlist import` reads it. Formulas are defused."""
    text = write_file(await read_entries(console.services))
    headers = {"content-disposition": 'attachment; filename="allowlist.csv"'}
    return PlainTextResponse(text, media_type="text/csv", headers=headers)


@public.get("/welcome")
async def welcome(request: Request) -> HTMLResponse:
    """Show the public page, which leads to the sign-in."""
    return render(request, "welcome.html", title="Sign in", menu=())


for _page in PAGES:  # after the fixed addresses, which a parameter would match too
    _add(_page)
