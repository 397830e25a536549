"""Which rows are shown."""

from __future__ import annotations

import pytest

from bypass_responder.errors import RefusedError
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
            [case.what for case in CASES if "MailItemsAccessed" in case.issues or case.audited != "yes"],
        ),
        (
            RowFilter(missing=("MailItemsAccessed", "HardDelete")),
            [
                case.what
                for case in CASES
                if "MailItemsAccessed" in case.missing or "HardDelete" in case.missing or case.audited != "yes"
            ],
        ),
        (
            RowFilter(types=("RoomMailbox",), not_audited=True),
            ["AuditEnabled off for a room", "AuditEnabled not read for a room"],
        ),
    ],
)
def test_a_filter_leaves_the_rows_that_fit_every_condition(wanted: RowFilter, expected: list[str]) -> None:
    numbers = {int(row.mailbox.upn.removeprefix("user").partition("@")[0]) for row in wanted.of(ROWS)}

    assert {CASES[number].what for number in numbers} == {*expected}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (RowFilter(missing=("MailItemAccessed",)), "Did you mean MailItemsAccessed?"),
        (RowFilter(missing=("messagebind",)), "Ask for MailItemsAccessed"),
        (RowFilter(types=("usermailboxes",)), "Did you mean UserMailbox?"),
        (RowFilter(types=("xyz",)), "There are DiscoveryMailbox,"),
    ],
)
def test_what_there_is_not_is_refused_with_the_nearest(wanted: RowFilter, words: str) -> None:
    with pytest.raises(RefusedError, match=words.replace("?", r"\?")):
        wanted.require_known(measures().possible, ())


def test_a_type_that_only_a_mailbox_has_is_known() -> None:
    wanted = RowFilter(types=("newmailbox",), missing=("mailitemsaccessed",), pinned=True, not_audited=True)
    wanted.require_known(measures().possible, ("NewMailbox",))

    assert wanted.text == "--type newmailbox --missing mailitemsaccessed --pinned --not-audited"
