"""Bicep's result for every file: builds, lints and is formatted, with built-in resource types only.

The strict rules of infra/checks/bicepconfig.json apply here alone. An installation builds with Bicep's own defaults, so
that no rule, new or one that counts days, can refuse a released version.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from infra.checks import predicted
from infra.checks.unreadable import reported

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRIES = ("main.bicep", "events.bicep")
"""The linter follows their modules."""
STRICT = "infra/checks/bicepconfig.json"
ELSEWHERE = re.compile(r"'(?:br|ts)[:/]|^\s*extension\s|microsoftGraph", re.MULTILINE)
DISABLED = re.compile(r"#disable-(?:next-line|diagnostics)[^\n/]*(?P<why>//\s*\S.*)?$", re.MULTILINE)


@reported
def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    found = predicted.templates(root)
    if missing := [name for name in ENTRIES if root / "infra" / name not in found]:
        yield f"infra/{missing[0]} is not there"
        return
    yield from _linted(root)
    for path in found:
        text, name = path.read_text(encoding="utf-8"), path.relative_to(root).as_posix()
        if ELSEWHERE.search(text):
            yield f"{name}: a registry module or an extension, which is fetched at build time; use built-in types"
        if any(not match["why"] for match in DISABLED.finditer(text)):
            yield f"{name}: a disabled rule without its reason on the same line"
    yield from _formatted(root, found)


def _linted(root: Path) -> Iterator[str]:
    if list((root / "infra").glob("**/bicepconfig.json")) != [root / STRICT]:
        yield f"rules beside a template apply to installations as well; only {STRICT} has rules"
        return
    with tempfile.TemporaryDirectory(prefix="linted-") as temporary:
        copy = predicted.copied(root, Path(temporary))
        shutil.copy(root / STRICT, copy)
        for entry in ENTRIES:
            command = ["bicep", "lint", str(copy / entry)]
            ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a developer's tool
            for line in (ended.stdout + ended.stderr).splitlines():
                if re.search(r"\b(?:Error|Warning|Info)\b", line):
                    yield line.rpartition("/infra/")[2]


def _formatted(root: Path, found: list[Path]) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="formatted-") as temporary:
        copy = predicted.copied(root, Path(temporary))
        predicted.bicep("format", "--pattern", f"{copy}/**/*.bicep")
        for path in found:
            name = path.relative_to(root)
            if (Path(temporary) / name).read_text(encoding="utf-8") != path.read_text(encoding="utf-8"):
                yield f"{name.as_posix()}: not formatted; bicep format {name.as_posix()}"
