"""Times as exports write them, and what of them is unknown."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from bypass_responder.errors import InputError
from bypass_responder.model.record import AuditRecord
from bypass_responder.sensing.records.moments import AMBIGUOUS, NO_ZONE, SERIAL, DateOrder, read_moment
from bypass_responder.sensing.records.reader import read_records
from tests.sensing.builders import a_bypass, sentinel, to_csv

FEBRUARY = datetime(2026, 2, 4, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-04T01:31:00Z",
        "2026-02-04 01:31",
        "2026/02/04 01:31:00",
        "2026-02-04T02:31:00.000+01:00",
        "2026-02-04T01:31:00.000+0000",
        "04.02.2026 01:31:00",
        "4.2.2026 1:31",
        "Feb 4, 2026 @ 01:31:00.000",
        "Wednesday, February 4, 2026 1:31:00 AM",
        "04 February 2026 01:31:00",
        "Wed, 04 Feb 2026 01:31:00 GMT",
        "/Date(1770168660000)/",
        r"\/Date(1770168660000)\/",
    ],
)
def test_forms_whose_day_is_clear(text: str) -> None:
    found = read_moment(text)

    assert (found.at, found.note) == (FEBRUARY, "")


@pytest.mark.parametrize("text", ["2/4/2026 1:31", "02/04/2026 01:31:00", "2/4/2026, 1:31:00.000 a.m."])
def test_a_day_that_may_be_a_month_is_marked(text: str) -> None:
    found = read_moment(text)

    assert (found.at, found.note) == (FEBRUARY, AMBIGUOUS)


def test_the_other_dates_of_the_file_decide() -> None:
    assert read_moment("4/2/2026 1:31", day_first=True).at == FEBRUARY
    assert read_moment("2/4/2026 1:31", day_first=False).note == ""


@pytest.mark.parametrize(
    ("text", "day_first"), [("19/12/2025 1:00", None), ("12/19/2025 1:00", True), ("3/3/2026 1:00", None)]
)
def test_a_date_with_one_reading_needs_no_help(text: str, day_first: bool | None) -> None:
    assert read_moment(text, day_first=day_first).note == ""


@pytest.mark.parametrize(
    ("text", "day_first"),
    [("19/12/2025 1", True), ("12/19/2025 1", False), ("1/2/2025 1", None), ("19/12/2025 1 12/19/2025 1", None)],
)
def test_the_order_is_what_the_dates_show(text: str, day_first: bool | None) -> None:
    order = DateOrder()
    order.see(text)

    assert order.day_first is day_first


@pytest.mark.parametrize("text", ["2026-02-04 01:31:00", "Feb 4, 2026 @ 01:31:00.000", "04.02.2026 01:31"])
def test_a_zone_that_is_not_written_is_unknown(text: str) -> None:
    assert read_moment(text, utc=False).note == NO_ZONE


@pytest.mark.parametrize("text", ["46057.0631944444", "46057,0631944444"])
def test_a_day_number_of_excel_is_a_time_without_a_zone(text: str) -> None:
    found = read_moment(text)

    assert (found.at.replace(microsecond=0), found.note) == (FEBRUARY, f"{NO_ZONE}; {SERIAL}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "99999.5",
        "1.5",
        "460570",
        "46057.",
        "13/13/2026 1:31",
        "2026-02-30 01:31",
        "1:31",
        "Foo 4, 2026 1:31",
    ],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InputError):
        read_moment(text)


def times(*rows: dict[str, str]) -> list[tuple[datetime, str]]:
    found = read_records(io.BytesIO(to_csv(*rows)), source="x")
    return [(record.creation_time, record.note) for record in found if isinstance(record, AuditRecord)]


def a_row(time: str, column: str = "TimeGenerated [UTC]") -> dict[str, str]:
    row = {name: value for name, value in sentinel(a_bypass()).items() if name != "TimeGenerated [UTC]"}
    return {column: time} | row


def test_a_later_row_decides_the_order_of_an_earlier_one() -> None:
    found = times(a_row("4/02/2026, 1:31:00.000 am"), a_row("19/12/2025, 08:49:37.587"))

    assert (FEBRUARY, "") in found


@pytest.mark.parametrize(
    ("column", "note"),
    [
        ("TimeGenerated [UTC]", ""),
        ("TimeGenerated [Local Time]", NO_ZONE),
        ("TimeGenerated", NO_ZONE),
        ("Timestamp", NO_ZONE),
        ("CreationTime", ""),
        ("CreationDate", ""),
    ],
)
def test_the_column_says_whether_the_zone_is_known(column: str, note: str) -> None:
    assert times(a_row("2026-02-04 01:31", column)) == [(FEBRUARY, note)]
