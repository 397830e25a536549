"""docs/telemetry.md names every line, field and rule that there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bypass_responder.case.health_alerts import ADVICE
from bypass_responder.event_lines import FIELDS, WORDS
from bypass_responder.model.log import ABOUTS
from infra.checks.queries import NOT_PAGED

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
RULES = (ROOT / "infra" / "modules" / "alerts.bicep").read_text(encoding="utf-8")
QUERIES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "infra" / "queries").glob("*.kql")}
SEVERAL = {"incident_id", "target", "seq", "hash", "previous", "author", "event"}
"""Fields of each entry of the log, named in the sentence above the table."""


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def cells(title: str) -> list[list[str]]:
    """The rows of the tables of a section, without their heads."""
    rows = [line.strip("| \n").split(" | ") for line in section(title).splitlines() if line.startswith("| `")]
    assert rows
    return rows


def words(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_line_is_in_a_table_once() -> None:
    named = [word for row in cells("Lines") for word in words(row[0])]

    assert sorted(named) == sorted(WORDS)


def test_every_field_is_named_and_no_other() -> None:
    named = {word for row in cells("Lines") for word in words(row[2] if len(row) > 2 else "")}

    assert (named - {"target:seq:hash"}) | SEVERAL == FIELDS


def test_the_fields_of_an_entry_are_in_the_sentence() -> None:
    sentence = section("Lines").split("|")[0]

    assert set(words(sentence)) == SEVERAL


def rules() -> dict[str, dict[str, str]]:
    """The rules of the template, by name."""
    found = {}
    for block in re.findall(r"^  \{\n(.*?)^  \}", RULES, re.MULTILINE | re.DOTALL):
        facts = dict(re.findall(r"^    (\w+): '?([^'\n]*)'?$", block, re.MULTILINE))
        facts["query"] = re.findall(r"queries/(\w+)\.kql", block)[0]
        found[facts["name"]] = facts
    return found


def test_every_rule_is_in_the_table_with_its_frequency_severity_and_page() -> None:
    documented = {words(row[0])[0]: (row[2], row[3], row[4]) for row in cells("Alert rules")}
    there = {
        name: (
            f"{rule['frequency'].removeprefix('PT').removesuffix('M')} min",
            rule["severity"],
            f"[runbook](runbook.md#{rule['runbook']})",
        )
        for name, rule in rules().items()
    }

    assert documented == there


@pytest.mark.parametrize("row", cells("Alert rules"), ids=lambda row: words(row[0])[0])
def test_the_table_says_what_fires_a_rule(row: list[str]) -> None:
    query = QUERIES[rules()[words(row[0])[0]]["query"]]
    asked = set(re.findall(r'"(\w+)"', query)) & (ABOUTS | ADVICE.keys()) - {"health"}

    assert set(words(row[1])) - {"resumed"} == asked


def test_what_is_not_paged_is_said() -> None:
    assert set(words(section("Alert rules").split(". A rule")[0])) == set(NOT_PAGED)
