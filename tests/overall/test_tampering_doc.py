"""docs/tampering.md has the family as the table in the code has it, and the runbook each repair."""

from __future__ import annotations

import re
from pathlib import Path

from bypass_responder.tampering.family import FAMILY

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \|", re.MULTILINE)


def test_the_page_has_each_technique_with_its_severity_in_the_order_of_the_table() -> None:
    page = (DOCS / "tampering.md").read_text(encoding="utf-8")

    assert ROW.findall(page) == [(technique.value, way.severity.value) for technique, way in FAMILY.items()]


def test_the_runbook_has_the_repair_of_each_technique() -> None:
    chapter = (DOCS / "runbook.md").read_text(encoding="utf-8").split("### Undo tampering")[1].split("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", chapter, re.MULTILINE) == [technique.value for technique in FAMILY]
