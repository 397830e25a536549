"""The longest time that a schedule leaves between two runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.operating.doctor.schedule import longest_gap


@pytest.mark.parametrize(
    ("schedule", "gap"),
    [
        ("* * * * * *", timedelta(seconds=1)),
        ("0 * * * * *", timedelta(minutes=1)),
        ("30 * * * * *", timedelta(minutes=1)),
        ("0 */15 * * * *", timedelta(minutes=15)),
        ("0 0,10 * * * *", timedelta(minutes=50)),
        ("0 0 */5 * * *", timedelta(hours=5)),
        ("0 0 8-17 * * *", timedelta(hours=15)),
        ("0 5/20 * * * *", timedelta(minutes=20)),
        ("0 0 0 * * *", timedelta(days=1)),
        ("0 0 0 * * 1-5", timedelta(days=1)),
        ("0 */15 * * * Mon-Fri", timedelta(days=1)),
        ("0 */15 * * * Monday-Friday", timedelta(days=1)),
        ("0 0 * * January 6", timedelta(days=1)),
        ("0 5,* * * * *", timedelta(minutes=1)),
        ("0 50-50 8-8/2 * * *", timedelta(days=1)),
        ("0 */15 * */1 */1 */1", timedelta(minutes=15)),
        ("0 5-05 * * * *", timedelta(hours=1)),
        ("0 05-5/7 * * * *", timedelta(hours=1)),
        ("0 5-3 * * * *", timedelta(minutes=58)),  # the ends change places
        ("0 * 18-8 * * *", timedelta(hours=13, minutes=1)),
        ("0 */15 * * * Sat-Sun", timedelta(minutes=15)),  # 6-0 is 0-6
        ("0 */15 * * * Mon-Monday", timedelta(days=1)),
        ("0 */15 * * * MONDAY-mon", timedelta(days=1)),
        ("0 */15 * * * Tues", timedelta(days=1)),
        ("0 0 * * Sept-9 *", timedelta(days=1)),
    ],
)
def test_the_longest_gap(schedule: str, gap: timedelta) -> None:
    assert longest_gap(schedule) == gap


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "0 * * * *",
        "00:15:00",
        "0 60 * * * *",
        "0 */0 * * * *",
        "x * * * * *",
        "0 * * * * * *",
        "%A%",
        "0 0 0 ? * *",
        "0 0 0 L * *",
        "0 0 0 * * LFRI",
        "0 0 0 * * 1#2",
        "0 0 0 * * 7",
        "0 0 0 * * 5-7",
        "0 0 0 * 13 *",
        "0 0 0 * Juneau *",
        "0 0 0 * * Noday",
        "0 0 0 * * Mondayish",
        "0 0 0 * Mon *",
        "0 0 0 * * Jan",
        "0 5-5/0 * * * *",
        f"0 1-{'9' * 5000} * * * *",
        "H * * * * *",
        "R * * * * *",
        "R(0-30) * * * * *",
        "@daily",
    ],
)
def test_what_the_host_cannot_read_has_none(schedule: str) -> None:
    assert longest_gap(schedule) is None


@given(st.text(alphabet="0123456789*/,- x", max_size=30))
def test_any_text_has_a_gap_of_up_to_a_day_or_none(schedule: str) -> None:
    gap = longest_gap(schedule)

    assert gap is None or timedelta(0) < gap <= timedelta(days=1)


@given(st.integers(1, 59))
def test_every_so_many_minutes_is_never_less_often(minutes: int) -> None:
    gap = longest_gap(f"0 */{minutes} * * * *")

    assert gap is not None
    assert gap <= timedelta(minutes=minutes)
