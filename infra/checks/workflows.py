"""GitHub's workflows: three tools that check them, and what this repository requires beyond that.

zizmor requires pinned actions, checkouts without credentials and a `permissions` key; actionlint requires that a called
workflow exists. Only this module requires the version beside a pinned action, `permissions: {}` at the top, permissions
and a timeout for every job, nothing installed in a job that can sign in, `make` targets that exist, and tests on every
Python that pyproject.toml names.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HOME = Path(__file__).resolve().parents[2] / ".venv-infra" / "bin"
"""Where the tools are installed, from infra/requirements-checks.txt."""
FOLDER = ".github/workflows"
DEPENDABOT = ".github/dependabot.yml"
TOOLS = ("actionlint", "zizmor", "check-jsonschema")
USES_LINE = re.compile(r"^[\s-]*uses:\s*(?P<action>(?!\$/)\S+)(?P<comment>.*)$", re.MULTILINE)
VERSION_COMMENT = re.compile(r"\s+# v\d+(\.\d+)*\s*")
MAKE = re.compile(r"(?:^|[\s;&|])make((?:\s+[\w.=$\"'{}/-]+)+)")
INSTALL = re.compile(
    r"\b(?:pip3? install|npm (?:i|install|ci)|npx|pipx|uvx?|apt-get|az (?:bicep|extension)|make|curl|wget)\b[^\n]*"
    r"|[\w/-]+\.bicep\b"
)
"""What fetches code, or lets a tool fetch it: az downloads Bicep for a template that is not compiled."""
_AS_JSON = """
import json, sys
from ruamel.yaml import YAML
print(json.dumps({name: YAML(typ="safe").load(open(name, encoding="utf-8")) for name in sys.argv[1:]}, default=str))
"""


def tool(name: str) -> str:
    """The program, of our own environment before that of the machine. Raises FileNotFoundError."""
    if found := shutil.which(name, path=HOME) or shutil.which(name):
        return found
    raise FileNotFoundError(f"{name} is not there")


def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    names = sorted(path.relative_to(root).as_posix() for path in (root / FOLDER).glob("*.y*ml"))
    if not names:
        yield f"{FOLDER} has no workflow"
        return
    found = list(_tools(root, names))
    yield from found
    if any(line.startswith("check-jsonschema") for line in found):
        return  # what follows counts on the form
    python = str(Path(tool("check-jsonschema")).with_name("python"))  # it reads YAML, ours does not
    parsed = json.loads(_ran(root, [python, "-c", _AS_JSON, *names]).stdout)
    targets = set(re.findall(r"^([a-z][\w-]*):", (root / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name, workflow in parsed.items():
        yield from (f"{name}: {problem}" for problem in _versions((root / name).read_text("utf-8")))
        yield from (f"{name}: {problem}" for problem in _rights(workflow))
        yield from (f"{name}: {problem}" for problem in _installs(workflow))
        yield from (f"{name}: {problem}" for problem in _made(workflow, targets))
    yield from _pythons(root, parsed)


def _tools(root: Path, names: Sequence[str]) -> Iterator[str]:
    schema = [tool("check-jsonschema"), "--output-format", "text", "--builtin-schema"]
    commands = (
        [tool("actionlint"), "-no-color", "-oneline", "-shellcheck=", "-pyflakes=", *names],
        [
            tool("zizmor"),
            "--offline",
            "--quiet",
            "--strict-collection",
            "--no-progress",
            "--persona",
            "auditor",
            "--format",
            "github",
            ".github",
        ],
        [*schema, "vendor.github-workflows", *names],
        [*schema, "vendor.dependabot", DEPENDABOT],
    )
    for command in commands:
        yield from (f"{command[0].rpartition('/')[2]}: {line}" for line in _complaints(root, command))


def _complaints(root: Path, command: Sequence[str]) -> list[str]:
    """The error lines of a failed tool, from both streams; its exit code when it printed none."""
    ended = _ran(root, command)
    if ended.returncode == 0:
        return []
    lines = [line.strip() for line in (ended.stdout + ended.stderr).splitlines() if line.strip()]
    return lines or [f"ended with {ended.returncode}"]


def _ran(root: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - our own words


def _versions(text: str) -> Iterator[str]:
    for found in USES_LINE.finditer(text):
        if not VERSION_COMMENT.fullmatch(found["comment"]):
            yield f"{found['action']} has no comment with its version, like `# v1.2.3`"


def _rights(workflow: dict[str, Any]) -> Iterator[str]:
    if workflow.get("permissions") != {}:
        yield "`permissions: {}` is missing on top: a job gets what it names and nothing else"
    for name, job in workflow.get("jobs", {}).items():
        if "permissions" not in job:
            yield f"job {name} has no permissions"
        if "uses" not in job and "timeout-minutes" not in job:
            yield f"job {name} has no timeout-minutes"


def _installs(workflow: dict[str, Any]) -> Iterator[str]:
    """Code of a registry, once it runs beside a token, can use it."""
    for name, job in workflow.get("jobs", {}).items():
        if (job.get("permissions") or {}).get("id-token") == "write":
            text = "\n".join(str(step.get("run", "")) for step in job.get("steps", []))
            if found := INSTALL.search(text):
                yield f"job {name} can sign in and installs something: {found[0]}"


def _made(workflow: dict[str, Any], targets: set[str]) -> Iterator[str]:
    for name, job in workflow.get("jobs", {}).items():
        for step in job.get("steps", []):
            for words in MAKE.findall(step.get("run", "")):
                wanted = [word for word in words.split() if "=" not in word]
                yield from (f"job {name}: there is no make {word}" for word in wanted if word not in targets)


def _pythons(root: Path, parsed: dict[str, Any]) -> Iterator[str]:
    claims = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    claimed = {found[1] for claim in claims if (found := re.search(r":: Python :: (\d+\.\d+)$", claim))}
    jobs = [job for workflow in parsed.values() for job in workflow.get("jobs", {}).values()]
    tested = {str(each) for job in jobs for each in job.get("strategy", {}).get("matrix", {}).get("python", [])}
    for version in sorted(claimed ^ tested):
        claim, test = ("claims", "no workflow tests") if version in claimed else ("does not claim", "a workflow tests")
        yield f"Python {version}: pyproject.toml {claim} it, {test} it"
