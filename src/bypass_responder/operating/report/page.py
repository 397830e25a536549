"""A report as one HTML file without scripts, that loads nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bypass_responder.model.base import moment
from bypass_responder.model.record import printable

if TYPE_CHECKING:
    from datetime import datetime

    from bypass_responder.operating.report.incident_report import IncidentReport


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("bypass_responder.operating.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["moment"] = _moment
    return made


def _shown(value: object) -> str:
    """Return a text printable: control characters and marks of direction escaped. Markup is the template's own."""
    return value if isinstance(value, Markup) else printable(str(value))


def _moment(at: datetime | None) -> str:
    return moment(at) if at else "not known"


def page(report: IncidentReport) -> str:
    """Return the page. Every text of the incident is escaped."""
    return _environment().get_template("report.html").render(report=report, view=report.incident)
