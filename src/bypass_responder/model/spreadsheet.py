"""Text in CSV files for spreadsheets: a cell that would be run as a formula is marked as text."""

from __future__ import annotations

import re

_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FIRST = re.compile(rf"\s*[{_SIGNS}]")
_LATER = re.compile(rf"([;\t]\s*)(?=[{_SIGNS}])")
"""Where a spreadsheet begins another cell, if its separator is not the comma."""


def defused(text: str) -> str:
    """Return the text, with an apostrophe if a spreadsheet would run it as a formula.

    So would what follows a separator.
    Signs of full width count: some spreadsheets take them for the others.
    """
    text = _LATER.sub(r"\1'", text)
    return f"'{text}" if _FIRST.match(text) else text
