"""A report in short."""

from __future__ import annotations

from bypass_responder.operating.posture.overview import LONGEST_TEXT, overview_of
from bypass_responder.posture.mailbox import Bypassed
from tests.operating.posture.reports import ARCHIVE, partial, report_of, with_archive
from tests.posture.mailboxes import CASES, object_id


def test_watched_mailboxes_are_in_it_also_without_an_issue() -> None:
    assert [each.id for each in overview_of(report_of(CASES[0], CASES[1], watched=(object_id(0),))).mailboxes] == [
        object_id(0)
    ]


def test_what_is_left_out_is_counted() -> None:
    found = overview_of(report_of(), most=5)

    assert len(found.mailboxes) == 5
    assert found.left_out == len(overview_of(report_of()).mailboxes) - 5


def test_a_partial_read_is_named() -> None:
    found = overview_of(report_of(read=partial()))

    assert (found.clean, found.problems) == (False, ("the worker was throttled",))


def test_bypassed_accounts_without_a_mailbox_are_in_it() -> None:
    assert [each.id for each in overview_of(report_of(read=with_archive())).without_mailbox] == [ARCHIVE]


def test_accounts_that_are_left_out_are_counted() -> None:
    """Among many decoys the one that matters may be the last."""
    read = with_archive()
    read.bypassed = [Bypassed(f"{number:08x}-0000-4000-8000-000000000000", None, "decoy") for number in range(7)]
    found = overview_of(report_of(read=read), most=5)

    assert (len(found.without_mailbox), found.without_mailbox_left_out) == (5, 2)


def test_long_texts_are_cut_to_fit_into_a_row() -> None:
    read = with_archive()
    read.bypassed = [Bypassed(ARCHIVE, None, "x" * 5000)]

    assert len(overview_of(report_of(read=read)).without_mailbox[0].name) == LONGEST_TEXT
