"""Time spans of Exchange."""

from __future__ import annotations

import pytest

from bypass_responder.posture.age_limit import days_of, in_words


@pytest.mark.parametrize(
    ("text", "days", "words"),
    [
        ("90.00:00:00", 90, "90 days"),
        ("00:00:00", 0, "0 days"),
        ("12:00:00", 0.5, "12:00:00"),
        ("1.06:00:00.5", 1.25, "1.06:00:00.5"),
        ("00:00:43.2", 43 / 86400, "00:00:43.2"),
        (" 30 ", 30, "30 days"),
        ("30 days", None, "30 days"),
        ("forever", None, "forever"),
        (None, None, "not read"),
    ],
)
def test_a_time_span_is_read_in_days(text: str | None, days: float | None, words: str) -> None:
    assert (days_of(text), in_words(text)) == (days, words)
