"""The pieces of a container (JSON, JSON lines, CSV): those that may hold a record of interest, and unreadable ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JsonText:
    """One JSON value that may matter, exactly as in the input."""

    text: str
    where: str


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One CSV row that may matter. ``problem`` says why its cells cannot be trusted; empty when they can."""

    cells: Mapping[str, str]
    where: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """A part of the input that could not be parsed."""

    reason: str
    detail: str
    where: str
    text: str


Piece = JsonText | CsvRow | Broken
Pieces = Iterator[Piece]
