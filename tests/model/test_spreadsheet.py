"""What a spreadsheet would run is text."""

from __future__ import annotations

import pytest

from bypass_responder.model.spreadsheet import defused


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1"])
def test_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "alex@contoso.com", "a-b", "20261125-53c401ba"])
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert defused(text) == text
