"""The check of the queries finds each fault that was put there, and names the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.checks.queries import run
from sandbox.node import node

ROOT = Path(__file__).resolve().parents[2]
CONTAINED = "infra/queries/contained.kql"
RULES = "infra/modules/alerts.bicep"
pytestmark = pytest.mark.skipif(
    node() is None or not (ROOT / "node_modules/@kusto").exists(),
    reason="Kusto's parser is not installed: `make setup`",
)


def copied(tmp_path: Path) -> Path:
    """What the check reads, to break."""
    for folder in ("infra/queries", "infra/modules", "src/exchange_worker"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    for file in (
        "infra/workbook.json",
        "infra/checks/log_tables.json",
        "function_app.py",
        "docs/runbook.md",
        "docs/telemetry.md",
    ):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The same, for one fault."""
    return copied(tmp_path)


def change(root: Path, file: str, before: str, after: str) -> None:
    text = (root / file).read_text(encoding="utf-8")
    assert before in text
    (root / file).write_text(text.replace(before, after), encoding="utf-8")


def test_the_queries_as_they_are_have_no_problem(copy: Path) -> None:
    assert list(run(copy)) == []


FAULTS = {
    "column": (
        CONTAINED,
        "project TimeGenerated",
        "project TimeGenrated",
        "'TimeGenrated' does not refer to any known",
    ),
    "operator": (CONTAINED, "| where Message", "| wher Message", "line 2: Query operator expected"),
    "comparison": (CONTAINED, "Message == ", "Message === ", "line 2: "),
    "table": (CONTAINED, "AppTraces", "AppTrace", "'AppTrace' does not refer to any known"),
    "field": (CONTAINED, "Properties.about", "Properties.abuot", "no line has the field abuot"),
    "quoted": (CONTAINED, "Properties.about", 'Properties["abuot"]', "no line has the field abuot"),
    "word": (CONTAINED, '"notification"', '"notifications"', "nothing has Message notifications"),
    "about": ("infra/queries/worker.kql", '"worker_failed"', '"worker_fails"', "nothing has about worker_fails"),
    "alert": ("infra/queries/feed.kql", '"feed_silent"', '"feed_still"', "nothing has alert feed_still"),
    "function": ("infra/queries/worker_exceptions.kql", "ExchangeSweeps", "Sweep", "nothing has what Sweep"),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the check finds in a folder where each fault has a separate query."""
    root = copied(tmp_path_factory.mktemp("faults"))
    for name, (file, before, after, _) in FAULTS.items():
        (root / f"infra/queries/{name}.kql").write_text((root / file).read_text("utf-8"), encoding="utf-8")
        change(root, f"infra/queries/{name}.kql", before, after)
    return list(run(root))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_query_that_cannot_match_is_named(found: list[str], fault: str) -> None:
    said = FAULTS[fault][-1]

    assert [problem for problem in found if problem.startswith(f"infra/queries/{fault}.kql: ") and said in problem]


def test_a_wrong_operator_of_the_workbook_is_named(copy: Path) -> None:
    change(copy, "infra/workbook.json", "bin(TimeGenerated, 15m)", "bin(TimeGenerated; 15m)")

    assert [problem for problem in run(copy) if problem.startswith("infra/workbook.json Audit feed")]


@pytest.mark.slow
def test_a_word_of_the_workbook_that_nobody_sends_is_named(copy: Path) -> None:
    change(copy, "infra/workbook.json", "sweep_incomplete", "halved")

    assert "infra/workbook.json Sweeps: complete and incomplete: nothing has Message halved" in list(run(copy))


@pytest.mark.slow
def test_a_query_of_the_documents_is_checked(copy: Path) -> None:
    change(copy, "docs/telemetry.md", "| distinct chain", "| distict chain")

    assert [problem for problem in run(copy) if problem.startswith("docs/telemetry.md query 1: line ")]


@pytest.mark.slow
def test_a_rule_whose_query_is_missing_is_named(copy: Path) -> None:
    (copy / CONTAINED).unlink()

    assert f"{RULES}: {CONTAINED} is not there" in list(run(copy))


@pytest.mark.slow
def test_a_query_that_no_rule_loads_is_named(copy: Path) -> None:
    (copy / "infra/queries/more.kql").write_text("AppTraces", encoding="utf-8")

    assert list(run(copy)) == [f"infra/queries/more.kql: no rule in {RULES} loads it"]


@pytest.mark.slow
def test_a_section_that_the_runbook_lacks_is_named(copy: Path) -> None:
    change(copy, "docs/runbook.md", "## The log is broken", "## A log that is broken")

    assert set(run(copy)) == {f"{RULES}: docs/runbook.md has no #the-log-is-broken"}


@pytest.mark.parametrize(
    ("file", "word", "said"),
    [
        ("infra/queries/held.kql", '"observed", ', "infra/queries: about observed is in 0 rules"),
        ("infra/queries/feed.kql", '"gap"', "infra/queries: alert gap is in 0 rules"),
    ],
)
@pytest.mark.slow
def test_a_kind_that_no_rule_fires_for_is_named(copy: Path, file: str, word: str, said: str) -> None:
    change(copy, file, word, '""' if word.endswith('"') else "")

    assert said in list(run(copy))


@pytest.mark.slow
def test_a_kind_that_fires_two_rules_is_named(copy: Path) -> None:
    change(copy, "infra/queries/undecided.kql", '("undecided")', '("undecided", "held")')
    held = "infra/queries/held.kql, infra/queries/undecided.kql"

    assert list(run(copy)) == [f"infra/queries: about held is in 2 rules: {held}"]


@pytest.mark.slow
def test_what_is_not_paged_is_in_no_rule(copy: Path) -> None:
    change(copy, "infra/queries/undecided.kql", '("undecided")', '("undecided", "recovered")')

    assert list(run(copy)) == ["infra/queries: about recovered is in 1 rules: infra/queries/undecided.kql"]
