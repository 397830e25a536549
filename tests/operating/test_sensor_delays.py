"""How late each sensor is, by the records that both brought."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.model.hunting import Arrival
from bypass_responder.operating.sensor_delays import SensorDelay, compare
from tests.world import START

NOW = START + timedelta(days=2)


def arrival(sensor: str, minutes: float, *, record: str = "one", after: timedelta = timedelta(0)) -> Arrival:
    at = START + after
    return Arrival(record_id=record, sensor=sensor, occurred_at=at, arrived_at=at + timedelta(minutes=minutes))


def compared(*arrivals: Arrival) -> dict[str, SensorDelay]:
    return {each.sensor: each for each in compare(arrivals, since=START, now=NOW)}


def test_the_same_record_is_compared_side_by_side() -> None:
    found = compared(arrival("feed", 62), arrival("hunting", 7))

    assert [(each.median_minutes, each.p95_minutes) for each in found.values()] == [(62, 62), (7, 7)]


def test_a_record_of_one_sensor_moves_no_delay() -> None:
    found = compared(arrival("feed", 62), arrival("hunting", 7), arrival("feed", 300, record="two"))

    assert found["feed"].median_minutes == 62


def test_a_record_that_only_one_sensor_brought_was_missed_by_the_other() -> None:
    found = compared(arrival("feed", 62))

    assert (found["feed"].missed, found["hunting"].missed) == (0, 1)


def test_a_record_of_today_is_not_missed_yet() -> None:
    found = compared(arrival("feed", 62, after=timedelta(hours=25)))

    assert found["hunting"].missed == 0


def test_an_event_from_before_both_sensors_ran_is_not_compared() -> None:
    found = compared(*(arrival(sensor, 900, after=timedelta(seconds=-1)) for sensor in ("feed", "hunting")))

    assert found["feed"].records == 0


def test_nothing_compared_is_unknown_and_not_zero() -> None:
    assert [each.median_minutes for each in compared().values()] == [None, None]


def test_the_slow_ones_are_in_the_95_percent() -> None:
    found = compared(
        *(arrival("feed", minutes, record=str(minutes)) for minutes in range(1, 101)),
        *(arrival("hunting", 5, record=str(minutes)) for minutes in range(1, 101)),
    )

    assert (found["feed"].median_minutes, found["feed"].p95_minutes) == (50.5, 95.0)


@given(st.lists(st.tuples(st.sampled_from(["feed", "hunting"]), st.floats(0, 1e4), st.sampled_from("abcd"))))
def test_the_order_of_arrivals_changes_nothing(drawn: list[tuple[str, float, str]]) -> None:
    every = {(sensor, record): arrival(sensor, minutes, record=record) for sensor, minutes, record in drawn}

    assert compared(*every.values()) == compared(*reversed(every.values()))
