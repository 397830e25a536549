"""Which rows are shown."""

from __future__ import annotations

import pytest

from bypass_responder.posture.baseline import measures
from bypass_responder.posture.comparison import compare
from bypass_responder.posture.filter import RowFilter
from tests.posture.mailboxes import CASES, a_read

ROWS = compare(a_read(), measures()).rows


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (RowFilter(), [case.what for case in CASES]),
        (RowFilter(types=("sharedmailbox",)), [case.what for case in CASES if case.type == "SharedMailbox"]),
        (RowFilter(pinned=True), [case.what for case in CASES if case.pinned]),
        (RowFilter(not_audited=True), [case.what for case in CASES if case.audited != "yes"]),
        (
            RowFilter(missing=("mailitemsaccessed",)),
            [case.what for case in CASES if "MailItemsAccessed" in case.issues],
        ),
        (RowFilter(missing=("Nothing",)), []),
        (
            RowFilter(types=("RoomMailbox",), not_audited=True),
            ["AuditEnabled off for a room", "AuditEnabled not read for a room"],
        ),
    ],
)
def test_a_filter_leaves_the_rows_that_fit_every_condition(wanted: RowFilter, expected: list[str]) -> None:
    numbers = {int(row.mailbox.upn.removeprefix("user").partition("@")[0]) for row in wanted.of(ROWS)}

    assert {CASES[number].what for number in numbers} == {*expected}
