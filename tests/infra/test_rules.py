"""The check that runs the alert rules finds a rule that misses its events or fires on others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.checks import rules
from infra.checks.workflows import HOME

ROOT = Path(__file__).resolve().parents[2]
QUERIES = "infra/queries"
FAULTS = {
    "a word that nobody logs": (
        "contained",
        '"notification"',
        '"notifications"',
        "is silent for: an account is contained",
    ),
    "an alert that is over": (
        "feed",
        '| where Message == "ongoing" or tostring(Properties.about) == "health"\n',
        "",
        "fires for: alert gap ends",
    ),
    "an alert that began before the window": (
        "sweep",
        'Message in ("notification", "ongoing")',
        'Message in ("notification")',
        "is silent for: alert sweep_overdue goes on",
    ),
    "a column that a dimension needs": (
        "held",
        "about, incident_id, target",
        "about, target",
        "the rule's dimension incident_id is no column",
    ),
    "a threshold": ("responder_failing", "failed >= 3", "failed >= 2", "fires for: two runs fail"),
    "an absence": ("responder_silent", '"resumed"', '"resume"', "fires for: a quiet day"),
    "a chain that was rewritten": (
        "log_rewritten",
        "below != before",
        "below == before",
        "fires for: an account is contained",
    ),
    "a function that is in a message only": (
        "worker_exceptions",
        "Functions",
        "Function_",
        "is silent for: a run of the worker fails, the function is in the exception's message",
    ),
    "a query that cannot be translated": ("undecided", "| where about in", "| wher about in", "Kql"),
}


pytestmark = pytest.mark.skipif(
    not (shutil.which("duckdb-kql", path=HOME) or shutil.which("duckdb-kql")),
    reason="duckdb-kql is not installed: `make infra`",
)


def a_copy(folder: Path) -> Path:
    for name in (QUERIES, "infra/modules"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("infra/checks/log_tables.json", "docs/telemetry.md"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the check finds in a copy with every fault, each in a separate query."""
    root = a_copy(tmp_path_factory.mktemp("faults"))
    for query, before, after, _ in FAULTS.values():
        path = root / QUERIES / f"{query}.kql"
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")
    return list(rules.run(root))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named(name: str, found: list[str]) -> None:
    query, _, _, said = FAULTS[name]

    assert [line for line in found if line.startswith(f"{QUERIES}/{query}.kql: ") and said in line]


def test_the_other_rules_have_no_problem(found: list[str]) -> None:
    broken = {query for query, *_ in FAULTS.values()}

    assert {line.partition(".kql")[0].removeprefix(f"{QUERIES}/") for line in found} == broken


@pytest.mark.slow
def test_the_rules_as_they_are_have_no_problem(tmp_path: Path) -> None:
    assert list(rules.run(a_copy(tmp_path))) == []
