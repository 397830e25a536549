"""The files around the code keep their word."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import bypass_responder

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_every_target() -> None:
    outside_of_make = {"PATH": os.environ["PATH"]}
    shown = subprocess.run(["make"], capture_output=True, text=True, check=True, cwd=ROOT, env=outside_of_make).stdout
    targets = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split())

    assert {line.split()[1] for line in shown.splitlines()} == targets


def test_ci_runs_all_tests_as_the_readme_names_them() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"^(make test-all)\b", readme, re.MULTILINE))
    steps = re.findall(r"^step (.*)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)

    assert commands
    assert commands <= set(steps)


def test_the_devcontainer_has_the_node_version_of_the_workflows() -> None:
    devcontainer = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    workflows = [path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    versions = {found for text in workflows for found in re.findall(r'^\s+node-version: "(\d+)"$', text, re.MULTILINE)}

    assert versions == {devcontainer["features"]["ghcr.io/devcontainers/features/node:1"]["version"]}


def test_the_app_says_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert bypass_responder.__version__ == project["version"]


def test_every_deployed_dependency_is_pinned() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]

    assert [line for line in wanted if "==" not in line] == []


def test_the_npm_lock_names_no_download_address() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_every_npm_package_is_locked_by_its_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]

    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT)

    assert ended.returncode == 0, ended.stdout


def imported(path: Path) -> set[str]:
    """Every module that a file imports, within functions too."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return plain | {f"{node.module}.{alias.name}" for node in named for alias in node.names}


def test_the_function_app_knows_neither_bypassctl_nor_the_sandbox() -> None:
    """The import contracts do not see it: it is a file, not a package."""
    known = imported(ROOT / "function_app.py")

    assert any(name.startswith("bypass_responder.") for name in known)
    assert [name for name in known if name.startswith(("bypass_responder.cli", "sandbox"))] == []


def streams(path: Path) -> list[str]:
    """Where a file uses a stream of the terminal."""
    names = {"print", "input", "sys.stdin", "sys.stdout", "sys.stderr"}
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    used = [ast.unparse(node) for node in nodes if isinstance(node, ast.Name | ast.Attribute)]
    return [f"{path.name}: {name}" for name in used if name in names]


def test_operating_prints_nothing_and_asks_nobody() -> None:
    package = ROOT / "src" / "bypass_responder"

    assert any(streams(path) for path in (package / "cli").rglob("*.py"))
    assert [found for path in (package / "operating").rglob("*.py") for found in streams(path)] == []
