"""Fit a table to the terminal: ids, names and times stay whole, or each row becomes a block of lines."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = 2
"""Characters between two columns."""
SHORT = 25
"""The length of a local time. Cells up to this length are not wrapped."""


def as_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, width: int) -> list[str] | None:
    """Return the lines of the table, its header first, with no word cut; None when it is too wide."""
    cells = [[name, *(row[number] for row in rows)] for number, name in enumerate(columns)]
    least = [max(map(_least, column)) for column in cells]
    widths = [max(map(cell_len, column)) for column in cells]
    spare = width - GAP * (len(columns) - 1) - sum(least)
    if spare < 0:
        return None
    by_need = sorted(range(len(columns)), key=lambda number: widths[number] - least[number])
    for done, number in enumerate(by_need):
        more = min(widths[number] - least[number], spare // (len(columns) - done))
        widths[number] = least[number] + more
        spare -= more
    return [line for row in (columns, *rows) for line in _lines(row, widths)]


def as_block(columns: Sequence[str], row: Sequence[str]) -> list[str]:
    """Return a row as lines: its first cell, then a name and a value per line."""
    size = max(map(cell_len, columns))
    named = zip(columns[1:], row[1:], strict=True)
    return [row[0], *(f"  {name.ljust(size)}  {cell}" for name, cell in named if cell)]


def _least(cell: str) -> int:
    return cell_len(cell) if len(cell) <= SHORT else max(map(cell_len, cell.split()), default=0)


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [_line(parts, widths) for parts in zip_longest(*wrapped, fillvalue="")]


def _line(parts: Sequence[str], widths: Sequence[int]) -> str:
    padded = (part + " " * (width - cell_len(part)) for part, width in zip(parts, widths, strict=True))
    return (" " * GAP).join(padded).rstrip()


def _wrapped(cell: str, width: int) -> list[str]:
    """Return the cell in lines. No word is wider than the column."""
    if cell_len(cell) <= width:
        return [cell]
    lines = [""]
    for word in cell.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
