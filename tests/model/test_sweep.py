"""What of a warning of Exchange stays the same, and what it says of missing rows."""

from __future__ import annotations

import pytest

from bypass_responder.model.sweep import says_rows_are_missing, warning_form

LONG = 1_000_000


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("The object contoso.com/Room A has been corrupted.", "The object … has been corrupted."),
        ("An object b has been read, object c has been lost", "An object … has been read, object … has been lost"),
        ("The object 'x' is gone.", "The object … is gone."),
        ("Read \"a b\" and 'c d', not e'f.", "Read … and …, not e'f."),
        ("Took 1250ms, (id=7) at 12:30.", "Took … … at …"),
        ("Two\n  lines", "Two lines"),
    ],
)
def test_the_form_is_without_names_and_numbers(text: str, form: str) -> None:
    assert warning_form(text) == form


def test_a_sign_of_missing_rows_counts_on_any_line() -> None:
    assert says_rows_are_missing("The object Partial has been read.\nThere are more results.")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("part", ["a", "a'", "object ", "object a has been ", '"', "1'", "''"])
def test_a_long_text_is_read_in_linear_time(part: str) -> None:
    text = part * (LONG // len(part))

    assert len(warning_form(text)) <= LONG
    assert not says_rows_are_missing(text)
