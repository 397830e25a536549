"""What is deployed: both packages are built and listed.

Nothing of the project around them is in them, and no package that the responder's packages require is missing. The
worker gets stand-ins for Microsoft's modules, which come from a gallery.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra import package_responder, python_wheels
from infra.package_responder import SITE_PACKAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTECODE = r"(?:.+/)?__pycache__/\w+\.cpython-313\.pyc"
"""What the packager compiled for the app's Python."""
RESPONDER = re.compile(
    r"function_app\.py|host\.json|requirements\.txt|LICENSE|src/bypass_responder/(?!cli/|console/|operating/report/)[\w/]+\.py|"
    r"src/bypass_responder/posture/[\w/.-]+\.json|"
    r"src/bypass_responder/py\.typed|"
    rf"{re.escape(SITE_PACKAGES)}/.+|{_BYTECODE}"
)
WORKER = re.compile(
    r"host\.json|profile\.ps1|ExchangeBypass/[\w/-]+\.(?:psd1|psm1|ps1)|"
    r"Exchange(?:Commands|Checks|Sweeps|Reads)/(?:function\.json|run\.ps1)|Modules/.+"
)
NOBODYS = re.compile(
    rf"(?!{_BYTECODE}$)(?:"
    r"(?:.*/)?(?:__pycache__|node_modules|\.venv|\.git)/.*|.*\.pyc|(?:.*/)?local\.settings[^/]*|"
    rf"{re.escape(SITE_PACKAGES)}/(?:(?:bin|tests|sandbox|bench|docs|bypass_responder)/.*|[^/]+/tests/.*))"
)
"""What belongs in neither, wherever it lies."""
RESPONDER_NEEDS = ("function_app.py", "host.json", "requirements.txt", "src/bypass_responder/bootstrap/__init__.py")
WORKER_NEEDS = ("host.json", "profile.ps1", "ExchangeBypass/ExchangeBypass.psd1")


def run(root: Path) -> Iterator[str]:
    """One line per problem."""
    with tempfile.TemporaryDirectory(prefix="packages-") as temporary:
        work = Path(temporary)
        yield from _responder(root, work)
        yield from _worker(root, work)


def _responder(root: Path, work: Path) -> Iterator[str]:
    if problem := _build("infra.package_responder", root, work):
        yield problem
        return
    with zipfile.ZipFile(work / "responder.zip") as archive:
        names = archive.namelist()
        about = [name for name in names if re.fullmatch(rf"{re.escape(SITE_PACKAGES)}/[^/]+\.dist-info/METADATA", name)]
        metadata = [archive.read(name).decode(errors="replace") for name in about]
    yield from _listed("responder.zip", names, RESPONDER, RESPONDER_NEEDS)
    yield from _required(root, metadata)


def _worker(root: Path, work: Path) -> Iterator[str]:
    app, modules = root / "src" / "exchange_worker", work / "modules"
    wanted = json.loads((app / "modules.lock.json").read_text(encoding="utf-8"))
    for name, module in wanted.items():
        (modules / name).mkdir(parents=True)
        (modules / name / f"{name}.psd1").write_text(f"@{{\nModuleVersion = '{module['version']}'\n}}\n")
    if problem := _build("infra.package_exchange_worker", root, work, MODULES_FROM=str(modules)):
        yield problem
        return
    with zipfile.ZipFile(work / "exchange-worker.zip") as archive:
        names = archive.namelist()
    functions = [path.parent.name for path in app.glob("*/function.json")]
    needs = [f"{function}/{file}" for function in functions for file in ("function.json", "run.ps1")]
    needs += [f"Modules/{name}/{name}.psd1" for name in wanted]
    yield from _listed("exchange-worker.zip", names, WORKER, (*WORKER_NEEDS, *needs))


def _build(module: str, root: Path, work: Path, **variables: str) -> str:
    """Build a package into ``work``; why it could not be, empty when it was."""
    others = {name: value for name, value in os.environ.items() if name not in {"MODULES_FROM", "GALLERY_URL"}}
    command, env = [sys.executable, "-m", module, "--output", str(work)], others | variables
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root, env=env)  # noqa: S603 - ours
    return f"{module} built nothing: {ended.stderr.strip().splitlines()[-1]}" if ended.returncode else ""


def _listed(package: str, names: list[str], allowed: re.Pattern[str], needs: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        if NOBODYS.fullmatch(name) or not allowed.fullmatch(name):
            yield f"{package} has {name}, which does not belong there"
    for name in sorted(set(needs) - set(names)):
        yield f"{package} has no {name}"


def _required(root: Path, metadata: list[str]) -> Iterator[str]:
    """What a package requires on the deployed Python, or requirements.txt asks for, and the zip lacks."""
    found = {canonicalize_name(_field(each, "Name")[0]): each for each in metadata}
    version = ".".join(map(str, package_responder.DEPLOYED))
    deployed = {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": "linux"}
    environment = {name: str(value) for name, value in default_environment().items()} | deployed | {"extra": ""}
    for name in python_wheels.wanted(root / "requirements.txt", package_responder.DEPLOYED):
        if name not in found:
            yield f"responder.zip has no package {name}, which requirements.txt asks for"
    for name, described in found.items():
        for requirement in map(Requirement, _field(described, "Requires-Dist")):
            applies = requirement.marker is None or requirement.marker.evaluate(environment)
            if applies and canonicalize_name(requirement.name) not in found:
                yield f"responder.zip has no package {requirement.name}, which {name} requires"


def _field(metadata: str, name: str) -> list[str]:
    return [line.strip() for line in re.findall(rf"^{name}: (.+)$", metadata, re.MULTILINE)]
