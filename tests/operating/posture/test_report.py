"""The sentence that a report begins with, and whether it is clean."""

from __future__ import annotations

from typing import Any

import pytest

from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import compare
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.organization import Organization
from tests.operating.posture.reports import NOW, partial, read_at, report_of
from tests.posture.mailboxes import CASES, listed

CASE = {case.what: case for case in CASES}


def off() -> PostureReport:
    read = read_at(CASES[0])
    read.organization = Organization(audit_disabled=True, ingestion_enabled=True)
    return report_of(read=read)


def of_audit(**settings: Any) -> PostureReport:
    """A report of a mailbox with nothing to fix, but for these settings."""
    read = read_at(CASES[0])
    [mailbox] = listed(read)
    read.mailboxes = [mailbox._replace(audit=mailbox.audit._replace(**settings))]
    return report_of(read=read)


@pytest.mark.parametrize(
    ("report", "beginning", "clean"),
    [
        (report_of(CASES[0]), "Clean: 1 mailbox records", True),
        (report_of(CASES[2]), "Needs attention: 1 pinned.", False),
        (report_of(CASES[27]), "Needs attention: 1 not audited, 1 bypassed account.", False),
        (
            report_of(CASE["entries kept for no time"]),
            "Needs attention: 1 with a short age limit.",
            False,
        ),
        (report_of(read=partial()), "PARTIAL READ", False),
        (report_of(CASES[0], watched=("ceo@contoso.com",)), "Needs attention: 1 watched but not read.", False),
        (of_audit(default_set=None), "Needs attention: 1 with settings that were not read.", False),
        (of_audit(age_limit="soon"), "Needs attention: 1 with settings that were not read.", False),
        (off(), "NOT AUDITED: auditing is off for the organization", False),
    ],
)
def test_the_state_says_what_matters_most(report: PostureReport, beginning: str, clean: bool) -> None:
    assert report.state.startswith(beginning)
    assert report.clean is clean


def test_an_organization_that_does_not_audit_outranks_a_partial_read_and_both_are_named() -> None:
    read = partial()
    read.organization = Organization(audit_disabled=True, ingestion_enabled=True)
    state = report_of(read=read).state

    assert state.startswith("NOT AUDITED")
    assert "PARTIAL READ" in state


def test_a_filter_makes_no_partial_read_clean() -> None:
    assert not report_of(read=partial(), wanted=RowFilter(pinned=True)).clean


def test_a_filter_decides_the_numbers() -> None:
    assert report_of(wanted=RowFilter(types=("GroupMailbox",))).summary.mailboxes == 3


def test_a_filter_is_named_and_shows_nobody_clean() -> None:
    shown = report_of(CASES[0], wanted=RowFilter(types=("UserMailbox",))).state
    empty = report_of(CASES[0], wanted=RowFilter(pinned=True)).state

    assert shown.endswith("Only of what the filter shows: --type UserMailbox.")
    assert empty == "No mailbox is shown. Only of what the filter shows: --pinned."


def test_a_mailbox_with_all_that_cis_wants_is_clean_by_cis_and_pinned_by_microsoft() -> None:
    read = read_at(CASE["all that CIS wants"])
    read.mailboxes = [each._replace(audit=each.audit._replace(age_limit="365.00:00:00")) for each in listed(read)]
    by_cis, by_microsoft = (PostureReport(compare(read, measures(name)), NOW) for name in ("cis", "microsoft"))

    assert (by_cis.clean, by_microsoft.clean) == (True, False)
    assert by_cis.summary.pinned == by_microsoft.summary.pinned == 1
