"""Text from a record, made safe to show: its author may be the attacker."""

from __future__ import annotations

EXCERPT_LIMIT = 4000


def printable(text: str) -> str:
    r"""The text with every control, format, bidirectional and unassigned character as an escape such as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def excerpt(text: str) -> str:
    """At most ``EXCERPT_LIMIT`` characters of the text, printable."""
    return printable(text[:EXCERPT_LIMIT])[:EXCERPT_LIMIT]
