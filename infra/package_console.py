"""Packages the console for Azure Functions, as package_responder.py does it for the responder."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from infra import app_package
from infra.package_responder import SOURCE, PythonApp, main

if TYPE_CHECKING:
    from pathlib import Path

SHELL = "src/console_app"
TOP = ("function_app.py", "host.json", "requirements.txt")
OWN = re.compile(r"(?!\.|cli/)(?:.*/)?[^/.]+\.(?:py|typed|html|css|js)")
"""Of the package: code, templates and assets. bypassctl is for an operator's machine."""


def own_files(root: Path) -> dict[str, Path]:
    """The console's own files, each by its name in the zip."""
    source = root / SOURCE
    kept = [name for name in app_package.files(source) if OWN.fullmatch(name)]
    top = {name: root / SHELL / name for name in TOP} | {"LICENSE": root / "LICENSE"}
    return top | {f"{SOURCE}/{name}": source / name for name in kept}


CONSOLE = PythonApp("console", own_files, f"{SHELL}/requirements.txt", "infra/requirements-console.lock")

if __name__ == "__main__":
    sys.exit(main(CONSOLE))
