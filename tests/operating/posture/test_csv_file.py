"""The CSV: the six columns of the widely used script first, then ours."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest

from bypass_responder.operating.posture.csv_file import csv_lines
from bypass_responder.operating.posture.report import Exemption, PostureReport
from bypass_responder.posture.filter import RowFilter
from tests.operating.posture.reports import ARCHIVE, partial, read_at, report_of, with_archive
from tests.posture.mailboxes import ALL, CASES, OWNER, listed, object_id

CASE = {case.what: case for case in CASES}


def rows_of(report: PostureReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(report)), newline="")))


def test_it_begins_with_the_six_columns() -> None:
    header = next(csv_lines(report_of()))

    assert header.split(",")[:6] == [
        "Display Name",
        "Audit By Pass Enabled",
        "Logon type with Default Audit Set",
        "Owner",
        "Admin",
        "Delegate",
    ]


def test_the_six_columns_are_what_the_script_gives() -> None:
    """Of all possible actions, those that are in no list; the default set joined by commas."""
    [row] = rows_of(report_of(CASES[0]))

    assert list(row.values())[:6] == [
        "Alex Example 0",
        "False",
        "Admin,Delegate,Owner",
        "Create,MailboxLogin,Move,RecordDelete,SearchQueryInitiated,UpdateComplianceTag",
        "Copy,FolderBind,Move,RecordDelete,UpdateComplianceTag",
        "FolderBind,Move,RecordDelete,UpdateComplianceTag",
    ]


def test_a_dash_stands_for_none() -> None:
    [row] = rows_of(report_of(CASE["all that is possible"]))

    assert list(row.values())[2:6] == ["-", "-", "-", "-"]


def test_ours_follow() -> None:
    [row] = rows_of(report_of(CASE["bypassed, and reads not recorded"], watched=(object_id(0),)))

    assert (
        row
        | {
            "Object Id": object_id(0),
            "User Principal Name": "user0@contoso.com",
            "Type": "UserMailbox",
            "Effectively Audited": "no",
            "Missing Microsoft Default": "Owner: MailItemsAccessed",
            "Audit Log Age Limit": "90 days",
            "License": "standard",
            "Watched": "yes",
            "Read At": "2026-03-01T00:00:00Z",
            "Baseline": "microsoft-2026-06-24",
            "Read Complete": "yes",
        }
        == row
    )
    assert row["Why"].startswith("its account is bypassed")


def test_a_group_has_no_values_to_believe() -> None:
    [row] = rows_of(report_of(CASE["a group with empty lists: the values are not true"]))

    assert row["Owner"] == "fixed by Microsoft"


def test_what_was_not_read_is_no_dash() -> None:
    [row] = rows_of(report_of(CASE["nothing of the settings read"]))

    assert (row["Owner"], row["Logon type with Default Audit Set"]) == ("not read", "not read")


def test_a_bypassed_account_without_a_mailbox_has_a_row_with_its_ticket() -> None:
    exemptions = {ARCHIVE: Exemption("CHG-7", datetime(2026, 9, 1, tzinfo=UTC))}
    row = rows_of(report_of(read=with_archive(), exemptions=exemptions))[-1]

    assert (row["Display Name"], row["Audit By Pass Enabled"], row["Type"]) == ("svc-archive", "True", "no mailbox")
    assert (row["Allowlist Ticket"], row["Allowlist Expires"]) == ("CHG-7", "2026-09-01T00:00:00Z")


@pytest.mark.parametrize("wanted", [RowFilter(), RowFilter(pinned=True)])
def test_a_partial_read_says_so_in_each_row_and_without_any(wanted: RowFilter) -> None:
    [row] = rows_of(report_of(read=partial(), wanted=wanted))

    assert row["Read Complete"].startswith("no: the worker was throttled")


def test_a_filtered_file_says_so_in_each_row() -> None:
    [row] = rows_of(report_of(CASES[0], wanted=RowFilter(types=("UserMailbox",))))

    assert row["Read Complete"] == "yes; filtered: --type UserMailbox"


def test_a_formula_in_a_name_is_text() -> None:
    read = read_at(CASES[0])
    listed(read)[0] = read.mailboxes[0]._replace(display_name="=cmd|' /C calc'!A0", upn="\x1b[31mx")
    [row] = rows_of(report_of(read=read))

    assert row["Display Name"].startswith("'=")
    assert row["User Principal Name"] == "\\x1b[31mx"


def test_every_mailbox_has_a_row() -> None:
    assert len(rows_of(report_of())) == len(CASES)


def test_the_lists_of_the_sixty_are_complete() -> None:
    """The owner's list of the defaults has what the script would not name."""
    [row] = rows_of(report_of(CASES[0]))

    assert not {*row["Owner"].split(",")} & {*OWNER}
    assert row["Logon type with Default Audit Set"].split(",") == list(ALL)


def test_a_watched_mailbox_that_was_not_read_is_named_in_each_row() -> None:
    [row] = rows_of(report_of(CASES[0], watched=("ceo@contoso.com",)))
    [only] = rows_of(report_of(CASES[0], watched=("ceo@contoso.com",), wanted=RowFilter(pinned=True)))

    assert row["Read Complete"] == "no: watched, not read: ceo@contoso.com"
    assert only["Read Complete"] == "no: watched, not read: ceo@contoso.com; filtered: --pinned"
