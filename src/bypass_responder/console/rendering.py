"""Templates to HTML: everything is escaped and printable, and an unknown name is an error."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bypass_responder import __version__
from bypass_responder.console.timeline_picture import picture
from bypass_responder.console.wording import in_console
from bypass_responder.model.base import counted
from bypass_responder.model.record import printable
from bypass_responder.operating.incidents.ticket import ticket

if TYPE_CHECKING:
    from datetime import datetime

    from fastapi import Request


@cache
def environment() -> Environment:
    """Return the environment of all templates."""
    made = Environment(
        loader=PackageLoader("bypass_responder.console"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["counted"] = counted
    made.filters["moment"] = moment
    made.filters["in_console"] = in_console
    made.filters["iso"] = iso
    made.filters["picture"] = picture
    made.filters["ticket"] = ticket
    made.globals["version"] = __version__
    return made


def _shown(value: object) -> str:
    """Return a text printable, line by line. Markup is the template's own."""
    return value if isinstance(value, Markup) else "\n".join(map(printable, str(value).split("\n")))


def moment(at: datetime | None) -> str:
    """Return a time for people, in UTC to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def iso(at: datetime) -> str:
    """Return a time for the attribute ``datetime``."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _address(request: Request) -> str:
    """Return path and query of the page, without the mark of what was just sent."""
    query = urlencode([(name, value) for name, value in request.query_params.multi_items() if name != "sent"])
    return quote(request.scope["path"], safe="/@") + (f"?{query}" if query else "")


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401 - its names
    """Return a page. Every template knows ``principal``, None on a public page."""

    def next_page(after: str) -> str:
        return f"?{request.url.include_query_params(after=after).query}"

    known = {
        "next_page": next_page,
        "here": _address(request),
        "principal": getattr(request.state, "principal", None),
        "path": request.url.path,
        "query": request.query_params,
    }
    text = environment().get_template(template).render(known | context)
    return HTMLResponse(text, status_code=status)
