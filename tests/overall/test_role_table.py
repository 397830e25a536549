"""The table of roles in docs/infrastructure.md is what Bicep predicts for an installation."""

from __future__ import annotations

import re
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from infra.checks import access

ROOT = Path(__file__).resolve().parents[2]
WORDS = {
    "Storage Table Data Contributor": "write",
    "Storage Blob Data Contributor": "write",
    "Storage Table Data Reader": "read",
    "Storage Blob Data Reader": "read",
    "Storage Queue Data Reader": "look",
    "Storage Queue Data Message Sender": "send",
    "Storage Queue Data Message Processor": "drain",
    "Storage Queue Data Contributor": "take",
}
"""As docs/infrastructure.md explains them."""

pytestmark = pytest.mark.skipif(shutil.which("bicep") is None, reason="Bicep is not on the path")


def documented() -> dict[tuple[str, str], set[str]]:
    """Thing and who, to the words of the cell."""
    text = (ROOT / "docs" / "infrastructure.md").read_text(encoding="utf-8")
    table = text.split("## Who may do what in the data account\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]
    head, _, *lines = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")]
    cells = {
        (thing, who.strip()): set(re.findall(r"write|read|look|send|drain|take", cell))
        for line in lines
        for thing in re.findall(r"`([^`]+)`", line[0])
        for who, cell in zip(head[1:], line[1:], strict=True)
    }
    return {key: words for key, words in cells.items() if words}


def test_the_table_says_what_the_template_gives() -> None:
    really = defaultdict[tuple[str, str], set[str]](set)
    for who, role, scope in access.assignments(ROOT, "everything"):
        if "/storageAccounts/stbypass" in scope:
            really[scope.rpartition("/")[2], who].add(WORDS[role])

    assert documented() == really
