"""A comparison in numbers."""

from __future__ import annotations

from collections import Counter

import pytest

from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import compare
from bypass_responder.posture.fixes import FIXES
from bypass_responder.posture.mailbox import Bypassed
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.summary import Summary, summarize
from bypass_responder.posture.verdict import Issue
from tests.posture.mailboxes import CASES, Case, a_read

CLEAN = (CASES[0], CASES[1])


def summary_of(*cases: Case, organization: Organization | None = None) -> Summary:
    read = a_read(cases or CASES)
    read.organization = organization or read.organization
    return summarize(compare(read, measures()))


def test_the_numbers_of_the_sixty() -> None:
    found, answers = summary_of(), Counter(case.audited for case in CASES)

    assert (found.audited, found.not_audited, found.unknown) == (answers["yes"], answers["no"], answers["unknown"])
    assert found.pinned == sum(bool(case.pinned) for case in CASES)
    assert found.missing_mail_reads == sum("MailItemsAccessed" in case.missing for case in CASES)
    assert found.bypassed == sum(bool(case.bypassed) for case in CASES)
    assert found.by_type == dict(Counter(case.type or "not read" for case in CASES))


def test_a_complete_read_without_anything_to_fix_is_clean() -> None:
    assert summary_of(*CLEAN).clean


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.audited != "yes" or case.pinned], ids=lambda each: each.what
)
def test_what_is_to_be_fixed_is_not_clean(case: Case) -> None:
    assert not summary_of(case).clean


def test_a_partial_read_is_never_clean() -> None:
    read = a_read(CLEAN)
    read.problem("the worker was throttled")

    assert not summarize(compare(read, measures())).clean


@pytest.mark.parametrize(
    "organization", [Organization(), Organization(audit_disabled=True, ingestion_enabled=True)], ids=["not read", "off"]
)
def test_the_organization_keeps_it_from_being_clean(organization: Organization) -> None:
    assert not summary_of(*CLEAN, organization=organization).clean


def test_every_issue_has_a_meaning_and_a_fix() -> None:
    assert list(FIXES) == list(Issue)


def test_a_bypassed_account_without_a_mailbox_is_not_clean() -> None:
    read = a_read(CLEAN)
    read.bypassed = [Bypassed("0c0c0c0c-0000-4000-8000-000000000001", None, "svc-archive")]
    found = summarize(compare(read, measures()))

    assert (found.bypassed_without_mailbox, found.clean) == (1, False)
