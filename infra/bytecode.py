"""Compiles a packaged app for the Python that it is deployed on, so that a cold start does not.

Run on the system's Python, so it knows the standard library only. The files of Azure Functions are read-only and carry
no times, so Python could neither keep what it compiled nor check it by time: it would compile each module at each cold
start. The bytecode carries the hash of its source and is not compared with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from infra.app_package import RefusedError

if TYPE_CHECKING:
    from pathlib import Path

HOME = "/home/site/wwwroot"
"""Where the app lies in Azure: what a stack trace names."""
LEFT_OUT = r"/msgraph/generated/"
"""Thousands of modules, of which the app imports a part, when it first calls Graph."""


def interpreter(python: tuple[int, int]) -> str | None:
    """Return a Python of this version, or None.

    It is the one that runs this, or the one on the path.
    """
    if sys.version_info[:2] == python:
        return sys.executable
    found = shutil.which(f"python{python[0]}.{python[1]}")
    if found is None or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:  # noqa: S603 - found on the path
        return None
    return found


def compile_app(folder: Path, python: tuple[int, int]) -> bool:
    """Add the bytecode of all that a cold start imports; return False without a Python of this version.

    In that case, nothing is added. The same source and the same Python give the same bytes: one process, a fixed seed
    of hashes. Raises RefusedError.
    """
    running = interpreter(python)
    if running is None:
        return False
    paths = ("-s", str(folder), "-p", HOME, "-x", LEFT_OUT)
    command = [running, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", *paths, str(folder)]
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPYCACHEPREFIX": ""}
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder.parent, env=environment)  # noqa: S603 - our own words
    if ended.returncode:
        raise RefusedError(f"not compiled: {(ended.stdout or ended.stderr).strip().splitlines()[0]}")
    return True
