"""Rows in the order of their keys, whether or not they fit into memory."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bypass_responder.posture.sorted_rows import SortedRows

Row = tuple[str, int]


def rows_of(rows: list[Row], most: int = 3) -> SortedRows[Row]:
    made: SortedRows[Row] = SortedRows(lambda row: row[0], lambda row: row, lambda row: (row[0], row[1]), most=most)
    made.extend(rows)
    return made


def folder_of(rows: SortedRows[Any]) -> Path | None:
    return rows._folder


@given(st.lists(st.tuples(st.text(max_size=2), st.integers()), max_size=20), st.integers(1, 7))
def test_the_order_is_that_of_a_stable_sort(rows: list[Row], most: int) -> None:
    made = rows_of(rows, most)

    assert list(made) == sorted(rows, key=lambda row: row[0])
    assert list(made) == sorted(rows, key=lambda row: row[0])
    assert len(made) == len(rows)


def test_two_readers_do_not_disturb_each_other() -> None:
    made = rows_of([("c", 1), ("a", 2), ("b", 3), ("d", 4)])

    assert [(one, other) for one, other in zip(made, made, strict=True)] == [(row, row) for row in made]


def test_a_row_or_the_first_rows_are_read_by_place() -> None:
    made = rows_of([(letter, 0) for letter in "fedcba"])

    assert (made[0], made[-1], made[:2]) == (("a", 0), ("f", 0), [("a", 0), ("b", 0)])
    with pytest.raises(IndexError):
        made[6]


def test_rows_may_come_after_it_was_read() -> None:
    made = rows_of([("b", 1)])
    before = list(made)
    made.append(("a", 2))

    assert (before, list(made)) == ([("b", 1)], [("a", 2), ("b", 1)])


def test_what_fits_into_memory_makes_no_file() -> None:
    assert folder_of(rows_of([("a", 1), ("b", 2)])) is None


def test_its_files_go_with_it() -> None:
    made = rows_of([(str(number), number) for number in range(10)])
    folder = folder_of(made)
    assert folder is not None
    assert len(list(folder.iterdir())) == 3
    del made
    gc.collect()

    assert not folder.exists()


def test_an_empty_list_is_empty() -> None:
    made = rows_of([])

    assert (list(made), len(made), made[:3]) == ([], 0, [])
    with pytest.raises(IndexError):
        made[0]
