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
from pathlib import Path

from infra import app_package, python_wheels
from infra.app_package import RefusedError

ROOT = Path(__file__).resolve().parent.parent
TOP = ("function_app.py", "host.json", "requirements.txt", "LICENSE")
SOURCE = "src/bypass_responder"
NOT_DEPLOYED = ("cli", "console")
"""bypassctl is for an operator's machine, the console an app of its own; what they need on top is not here."""
SITE_PACKAGES = ".python_packages/lib/site-packages"
"""Where the worker of Azure Functions looks for packages."""
DEPLOYED = (3, 13)
LEFT_OUT = re.compile(
    r"bin/.*|.*/__pycache__/.*|.*\.pyc|[^/]+/tests/.*|[^/]+\.dist-info/(?:RECORD|INSTALLER|REQUESTED|direct_url\.json)"
)
"""What pip writes about an installation, and the tests of packages. Licenses and entry points stay."""
log = app_package.logger("responder")


def own_files(root: Path) -> dict[str, Path]:
    """The app's own files, each by its name in the zip."""
    source = root / SOURCE
    modules = [name for name in app_package.files(source) if re.fullmatch(r"(?!\.)(?:.*/)?[^/.]+\.(?:py|typed)", name)]
    kept = [name for name in modules if name.split("/")[0] not in NOT_DEPLOYED]
    return {name: root / name for name in TOP} | {f"{SOURCE}/{name}": source / name for name in kept}


def build(given: argparse.Namespace) -> Path:
    """Fill a folder and write the zip, both under other names first; the zip."""
    root, output, lock = given.root, given.output, given.lock or given.root / "infra" / "requirements.lock"
    own = own_files(root)
    if missing := [name for name, path in own.items() if not path.is_file()]:
        raise RefusedError(f"{root} has no {', '.join(missing)}: it is no checkout of this app")
    python_wheels.require_agreement(root / "requirements.txt", lock, given.python_version)
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix="responder-") as temporary:
        work = Path(temporary)
        log(f"packages for Python {'.'.join(map(str, given.python_version))} are fetched")
        python_wheels.install(lock, work / "installed", given.python_version)
        wheels = [name for name in app_package.files(work / "installed") if not LEFT_OUT.fullmatch(name)]
        app_package.copy_to(work / "app", own)
        app_package.copy_to(work / "app" / SITE_PACKAGES, {name: work / "installed" / name for name in wheels})
        log("the zip is written")
        return app_package.publish(work / "app", work, output / "responder.zip")


def lock_only(given: argparse.Namespace) -> Path:
    """Rewrite requirements.lock; returns its path."""
    lock: Path = given.lock or given.root / "infra" / "requirements.lock"
    with tempfile.TemporaryDirectory(prefix="responder-lock-") as temporary:
        python_wheels.write_lock(given.root / "requirements.txt", lock, given.python_version, Path(temporary))
    return lock


def python_version(text: str) -> tuple[int, int]:
    """``3.13`` as numbers."""
    match = re.fullmatch(r"(\d+)\.(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no version such as 3.13")
    return int(match[1]), int(match[2])


def main() -> int:
    """Read the command line; package, or write the lock file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write-lock", action="store_true", help="resolve requirements.txt and write the lock file")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    parser.add_argument("--lock", type=Path, help="the lock file (default: infra/requirements.lock)")
    parser.add_argument("--output", type=Path, default=ROOT / "build", help="folder that gets responder.zip")
    parser.add_argument("--python-version", type=python_version, default=DEPLOYED, help="Python of the app (3.13)")
    given = parser.parse_args()
    return app_package.report(log, lambda: (lock_only if given.write_lock else build)(given))


if __name__ == "__main__":
    sys.exit(main())
