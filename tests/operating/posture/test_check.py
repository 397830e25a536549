"""What fails a pipeline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bypass_responder.operating.posture.check import failures
from bypass_responder.operating.posture.report import PostureReport
from bypass_responder.posture.organization import Organization
from tests.operating.posture.reports import partial, read_at, report_of
from tests.posture.mailboxes import CASES

DAY = timedelta(days=1)
CASE = {case.what: case for case in CASES}


def off() -> PostureReport:
    read = read_at(CASES[0])
    read.organization = Organization(audit_disabled=True, ingestion_enabled=True)
    return report_of(read=read)


def test_a_clean_and_recent_read_passes() -> None:
    assert failures(report_of(CASES[0]), DAY) == []


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (report_of(read=partial()), "partial read: the worker was throttled"),
        (off(), "auditing is off for the organization"),
        (report_of(CASES[2]), "1 mailbox has a logon type"),
        (report_of(CASE["the owner does not record reads"]), "1 mailbox misses actions of microsoft-2026-06-24"),
        (report_of(CASE["a bypassed user"]), "1 account is bypassed"),
        (report_of(CASE["a type that nobody documents"]), "1 mailbox may not be audited"),
        (report_of(CASE["entries kept for no time"]), "1 mailbox keeps its entries too briefly"),
        (report_of(CASE["age limit not read"]), "1 mailbox has settings that were not read"),
        (report_of(CASES[0], watched=("ceo@contoso.com",)), "1 watched mailbox was not read"),
    ],
)
def test_everything_that_is_not_clean_fails(report: PostureReport, words: str) -> None:
    assert any(words in line for line in failures(report, DAY))


def test_an_old_read_fails_with_its_age() -> None:
    assert failures(report_of(CASES[0]), timedelta(hours=11)) == ["the read is 12.0 h old, more than 11.0 h"]


def test_a_short_age_is_shown_in_minutes() -> None:
    assert failures(report_of(CASES[0]), timedelta(0)) == ["the read is 12.0 h old, more than 0 min"]


def test_every_check_that_fails_is_named() -> None:
    lines = failures(report_of(CASE["entries kept for no time"], CASES[2]), DAY)

    assert [line.partition(" ")[2] for line in lines] == [
        "mailbox has a logon type that Microsoft does not maintain",
        "mailbox keeps its entries too briefly",
    ]


def test_a_read_of_an_unknown_time_fails() -> None:
    read = read_at(CASES[0])
    read.read_at = None

    assert failures(report_of(read=read), DAY) == ["the read has no time"]
