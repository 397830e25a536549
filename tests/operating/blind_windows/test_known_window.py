"""A window without records: its bounds, and whether a time touches it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.case import TENANT_TARGET, Case
from bypass_responder.model.change import Actor, Outcome
from bypass_responder.model.finding import Evidence
from bypass_responder.model.health import HealthAlert, Tampering
from bypass_responder.model.notification import Severity
from bypass_responder.operating.blind_windows.known_window import KnownWindow, of_tenant, overlapping
from tests.world import START

HOUR = timedelta(hours=1)


def a_window(start: datetime | None = START, end: datetime | None = START + HOUR, **fields: Any) -> KnownWindow:
    defaults: dict[str, Any] = {"name": "alex", "target": "t", "start_known": True, "why": "bypassed", "text": "…"}
    return KnownWindow(start=start, end=end, **(defaults | fields))


@pytest.mark.parametrize(
    ("start", "end", "touches"),
    [
        (-2, -1, False),
        (-2, 0, True),
        (0.2, 0.5, True),
        (1, 2, True),
        (2, 3, False),
        (None, None, True),
        (None, -1, False),
        (2, None, False),
    ],
)
def test_a_time_touches_a_window_with_known_bounds(start: float | None, end: float | None, *, touches: bool) -> None:
    bounds = [START + hours * HOUR if hours is not None else None for hours in (start, end)]

    assert a_window().overlaps(*bounds) is touches


def test_a_window_that_has_not_ended_touches_every_later_time() -> None:
    assert a_window(end=None).overlaps(START + 900 * HOUR, None)


@pytest.mark.parametrize("window", [a_window(start=None), a_window(start_known=False)])
def test_a_window_whose_start_is_unknown_touches_every_earlier_time(window: KnownWindow) -> None:
    assert window.overlaps(None, START - 900 * HOUR)


@given(st.lists(st.integers(-50, 50), min_size=4, max_size=4))
def test_two_times_touch_each_other_or_neither(hours: list[int]) -> None:
    one, other = (sorted(START + hour * HOUR for hour in pair) for pair in (hours[:2], hours[2:]))

    assert a_window(*one).overlaps(*other) is a_window(*other).overlaps(*one)


def test_the_account_itself_is_left_out() -> None:
    assert overlapping([a_window(), a_window(target="u")], None, None, besides="t") == (a_window(target="u"),)


def a_record(hours: int, *, weakens: bool, **fields: Any) -> Tampering:
    defaults: dict[str, Any] = {
        "id": f"t{hours}",
        "occurred_at": START + hours * HOUR,
        "operation": "Set-OrganizationConfig",
        "parameter": "AuditDisabled",
        "value": str(weakens),
        "weakens": weakens,
        "outcome": Outcome.SUCCESS,
        "actor": Actor(),
        "evidence": Evidence(length_bytes=0, sha256=""),
    }
    return Tampering(**(defaults | fields))


def an_alert(since: int, recovered: int | None = None) -> HealthAlert:
    return HealthAlert(
        id="audit_disabled",
        severity=Severity.CRITICAL,
        detail="off",
        advice="undo it",
        since=START + since * HOUR,
        recovered_at=START + recovered * HOUR if recovered is not None else None,
    )


def spans(*rows: Tampering | HealthAlert) -> list[tuple[float, float | None, bool]]:
    case = Case(target=TENANT_TARGET, by_key={row.row_key: row for row in rows if isinstance(row, HealthAlert)})
    return [
        (
            (each.start - START) / HOUR if each.start else 0,
            (each.end - START) / HOUR if each.end else None,
            each.start_known,
        )
        for each in of_tenant(case, [row for row in rows if isinstance(row, Tampering)])
    ]


def test_records_bound_the_time_without_auditing() -> None:
    assert spans(a_record(1, weakens=True), a_record(3, weakens=False)) == [(1, 3, True)]


def test_a_sweep_alone_knows_that_it_did_not_begin_later() -> None:
    assert spans(an_alert(2, 4)) == [(2, 4, False)]


def test_a_record_is_earlier_than_the_sweep_that_saw_it() -> None:
    assert spans(a_record(1, weakens=True), an_alert(2)) == [(1, None, True)]


def test_a_failed_attempt_makes_no_window() -> None:
    assert spans(a_record(1, weakens=True, outcome=Outcome.FAILED)) == []


def test_off_and_on_and_off_again_are_two_windows() -> None:
    rows = (a_record(hour, weakens=hour in {1, 5}) for hour in (1, 3, 5))

    assert spans(*rows) == [(1, 3, True), (5, None, True)]
