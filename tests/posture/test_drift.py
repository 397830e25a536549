"""What counts as a change of a mailbox's settings."""

from __future__ import annotations

from bypass_responder.posture.drift import changes
from bypass_responder.posture.mailbox import Audit

BEFORE = Audit(True, "90.00:00:00", ("Admin", "Owner"), ("Update",), ("Update",), ("Update", "Send"))  # noqa: FBT003 - a property of Exchange


def texts(after: Audit) -> list[str]:
    return [str(each) for each in changes(BEFORE, after)]


def test_order_and_letter_case_are_no_change() -> None:
    assert texts(BEFORE._replace(default_set=("owner", "ADMIN"), owner=("Send", "update"))) == []


def test_a_switch_that_changed_shows_both_values() -> None:
    assert texts(BEFORE._replace(enabled=False)) == ["AuditEnabled True → False"]


def test_of_a_list_what_came_and_went_is_shown() -> None:
    assert texts(BEFORE._replace(owner=("Update", "Create"))) == ["AuditOwner -Send, +Create"]


def test_what_one_of_the_reads_lacks_is_no_change() -> None:
    lacking = BEFORE._replace(owner=None, age_limit=None)

    assert (texts(lacking), changes(lacking, BEFORE)) == ([], ())
