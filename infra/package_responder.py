"""Packages the responder for Azure Functions: one zip with the app and its Python packages.

Nothing is built in Azure: the packages are in the zip, as wheels for Linux and the app's Python, each with the SHA-256
that requirements.lock names. Run by `make package-responder` with the Python of the environment, which has pip.

Exit codes: 0 written; 2 called wrongly, or a package is not the one that is wanted; 3 the index could not be reached.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infra import app_package, bytecode, python_wheels
from infra.app_package import RefusedError

ROOT = Path(__file__).resolve().parent.parent
TOP = ("function_app.py", "host.json", "requirements.txt", "LICENSE")
SOURCE = "src/bypass_responder"
OWN = re.compile(r"(?!\.)(?:.*/)?[^/.]+\.(?:py|typed)|posture/.*\.json")
"""Code, and the baselines of mailbox auditing."""
PAGES = ("operating/report/", "operating/posture/page.py", "operating/standalone_page.py")
NOT_DEPLOYED = ("cli/", "console/", *PAGES, "posture/exports/")
"""bypassctl is for an operator's machine, the console a separate app; only these two write pages and read files."""
SITE_PACKAGES = ".python_packages/lib/site-packages"
"""Where the worker of Azure Functions looks for packages."""
DEPLOYED = (3, 13)
LEFT_OUT = re.compile(
    r"bin/.*|.*/__pycache__/.*|.*\.pyc|[^/]+/tests/.*|[^/]+\.dist-info/(?:RECORD|INSTALLER|REQUESTED|direct_url\.json)"
)
"""What pip writes about an installation, and the tests of packages. Licenses and entry points stay."""


@dataclass(frozen=True)
class PythonApp:
    """One function app in Python.

    ``files`` are its own, by name in the zip; the rest are paths in the checkout.
    """

    name: str
    files: Callable[[Path], dict[str, Path]]
    requirements: str
    lock: str


def own_files(root: Path) -> dict[str, Path]:
    """The app's own files, each by its name in the zip."""
    source = root / SOURCE
    modules = [name for name in app_package.files(source) if OWN.fullmatch(name)]
    kept = [name for name in modules if not name.startswith(NOT_DEPLOYED)]
    return {name: root / name for name in TOP} | {f"{SOURCE}/{name}": source / name for name in kept}


RESPONDER = PythonApp("responder", own_files, "requirements.txt", "infra/requirements.lock")


def build(given: argparse.Namespace, app: PythonApp) -> Path:
    """Fill a folder and write the zip, both under other names first; the zip."""
    log = app_package.logger(app.name)
    root, output, lock = given.root, given.output, given.lock or given.root / app.lock
    own = app.files(root)
    if missing := [name for name, path in own.items() if not path.is_file()]:
        raise RefusedError(f"{root} has no {', '.join(missing)}: it is no checkout of this app")
    python_wheels.require_agreement(root / app.requirements, lock, given.python_version)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=f"{app.name}-") as temporary:
        work = Path(temporary)
        log(f"packages for Python {'.'.join(map(str, given.python_version))} are fetched")
        python_wheels.install(lock, work / "installed", given.python_version)
        wheels = [name for name in app_package.files(work / "installed") if not LEFT_OUT.fullmatch(name)]
        app_package.copy_to(work / "app", own)
        app_package.copy_to(work / "app" / SITE_PACKAGES, {name: work / "installed" / name for name in wheels})
        if not bytecode.compile_app(work / "app", given.python_version):
            wanted = ".".join(map(str, given.python_version))
            log(f"there is no Python {wanted} here to compile with: each cold start compiles; PYTHON=python{wanted}")
        log("the zip is written")
        return app_package.publish(work / "app", work, output / f"{app.name}.zip")


def lock_only(given: argparse.Namespace, app: PythonApp) -> Path:
    """Rewrite the lock file; returns its path."""
    lock: Path = given.lock or given.root / app.lock
    with tempfile.TemporaryDirectory(prefix=f"{app.name}-lock-") as temporary:
        python_wheels.write_lock(given.root / app.requirements, lock, given.python_version, Path(temporary))
    return lock


def python_version(text: str) -> tuple[int, int]:
    """``3.13`` as numbers."""
    match = re.fullmatch(r"(\d+)\.(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no version such as 3.13")
    return int(match[1]), int(match[2])


def main(app: PythonApp = RESPONDER) -> int:
    """Read the command line; package, or write the lock file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write-lock", action="store_true", help="resolve requirements.txt and write the lock file")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    parser.add_argument("--lock", type=Path, help=f"the lock file (default: {app.lock})")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help=f"folder that gets {app.name}.zip")
    parser.add_argument("--python-version", type=python_version, default=DEPLOYED, help="Python of the app (3.13)")
    given = parser.parse_args()
    work = lock_only if given.write_lock else build
    return app_package.report(app_package.logger(app.name), lambda: work(given, app))


if __name__ == "__main__":
    sys.exit(main())
