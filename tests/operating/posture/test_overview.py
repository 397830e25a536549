"""A report in short."""

from __future__ import annotations

from bypass_responder.operating.posture.overview import overview_of
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
