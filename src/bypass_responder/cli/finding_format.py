"""The output formats of ``bypassctl detect``."""

from __future__ import annotations

from enum import StrEnum


class Format(StrEnum):
    """Output formats for findings."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
