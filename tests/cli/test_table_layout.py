"""What fits a terminal, and what becomes of the rest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.cli.table_layout import as_block, as_table, named_lines

COLUMNS = ("id", "opened", "account", "why")
ROW = ("20261125-53c401ba", "2026-11-25 00:57:30Z", "svc-archive@contoso.onmicrosoft.com", "violation: not on the list")
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)
CELLS = st.lists(WORDS, max_size=6).map(" ".join)


def drawn(width: int, *rows: tuple[str, ...]) -> list[str] | None:
    return as_table(COLUMNS, rows, width=width)


def test_a_row_that_fits_is_one_line() -> None:
    assert len(drawn(120, ROW) or []) == 2


def test_a_text_wraps_and_a_time_does_not() -> None:
    lines = drawn(90, ROW) or []

    assert [ROW[1] in "".join(lines), len(lines) > 2] == [True, True]


def test_a_table_whose_words_do_not_fit_is_none() -> None:
    assert drawn(80, ROW) is None


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), min_size=1, max_size=4), st.integers(10, 200))
def test_no_word_is_cut_and_no_line_is_longer_than_the_terminal(rows: list[tuple[str, ...]], width: int) -> None:
    lines = drawn(width, *rows)
    found = " ".join(lines or []).split()

    assert lines is None or {word for row in rows for cell in row for word in cell.split()} <= set(found)
    assert all(len(line) <= width for line in lines or [])


def test_a_block_has_a_name_and_a_value_per_line_without_empty_ones() -> None:
    assert as_block(COLUMNS, ("x1", "", "alex@contoso.com", "held"), width=80) == [
        "x1",
        "  account  alex@contoso.com",
        "  why      held",
    ]


def test_a_long_value_goes_on_below_itself() -> None:
    assert named_lines({"why": "a violation: not on the list", "id": "x1", "by": ""}, width=31) == [
        "why  a violation: not on the",
        "     list",
        "id   x1",
    ]


@given(st.dictionaries(WORDS, CELLS, max_size=4), st.integers(10, 200))
def test_no_word_of_a_value_is_cut(fields: dict[str, str], width: int) -> None:
    lines = named_lines(fields, width=width)

    assert {word for value in fields.values() for word in value.split()} <= set(" ".join(lines).split())
