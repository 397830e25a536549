"""Checks that a release that builds today still builds in two years.

Bicep runs with the clock of Debian's `faketime`.
"""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from infra.checks.templates import ENTRIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LATER = "+730d"


def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    for entry in ENTRIES:
        command = ["faketime", "-f", LATER, "bicep", "build", str(root / "infra" / entry), "--stdout"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a developer's tool
        lines = [line for line in ended.stderr.splitlines() if re.search(r"\b(?:Error|Warning)\b", line)]
        yield from (f"in two years: {line.rpartition('/infra/')[2]}" for line in lines)
        if ended.returncode and not lines:
            yield f"in two years {entry} does not build: {ended.stderr.strip()[:300]}"
