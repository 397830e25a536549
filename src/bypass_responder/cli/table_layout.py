"""Fit a table to the terminal: ids, names and times stay whole, or each row becomes a block of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = 2
"""Characters between two columns."""
SHORT = 25
"""The length of a local time. Cells up to this length are not wrapped."""


def as_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, width: int, title: str) -> Table | None:
    """Return the table with no word cut; None when it is too wide."""
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
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name, size in zip(columns, widths, strict=True):
        table.add_column(name, width=size, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def as_block(columns: Sequence[str], row: Sequence[str]) -> Text:
    """Return a row as lines: its first cell, then a name and a value per line."""
    size = max(map(cell_len, columns))
    block = Text(row[0])
    block.stylize("bold")
    for name, cell in zip(columns[1:], row[1:], strict=True):
        if cell:
            block.append(f"\n  {name.ljust(size)}  {cell}")
    return block


def _least(cell: str) -> int:
    return cell_len(cell) if len(cell) <= SHORT else max(map(cell_len, cell.split()), default=0)
