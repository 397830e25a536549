"""A report as one HTML file without scripts, that loads nothing."""

from __future__ import annotations

from functools import cache
from itertools import islice, takewhile
from typing import TYPE_CHECKING

from bypass_responder import __version__
from bypass_responder.model.base import moment
from bypass_responder.operating.posture.overview import to_do
from bypass_responder.operating.posture.report import PostureReport, flag_text, missing_text
from bypass_responder.operating.standalone_page import environment
from bypass_responder.posture.age_limit import in_words

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_ROWS = 1000
"""Mailboxes on the page, the worst first. The other forms have all of them."""


@cache
def _environment() -> Environment:
    package = "bypass_responder.operating.posture"
    return environment(package, moment=moment, missing=missing_text, flag=flag_text, days=in_words)


def page(report: PostureReport) -> str:
    """Return the page. Every text of a mailbox is escaped."""
    watched = list(takewhile(lambda row: row.watched, report.rows))
    rows = list(islice(report.rows, len(watched), len(watched) + MOST_ROWS))
    return (
        _environment()
        .get_template("posture.html")
        .render(
            report=report,
            found=report.found,
            summary=report.summary,
            to_do=to_do(report),
            watched=watched,
            rows=rows,
            left_out=len(report.rows) - len(watched) - len(rows),
            version=__version__,
        )
    )
