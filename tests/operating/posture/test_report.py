"""The sentence that a report begins with, and whether it is clean."""

from __future__ import annotations

import pytest

from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.organization import Organization
from tests.operating.posture.reports import partial, read_at, report_of
from tests.posture.mailboxes import CASES


def off() -> PostureReport:
    read = read_at(CASES[0])
    read.organization = Organization(audit_disabled=True, ingestion_enabled=True)
    return report_of(read=read)


@pytest.mark.parametrize(
    ("report", "beginning", "clean"),
    [
        (report_of(CASES[0]), "Clean: 1 mailbox records", True),
        (report_of(CASES[2]), "Needs attention: 1 pinned.", False),
        (report_of(CASES[27]), "Needs attention: 1 not audited, 1 bypassed account.", False),
        (report_of(next(case for case in CASES if "no time" in case.what)), "Needs attention: a mailbox keeps", False),
        (report_of(read=partial()), "PARTIAL READ", False),
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
