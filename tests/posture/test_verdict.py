"""What each of sixty mailboxes records, as a person wrote it down."""

from __future__ import annotations

import pytest

from bypass_responder.operating.posture.report import missing_text
from bypass_responder.posture.baseline import Kind, License, measures
from bypass_responder.posture.comparison import compare
from bypass_responder.posture.comparison_row import MailboxPosture
from bypass_responder.posture.organization import Organization
from bypass_responder.posture.verdict import Audited, Issue, Judge
from tests.posture.mailboxes import CASES, OF_CIS, ON, Case, a_read, listed, pinned_of


def posture_of(case: Case, *, organization: Organization = ON, chosen: str = "microsoft") -> MailboxPosture:
    [row] = compare(a_read((case,), organization=organization), measures(chosen)).rows
    return row


def test_there_are_sixty_and_each_is_another_one() -> None:
    assert len({case._replace(what="") for case in CASES}) == 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_mailbox_is_judged_as_expected(case: Case) -> None:
    verdict = posture_of(case).verdict

    assert verdict.audited.value == case.audited
    assert "; ".join(verdict.issues) == case.issues
    assert verdict.pinned == pinned_of(case)
    assert missing_text(verdict, Kind.MICROSOFT) == case.missing


@pytest.mark.parametrize("case", [case for case in CASES if case.missing_cis], ids=lambda case: case.what)
def test_a_mailbox_is_compared_with_cis_as_expected(case: Case) -> None:
    assert missing_text(posture_of(case).verdict, Kind.CIS) == case.missing_cis


@pytest.mark.parametrize("case", [case for case in CASES if case.audited != "yes"], ids=lambda case: case.what)
def test_no_and_unknown_say_why(case: Case) -> None:
    assert posture_of(case).verdict.why[0]


def test_cis_wants_more_of_a_user_with_the_default_set() -> None:
    verdict = posture_of(CASES[0], chosen="cis").verdict

    assert verdict.issues == (Issue.MISSING, Issue.SHORT_AGE_LIMIT)
    assert missing_text(verdict, Kind.CIS) == OF_CIS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_the_switch_of_the_organization_outranks_everything(case: Case) -> None:
    off = Organization(audit_disabled=True, ingestion_enabled=True)
    verdict = posture_of(case, organization=off).verdict

    assert verdict.audited is Audited.NO
    assert verdict.issues[0] is Issue.ORGANIZATION_OFF
    assert Issue.BYPASSED not in verdict.issues
    assert "AuditDisabled" in verdict.why[0]


def test_without_ingestion_nothing_is_in_the_audit_log() -> None:
    verdict = posture_of(CASES[0], organization=Organization(audit_disabled=False, ingestion_enabled=False)).verdict

    assert verdict.audited is Audited.NO
    assert "UnifiedAuditLogIngestionEnabled" in verdict.why[0]


def test_switches_that_were_not_read_leave_it_open() -> None:
    verdict = posture_of(CASES[0], organization=Organization()).verdict

    assert verdict.audited is Audited.UNKNOWN


def test_bypasses_that_were_not_read_leave_it_open() -> None:
    read = a_read((CASES[0],))
    read.bypassed = None
    [row] = compare(read, measures()).rows

    assert row.verdict.audited is Audited.UNKNOWN
    assert row.bypassed is None


def test_before_2024_a_license_without_premium_has_no_reads_to_record() -> None:
    reads_missing = CASES[7]

    then = posture_of(reads_missing, chosen="microsoft-2023-10-01").verdict
    now = posture_of(reads_missing).verdict

    assert not then.lacks("MailItemsAccessed", Kind.MICROSOFT)
    assert now.lacks("MailItemsAccessed", Kind.MICROSOFT)


def test_any_number_of_age_limits_has_few_verdicts() -> None:
    judge = Judge(ON, measures())
    [mailbox] = listed(a_read((CASES[0],)))
    verdicts = [
        judge(mailbox._replace(audit=audit), bypassed=False)
        for audit in [mailbox.audit._replace(age_limit=f"{days}.00:00:00") for days in range(60, 120)]
    ]

    assert len({id(each) for each in verdicts}) == 2


def test_a_pinned_logon_type_is_nothing_to_fix_by_a_baseline_that_needs_a_custom_list() -> None:
    pinned = posture_of(CASES[2]).verdict
    by_cis = posture_of(CASES[2], chosen="cis").verdict

    assert (Issue.PINNED in pinned.issues, Issue.PINNED in by_cis.issues) == (True, False)
    assert by_cis.pinned == pinned.pinned


def test_the_reasons_that_do_not_decide_follow_the_one_that_does() -> None:
    read = a_read((next(case for case in CASES if case.what == "bypassed, and reads not recorded"),))
    [row] = compare(read, measures()).rows

    assert [text.partition(":")[0] for text in row.verdict.why] == [
        "its account is bypassed",
        "not every action of the baseline is recorded for Owner",
    ]


def test_the_worst_of_what_is_audited_ranks_first() -> None:
    ranks = [posture_of(case).verdict.rank for case in (CASES[7], CASES[2], CASES[0])]

    assert ranks == sorted({*ranks})


def test_a_judge_remembers_the_license_as_well() -> None:
    judge = Judge(ON, measures("microsoft-2023-10-01"))
    [mailbox] = listed(a_read((CASES[7],)))
    found = [
        judge(mailbox._replace(license=license_), bypassed=False).lacks("MailItemsAccessed", Kind.MICROSOFT)
        for license_ in (License.PREMIUM, License.STANDARD)
    ]

    assert found == [True, False]


@pytest.mark.parametrize(("chosen", "is_missing"), [("microsoft", True), ("possible", False)])
def test_an_age_limit_is_missing_only_where_the_baseline_has_one(chosen: str, is_missing: bool) -> None:
    [mailbox] = listed(a_read((CASES[0],)))
    unread = mailbox._replace(audit=mailbox.audit._replace(age_limit=None))
    verdict = Judge(ON, measures(chosen))(unread, bypassed=False)

    assert (Issue.NOT_READ in verdict.issues) == is_missing
