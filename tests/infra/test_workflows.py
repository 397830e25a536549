"""One fault in a copy of the workflows, and exactly that is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.checks import workflows

ROOT = Path(__file__).resolve().parents[2]
CHECKOUT = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
FAULTS = {
    "a tag instead of a commit": ("ci.yml", CHECKOUT, "actions/checkout@v6", "unpinned-uses"),
    "a short commit": ("ci.yml", CHECKOUT, "actions/checkout@de0fac2e # v6.0.2", "unpinned-uses"),
    "a pin that says no version": ("ci.yml", " # v6.0.2", "", "has no comment with its version"),
    "a workflow of ours that is not there": (
        "release.yml",
        "$/.github/workflows/ci.yml",
        "$/no.yml",
        "could not read reusable workflow",
    ),
    "text of others in a script": (
        "deploy.yml",
        '"$RESPONDER_APP_NAME" --src',
        '"${{ inputs.version }}" --src',
        "template-injection",
    ),
    "a step that GitHub does not know": ("ci.yml", "- run: make lint", "- rum: make lint", "check-jsonschema"),
    "an expression that does not exist": ("ci.yml", "matrix.python }}", "matrix.pyhton }}", "actionlint"),
    "every right on top": ("release.yml", "permissions: {}", "permissions: write-all", "excessive-permissions"),
    "rights on top": (
        "release.yml",
        "permissions: {}",
        "permissions:\n  contents: read",
        "`permissions: {}` is missing on top",
    ),
    "a job that names no rights": (
        "ci.yml",
        "    permissions:\n      contents: read # checkout\n",
        "",
        "has no permissions",
    ),
    "a job that may run forever": ("ci.yml", "    timeout-minutes: 15\n", "", "job lint has no timeout-minutes"),
    "a token left behind": ("ci.yml", "persist-credentials: false", "persist-credentials: true", "artipacked"),
    "an installation beside a token": (
        "deploy.yml",
        "run: sh infra/check_rights.sh",
        "run: python -m pip install '.[cli]'",
        "job deploy can sign in and installs something: pip install '.[cli]'",
    ),
    "a target that is not there": ("ci.yml", "make lint", "make lnit", "there is no make lnit"),
    "a Python that nobody tests": ("ci.yml", '"3.12", ', "", "Python 3.12: pyproject.toml claims it"),
    "a Python that nobody claims": (
        "ci.yml",
        '"3.12", ',
        '"3.10", "3.12", ',
        "Python 3.10: pyproject.toml does not claim it",
    ),
    "updates without an interval": ("../dependabot.yml", "interval: weekly", "interval: often", "check-jsonschema"),
    "updates on the day": ("../dependabot.yml", "default-days: 7", "default-days: 0", "dependabot-cooldown"),
}


def missing() -> str:
    """The tools that are not there; empty when all are."""
    absent = [
        name for name in workflows.TOOLS if not shutil.which(name, path=workflows.HOME) and not shutil.which(name)
    ]
    return ", ".join(absent)


pytestmark = pytest.mark.skipif(bool(missing()), reason=f"no {missing()}; `make infra` installs them")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """All that the check reads."""
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    (tmp_path / ".git").mkdir()  # by which actionlint finds the root, to look up called workflows
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_the_workflows_of_the_repository_have_no_fault(copy: Path) -> None:
    assert list(workflows.run(copy)) == []


@pytest.mark.parametrize(("name", "before", "after", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named(copy: Path, name: str, before: str, after: str, expected: str) -> None:
    path = copy / workflows.FOLDER / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(before, after, 1), encoding="utf-8")

    problems = list(workflows.run(copy))

    assert text != path.read_text(encoding="utf-8")
    assert [problem for problem in problems if expected in problem] != []


def test_no_workflow_at_all_is_a_problem(copy: Path) -> None:
    shutil.rmtree(copy / ".github")

    assert list(workflows.run(copy)) == [f"{workflows.FOLDER} has no workflow"]


def test_a_file_that_is_no_yaml_is_reported_by_the_tools(copy: Path) -> None:
    (copy / workflows.FOLDER / "ci.yml").write_text("on: [", encoding="utf-8")

    assert {problem.partition(":")[0] for problem in workflows.run(copy)} == {
        "actionlint",
        "zizmor",
        "check-jsonschema",
    }
