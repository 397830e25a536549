"""A report as one HTML file without scripts, that loads nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from bypass_responder.model.base import moment
from bypass_responder.operating.standalone_page import environment

if TYPE_CHECKING:
    from datetime import datetime

    from jinja2 import Environment

    from bypass_responder.operating.report.incident_report import IncidentReport


@cache
def _environment() -> Environment:
    return environment("bypass_responder.operating.report", moment=_moment)


def _moment(at: datetime | None) -> str:
    return moment(at) if at else "not known"


def page(report: IncidentReport) -> str:
    """Return the page. Every text of the incident is escaped."""
    return _environment().get_template("report.html").render(report=report, view=report.incident)
