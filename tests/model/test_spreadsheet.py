"""What a spreadsheet would run is text."""

from __future__ import annotations

import time

import pytest

from bypass_responder.model.spreadsheet import defused


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1"])
def test_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\t=1", "\t'=1"),
        ("x;=cmd|1!A1", "x;'=cmd|1!A1"),
        ("a\t @b;+1", "a\t' @b;'+1"),
        ('x;"=1', "x;'\"=1"),
        ("x\n=1", "x\n'=1"),
        ("\uff1d1", "'\uff1d1"),
    ],
)
def test_a_formula_after_another_separator_or_in_full_width_is_text_too(text: str, shown: str) -> None:
    assert defused(text) == shown


@pytest.mark.parametrize("text", ["", "a; b", "alex@contoso.com", "a-b", "20261125-53c401ba"])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text


@pytest.mark.parametrize("text", ["\t", "; ", ";\t", "\n", " ", '"'])
def test_a_long_text_takes_no_longer_than_its_length(text: str) -> None:
    """The first pattern took a minute for this one."""
    began = time.process_time()
    defused(text * 200_000)

    assert time.process_time() - began < 5
