"""What one run of the hunting sensor reads, leaves out and says about itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bypass_responder.errors import (
    NotFoundError,
    PermissionMissingError,
    RefusedError,
    ResponderError,
    ThrottledError,
    TransientError,
)
from bypass_responder.model.base import record_key
from bypass_responder.model.feed import Window
from bypass_responder.model.hunting import HuntingState
from bypass_responder.sensing.hunting import hunt as hunting_module
from bypass_responder.sensing.hunting.hunt import Hunt, hunt, is_due, problems_of, window_of
from tests.fakes.hunting import FakeHunting
from tests.sensing.builders import a_bypass

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORKS = HuntingState(first_success_at=NOW - 48 * HOUR, last_success_at=NOW - HOUR, days_read_at=NOW - HOUR)
REFUSED = PermissionMissingError("403.", permission="ThreatHunting.Read.All")


def a_table() -> FakeHunting:
    return FakeHunting(clock=lambda: NOW)


def add(table: FakeHunting, number: int, *, ago: timedelta) -> str:
    record = a_bypass(Id=f"record-{number}")
    table.add(record, at=NOW - ago)
    return str(record["Id"])


async def run(table: FakeHunting, state: HuntingState = WORKS, **fields: Any) -> Hunt:
    defaults: dict[str, Any] = {"known": set(), "since": NOW - 30 * 24 * HOUR, "now": NOW}
    return await hunt(table, state, **(defaults | fields))


async def test_a_new_row_is_returned() -> None:
    table = a_table()
    record = add(table, 1, ago=HOUR)

    assert [row.id for row in (await run(table)).rows] == [record]


async def test_a_known_row_is_left_out() -> None:
    table = a_table()
    record = add(table, 1, ago=HOUR)

    assert not (await run(table, known={record_key(record)})).rows


async def test_an_event_from_before_the_first_start_is_left_to_the_feed() -> None:
    table = a_table()
    add(table, 1, ago=3 * HOUR)

    assert not (await run(table, since=NOW - HOUR)).rows


@pytest.mark.parametrize(("read_ago", "days"), [(None, 7), (25 * HOUR, 7), (24 * HOUR, 7), (23 * HOUR, 1)])
def test_a_run_reads_a_day_and_once_a_day_a_week(read_ago: timedelta | None, days: int) -> None:
    state = HuntingState(days_read_at=NOW - read_ago if read_ago else None)

    assert window_of(state, NOW) == Window(start=NOW - timedelta(days=days), end=NOW)


async def test_a_week_is_remembered_as_read() -> None:
    assert (await run(a_table(), HuntingState())).state.days_read_at == NOW


async def test_a_full_answer_is_read_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hunting_module, "ROWS", 3)
    monkeypatch.setattr("tests.fakes.hunting.ROWS", 3)
    table = a_table()
    records = {add(table, number, ago=number * HOUR) for number in range(1, 9)}

    assert {row.id for row in (await run(table)).rows} == records


async def test_more_rows_than_can_be_divided_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hunting_module, "ROWS", 2)
    monkeypatch.setattr("tests.fakes.hunting.ROWS", 2)
    table = a_table()
    for number in range(3):
        add(table, number, ago=HOUR)

    found = await run(table)

    assert isinstance(found.error, RefusedError)
    assert found.state.failing_since == NOW


async def test_an_empty_table_is_not_healthy() -> None:
    table = a_table()
    table.other_rows = False

    found = await run(table)

    assert list(problems_of(found.state, NOW)) == ["hunting_silent"]


async def test_other_rows_prove_that_the_table_is_filled() -> None:
    state = WORKS.model_copy(update={"empty_since": NOW - HOUR})

    assert (await run(a_table(), state)).state.works


@pytest.mark.parametrize("error", [REFUSED, NotFoundError("no table CloudAppEvents")])
async def test_a_sensor_that_may_not_read_is_off_for_an_hour(error: ResponderError) -> None:
    table = a_table()
    table.fail("run", error)

    state = (await run(table, HuntingState())).state

    assert (state.off_because, state.off_since) == (str(error), NOW)
    assert [is_due(state, NOW + wait) for wait in (timedelta(minutes=59), HOUR)] == [False, True]


async def test_a_sensor_that_was_never_on_is_no_problem() -> None:
    table = a_table()
    table.fail("run", REFUSED)

    assert problems_of((await run(table, HuntingState())).state, NOW) == {}


async def test_a_sensor_that_worked_and_may_not_read_is_lost() -> None:
    table = a_table()
    table.fail("run", REFUSED)

    assert list(problems_of((await run(table)).state, NOW)) == ["hunting_lost"]


async def test_the_service_says_how_long_to_wait() -> None:
    table = a_table()
    table.fail("run", ThrottledError("429", retry_after_seconds=900))

    assert (await run(table)).state.next_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize(("ago", "problems"), [(timedelta(minutes=59), []), (HOUR, ["hunting_failing"])])
async def test_failing_for_an_hour_is_a_problem(ago: timedelta, problems: list[str]) -> None:
    table = a_table()
    table.fail("run", TransientError("500"))
    state = (await run(table, WORKS.model_copy(update={"failing_since": NOW - ago}))).state

    assert list(problems_of(state, NOW)) == problems


async def test_a_run_that_succeeds_ends_every_trouble() -> None:
    troubled = {"off_because": "403", "off_since": NOW, "failing_since": NOW, "failure": "500", "next_at": NOW}

    assert (await run(a_table(), WORKS.model_copy(update=troubled))).state.works
