"""Single cells."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.posture.exports.cells import (
    CellError,
    as_actions,
    as_capabilities,
    as_flag,
    as_list,
    as_span,
    as_text,
    as_time,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(JSON)
def test_any_value_is_read_or_refused(value: Any) -> None:
    for read in (as_actions, as_capabilities, as_list, as_flag, as_span, as_time, as_text):
        with suppress(CellError):
            read(value)


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("/Date(1767225600000)/", "2026-01-01T00:00:00Z"),
        ({"value": "/Date(1767225600000)/", "DisplayHint": 2}, "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("01/02/2026 03:04", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_read_only_where_it_is_sure(value: Any, time: str | None) -> None:
    assert as_time(value) == time


@pytest.mark.parametrize("value", ["None", "-", "{}", "$null", "", "null", "NULL", "@()", "[]", "[ ]"])
def test_words_that_mean_nothing_are_no_actions(value: str) -> None:
    assert as_actions(value) == ()


@pytest.mark.parametrize(
    "value",
    [
        *("N/A", "#N/A", "nan", "True", True, 3, [1, 2], ["Update", "[]"], [["Update"]]),
        *("@{value=System.Object[]; Count=8}", "@('Update')", "[Update, Move]", '["Update", "Mo', "[" * 100_000),
        *("Update, MoveToDeletedItems... (8 more)", "{Update, MoveToDeletedItems…, 6 more}"),
        *({}, {"Count": 3}, {"value": 4, "Value": "Update"}, [{"Count": 3}], "[1]", '[{"Count": 3}]'),
    ],
)
def test_what_can_be_no_action_is_refused(value: Any) -> None:
    with pytest.raises(CellError, match="ConvertTo-Json"):
        as_actions(value)


@pytest.mark.parametrize(
    "value",
    [
        '["Update", "SummarizeItem"]',
        ' [ "Update","SummarizeItem" ]',
        [{"value": 4, "Value": "Update"}, {"value": 99, "Value": "SummarizeItem"}],
        {"value": ["Update", "SummarizeItem"], "Count": 2},
    ],
)
def test_actions_are_read_from_every_form_of_a_list_known_or_not(value: Any) -> None:
    assert as_actions(value) == ("Update", "SummarizeItem")


def test_a_capability_is_a_name_and_nothing_else() -> None:
    assert as_capabilities('["BPOS_S_Standard"]') == ("BPOS_S_Standard",)
    with pytest.raises(CellError):
        as_capabilities("N/A")


def test_a_person_may_have_a_name_with_a_bracket() -> None:
    assert as_list("[External] Kim") == ("[External]", "Kim")


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ({"Ticks": 938520000000}, "1.02:04:12"),
        ({"Ticks": 0}, "00:00:00"),
        ("0.00:00:00", "00:00:00"),
        ("90", "90.00:00:00"),
        ("90.00:00:00.0000000", "90.00:00:00"),
        ("99999.23:59:59", "99999.23:59:59"),
        ("", None),
    ],
)
def test_a_span_is_written_as_exchange_does(value: Any, span: str | None) -> None:
    assert as_span(value) == span


@pytest.mark.parametrize("milliseconds", [-9999999999999999, 9999999999999999])
def test_a_time_beyond_the_calendar_is_none(milliseconds: int) -> None:
    assert as_time(f"/Date({milliseconds})/") is None


@pytest.mark.parametrize("span", [{"Ticks": 10**30}, {"Ticks": -1}, "30 days"])
def test_what_is_no_span_of_exchange_is_refused(span: Any) -> None:
    with pytest.raises(CellError):
        as_span(span)


@pytest.mark.timeout(20)
def test_a_cell_that_is_almost_a_type_name_is_read_in_linear_time() -> None:
    brackets = "[]" * 10_000

    assert as_list(f"System.String{brackets}x") == (f"System.String{brackets}x",)
