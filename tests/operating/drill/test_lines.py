"""docs/drill.md and the lines are the same list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bypass_responder.operating.drill.fixes import FIXES
from bypass_responder.operating.drill.lines import LINES
from bypass_responder.operating.drill.probes import PROBES

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "drill.md").read_text(encoding="utf-8")
PARTS = list(dict.fromkeys(line.part for line in LINES))


def section(part: str) -> str:
    return re.split(r"^## ", TEXT.split(f"## {part}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("part", PARTS)
def test_the_table_of_a_part_has_its_lines(part: str) -> None:
    table = [row for row in section(part).splitlines() if row.startswith("|")][2:]

    assert table == [f"| {line.within} | {line.check} | {line.expected} |" for line in LINES if line.part == part]


@pytest.mark.parametrize("part", PARTS)
def test_what_to_do_is_in_the_part(part: str) -> None:
    missing = [command for line in LINES if line.part == part for command in line.does if command not in section(part)]

    assert missing == []


def test_every_line_has_a_fix() -> None:
    assert FIXES.keys() == {line.id for line in LINES}


def test_a_probe_belongs_to_a_line() -> None:
    assert PROBES.keys() < {line.id for line in LINES}
