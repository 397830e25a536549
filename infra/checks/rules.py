"""Checks that each alert query fires on the lines that the app logs for its events, and only there.

The lines come from ``tests.infra.alert_lines``, which plays each event on the app's own code. The table of rules in
docs/telemetry.md says which rule has to fire for which notification and which health alert.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.checks.workflows import tool

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RULES = "infra/modules/alerts.bicep"
PAGE = "docs/telemetry.md"
HERE = Path(__file__).resolve().parents[2]
TOOLS = ("duckdb-kql",)


def run(root: Path) -> Iterator[str]:
    """Return one line per problem: a rule that misses its events or fires on others, a missing column."""
    rules = _rules(root)
    words = _documented(root)
    scenarios: dict[str, Any] = _json([sys.executable, "-m", "tests.infra.alert_lines"], cwd=HERE)
    answers = _answers(root, rules, scenarios)
    fired: set[str] = set()
    for rule, (query, _, absence) in rules.items():
        answer = answers[query]
        if "problem" in answer:
            yield f"{query}: {answer['problem']}"
            continue
        for name, scenario in scenarios.items():
            expected = rule in {*scenario["fires"], *(words.get(word, "") for word in scenario["words"])}
            fires = (answer[name]["rows"] == 0) if absence else (answer[name]["rows"] > 0)
            fired |= {rule} if fires and expected else set()
            if fires != expected:
                yield f"{query}: {'fires' if fires else 'is silent'} for: {name}"
    yield from _columns(rules, answers)
    silent = set(rules) - fired
    yield from (f"{rules[rule][0]}: no scenario fires the rule {rule}" for rule in sorted(silent))


def _rules(root: Path) -> dict[str, tuple[str, list[str], bool]]:
    """Rule → file of its query, its dimensions, and whether it fires when there are no rows."""
    blocks = re.findall(r"^  \{\n    name: '(.*?)^  \}$", (root / RULES).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    found: dict[str, tuple[str, list[str], bool]] = {}
    for block in blocks:
        [query] = re.findall(r"loadTextContent\('\.\./(queries/[^']+)'\)", block)
        [dimensions] = re.findall(r"dimensions: \[(.*?)\]", block)
        found[block.partition("'")[0]] = f"infra/{query}", re.findall(r"'(\w+)'", dimensions), "absence: true" in block
    return found


def _documented(root: Path) -> dict[str, str]:
    """The rule that has to fire, by ``about X`` of a notification and ``alert X`` of a health alert."""
    table = (root / PAGE).read_text("utf-8").split("## Alert rules\n", 1)[1].split("\n## ", 1)[0]
    found: dict[str, str] = {}
    for rule, cell in re.findall(r"^\| `([a-z-]+)` \| (.*?) \|", table, re.MULTILINE):
        notifications, alerts = [*re.split(r"\balerts? ", cell, maxsplit=1), ""][:2]
        found |= {f"about {word}": rule for word in re.findall(r"`(\w+)`", notifications)}
        found |= {f"alert {word}": rule for word in re.findall(r"`(\w+)`", alerts)}
    return found


def _answers(root: Path, rules: Mapping[str, tuple[str, list[str], bool]], scenarios: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    asked = {
        "tables": json.loads((root / "infra/checks/log_tables.json").read_text("utf-8")),
        "queries": {query: (root / query).read_text("utf-8") for query, _, _ in rules.values()},
        "scenarios": {name: scenario["tables"] for name, scenario in scenarios.items()},
    }
    python = Path(tool("duckdb-kql")).with_name("python")
    return _json([str(python), str(Path(__file__).with_name("run_kql.py"))], given=json.dumps(asked))


def _json(command: list[str], *, given: str = "", cwd: Path | None = None) -> Any:  # noqa: ANN401 - JSON
    ended = subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd=cwd)  # noqa: S603 - our own program
    if ended.returncode:
        raise RuntimeError(ended.stderr)
    return json.loads(ended.stdout)


def _columns(rules: Mapping[str, tuple[str, list[str], bool]], answers: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """A dimension is a column of the answer: Azure refuses a rule without it, when it is deployed."""
    for query, dimensions, _ in rules.values():
        columns = next((answer["columns"] for answer in answers[query].values() if "columns" in answer), dimensions)
        yield from (f"{query}: the rule's dimension {name} is no column" for name in dimensions if name not in columns)
