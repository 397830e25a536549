"""The queries name the cmdlets and parameters that detection reads, and the window."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bypass_responder.model.feed import Window
from bypass_responder.model.operation import BYPASS_OPERATION, FAMILY_OPERATIONS
from bypass_responder.sensing.hunting.query import ELSEWHERE, OPERATIONS, any_row_query, records_query

END = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = Window(start=END - timedelta(hours=24), end=END)


def test_every_operation_that_detection_reads_is_asked_for() -> None:
    assert {BYPASS_OPERATION, *FAMILY_OPERATIONS} == set(OPERATIONS)


def test_operations_outside_of_exchange_are_asked_for_in_any_application() -> None:
    assert 'or ActionType in~ ("New-UnifiedAuditLogRetentionPolicy", ' in records_query(DAY)
    assert "Set-Mailbox" not in ELSEWHERE


def test_a_cmdlet_of_every_day_is_asked_for_with_the_parameters_of_auditing_alone() -> None:
    assert '"Set-Mailbox", "Update user.") or P has_any ("AuditDisabled", ' in records_query(DAY)


def test_the_window_is_in_the_query() -> None:
    within = "Timestamp >= datetime(2026-03-01T09:00:00.000000Z) and Timestamp < datetime(2026-03-02T09:00:00.000000Z)"

    assert within in records_query(DAY)
    assert within in any_row_query(DAY)


def test_the_query_selects_no_value() -> None:
    assert "true" not in records_query(DAY).casefold()
