"""Fit a table to the terminal: ids, names and times stay whole, or each row becomes a block of lines."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def as_block(columns: Sequence[str], row: Sequence[str], *, width: int) -> list[str]:
    """Return a row as lines: its first cell, then a name and a value per line."""
    return [row[0], *named_lines(dict(zip(columns[1:], row[1:], strict=True)), width=width, indent=2)]


def named_lines(fields: Mapping[str, str], *, width: int, indent: int = 0) -> list[str]:
    """Return a name and a value per line, without empty ones.

    A long value goes on below itself; no word is cut.
    """
    size = max(map(cell_len, fields), default=0)
    before = indent + size + GAP
    lines: list[str] = []
    for name, value in fields.items():
        if value:
            first, *more = _wrapped(value, max(width - before, SHORT))
            lines += [f"{' ' * indent}{name.ljust(size + GAP)}{first}", *(" " * before + each for each in more)]
    return lines


def _least(cell: str) -> int:
    return cell_len(cell) if len(cell) <= SHORT else max(map(cell_len, cell.split()), default=0)


def _lines(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    wrapped = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [_line(parts, widths) for parts in zip_longest(*wrapped, fillvalue="")]


def _line(parts: Sequence[str], widths: Sequence[int]) -> str:
    padded = (part + " " * (width - cell_len(part)) for part, width in zip(parts, widths, strict=True))
    return (" " * GAP).join(padded).rstrip()


def _wrapped(cell: str, width: int) -> list[str]:
    """Return the cell in lines. A word that is wider than the column has a separate line."""
    if cell_len(cell) <= width:
        return [cell]
    first, *rest = cell.split() or [""]
    lines = [first]
    for word in rest:
        longer = f"{lines[-1]} {word}"
        if cell_len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
