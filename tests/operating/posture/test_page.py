"""The HTML: one file that loads nothing and believes no name."""

from __future__ import annotations

import re

from bypass_responder.operating.posture import page as module
from bypass_responder.operating.posture.page import page
from bypass_responder.posture.filter import RowFilter
from bypass_responder.posture.summary import summarize
from tests.operating.posture.reports import partial, read_at, report_of, with_archive
from tests.posture.mailboxes import CASES, listed, object_id


def test_it_loads_and_runs_nothing() -> None:
    assert not re.search(r"<(script|img|link|iframe)|\b(src|href|on\w+)=", page(report_of()))


def test_markup_in_a_name_is_text() -> None:
    read = read_at(CASES[0])
    listed(read)[0] = read.mailboxes[0]._replace(upn="<script>alert(1)</script>\u202e")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in page(report_of(read=read))


def test_a_partial_read_is_the_first_thing_to_see() -> None:
    shown = page(report_of(read=partial()))

    assert "PARTIAL READ" in shown
    assert "the worker was throttled" in shown
    assert 'class="state"' in shown


def test_only_a_clean_read_is_green() -> None:
    assert 'class="state clean"' in page(report_of(CASES[0]))


def test_watched_mailboxes_have_a_section_of_their_own() -> None:
    shown = page(report_of(watched=(object_id(0), "ceo@contoso.com")))

    assert shown.index("Watched mailboxes") < shown.index("user0@contoso.com") < shown.index("Other mailboxes")
    assert "not among the mailboxes that were read: ceo@contoso.com" in shown


def test_bypassed_accounts_without_a_mailbox_are_listed() -> None:
    assert "svc-archive" in page(report_of(read=with_archive()))


def test_the_trend_has_a_row_for_each_read() -> None:
    report = report_of(CASES[0])

    assert page(report_of(trend=[summarize(report.found)] * 3)).count("2026-03-01 00:00:00Z</td><td>yes") == 3


def test_what_is_left_out_is_counted() -> None:
    shown = page(report_of(*CASES * 20))

    assert shown.count("<tr><td>user") == module.MOST_ROWS
    assert f"{len(CASES) * 20 - module.MOST_ROWS} more mailboxes" in shown


def test_a_filter_is_named() -> None:
    assert "it has 3 of 60 mailboxes" in page(report_of(wanted=RowFilter(types=("GroupMailbox",))))
