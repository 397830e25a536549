"""Text in CSV files for spreadsheets: a cell that would be run as a formula is marked as text."""

from __future__ import annotations

import re

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(rf'[\s"]*[{_SIGNS}]')
_ENDS = re.compile(r"(?<=[;\t\r\n])")
"""Where a spreadsheet begins another cell, if its separator is not the comma."""


def cells_of(text: str) -> list[str]:
    """Return the cells that a spreadsheet with any separator may take a text for, each with its separator."""
    return _ENDS.split(text)


def is_formula(cell: str) -> bool:
    """Return True for a cell that a spreadsheet would run.

    A quote before the sign may be taken for that of the cell.
    """
    return _FORMULA.match(cell) is not None


def defused(text: str) -> str:
    """Return the text, with an apostrophe if a spreadsheet would run it as a formula.

    So would what follows a separator. Signs of full width count: some spreadsheets take them for the others.
    """
    return "".join(f"'{cell}" if is_formula(cell) else cell for cell in cells_of(text))
