"""Text in CSV files that spreadsheets open: a cell that they would run as a formula is marked as text."""

from __future__ import annotations


def defused(text: str) -> str:
    """Return the text; with a leading apostrophe when a spreadsheet would run it as a formula."""
    return f"'{text}" if text.lstrip().startswith(("=", "+", "-", "@")) else text
