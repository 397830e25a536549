"""How long a service asks to wait, as it writes it and as it should not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.retry_after import LONGEST_SECONDS, seconds_to_wait

ANSWERED = "Mon, 02 Mar 2026 08:00:00 GMT"


@pytest.mark.parametrize(
    ("named", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("Mon, 02 Mar 2026 08:01:30 GMT", 90),
        ("Mon, 02 Mar 2026 09:01:30 +0100", 90),
        ("Mon, 02 Mar 2026 07:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_SECONDS),
        ("9" * 400, LONGEST_SECONDS),
        ("", 5),
        ("soon", 5),
        ("-1", 5),
        ("1.5", 5),
        ("\u0667", 5),
        ("Mon, 99 Mar 2026 08:01:30 GMT", 5),
    ],
)
def test_it_is_a_number_of_seconds_or_a_date(named: str, seconds: float) -> None:
    assert seconds_to_wait({"Retry-After": named, "Date": ANSWERED}, default=5) == seconds


def test_a_date_without_the_date_of_the_answer_says_nothing() -> None:
    assert seconds_to_wait({"retry-after": "Mon, 02 Mar 2026 08:01:30 GMT"}, default=5) == 5


@given(st.text(), st.text())
def test_it_is_total(named: str, date: str) -> None:
    assert 0 <= seconds_to_wait({"Retry-After": named, "Date": date}, default=5) <= LONGEST_SECONDS
