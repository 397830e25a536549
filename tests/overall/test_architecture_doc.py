"""docs/architecture.md names the files that are there, and the README leads to it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_a_records_path_enters_no_file_twice() -> None:
    path = re.findall(r"^\d+\. `([^`]+)`", section("One record, file by file"), re.MULTILINE)

    assert len(path) == len(set(path)) > 10
    assert [each for each in path if not (ROOT / each).is_file()] == []


def test_every_package_of_the_responder_is_described() -> None:
    described = set(re.findall(r"`(?:src/bypass_responder/)?(\w+)(?:/|\.py)`", section("Packages")))
    there = {each.stem for each in (ROOT / "src" / "bypass_responder").iterdir() if not each.stem.startswith("_")}

    assert there - described <= {"bounded", "event_lines", "late", "py", "rights", "settings"}


def test_every_file_and_folder_that_is_described_is_there() -> None:
    named = re.findall(r"^\| `([^`]+)`", section("Packages"), re.MULTILINE)

    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_layers_are_those_that_lint_enforces() -> None:
    contracts = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    enforced = re.findall(r'^    "(.+)",$', contracts.split("layers = [\n")[1].split("\n]\n")[0], re.MULTILINE)
    said = re.sub(r"\s+", " ", section("Packages").split("enforces it: `")[1].split("`.")[0])

    assert said.split(" → ") == [layer.replace(" | (console)", "") for layer in enforced]


def test_the_questions_of_a_newcomer_are_answered_by_links() -> None:
    links = {
        question: re.findall(r"\]\((?:\.\./)?([^)#]+)", answer)
        for question, answer in re.findall(r"^\| (.+?) \| (.+) \|$", TEXT, re.MULTILINE)
    }

    assert "infra/queries" in links["an alert rule"]
    assert "src/bypass_responder/decision.py" in links["Where is the decision table?"]
    assert "tests/handling/test_directory_calls.py" in links["Which test covers the read-back of a control?"]
    assert 'ARGS="-k' in TEXT.split("How do I run one test? | ")[1].split("\n")[0]


def test_the_readme_leads_to_the_architecture() -> None:
    assert "(docs/architecture.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
