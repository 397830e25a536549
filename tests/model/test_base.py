"""Times and messages in the form in which they are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import TypeAdapter, ValidationError

from bypass_responder.model.base import Utc, counted, first_problem, iso, plain

MOMENTS = [
    datetime(2026, 3, 2, 9, tzinfo=UTC),
    datetime(2026, 3, 2, 9, 0, 0, 5, tzinfo=UTC),
    datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=2))),
]


@pytest.mark.parametrize("at", MOMENTS)
def test_a_time_is_written_as_models_write_it(at: datetime) -> None:
    adapter = TypeAdapter(Utc)

    assert iso(at) == adapter.dump_python(adapter.validate_python(at), mode="json")


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ("Input should be 'on' or 'off'", "must be 'on' or 'off'"),
        ("String should have at most 3 characters", "must have at most 3 characters"),
        ("Value error, must be a GUID", "must be a GUID"),
        ("no such option", "no such option"),
    ],
)
def test_a_message_of_pydantic_is_a_rule(message: str, rule: str) -> None:
    assert plain(message) == rule


def test_the_first_problem_names_its_place_and_the_rule() -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(dict[str, int]).validate_python({"a": "x"})

    assert first_problem(raised.value).startswith("a: must be a valid integer")


@pytest.mark.parametrize(
    ("number", "nouns", "text"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (1234, ("row",), "1,234 rows"),
        (1, ("entry", "entries"), "1 entry"),
        (2, ("entry", "entries"), "2 entries"),
    ],
)
def test_a_number_has_the_noun_that_fits(number: int, nouns: tuple[str, ...], text: str) -> None:
    assert counted(number, *nouns) == text


def test_a_problem_of_the_whole_has_no_place() -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(int).validate_json(b"{")

    assert first_problem(raised.value).startswith("Invalid JSON")
