"""The Python app from a package instead of the checkout."""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class PackageError(Exception):
    """The package cannot be run here: why, in one line."""


def unpack(package: Path, folder: Path) -> Path:
    """Unpack a zip of `make package` into ``folder``, in place of what was there. Raises PackageError."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        with zipfile.ZipFile(package) as archive:
            names = archive.namelist()
            archive.extractall(folder)
    except (OSError, zipfile.BadZipFile) as error:
        raise PackageError(f"{package} cannot be unpacked ({error}): make package-responder") from error
    if "function_app.py" not in names:
        raise PackageError(f"{package} is not a package of the responder: it has no function_app.py")
    built_for = {match[1] for name in names if (match := re.search(r"\.cpython-3(\d+)-[^/]*\.so$", name))}
    if built_for and str(sys.version_info[1]) not in built_for:
        version = f"3.{min(built_for)}"
        raise PackageError(
            f"{package} is for Python {version}, this is 3.{sys.version_info[1]}: PYTHON=python{version}"
        )
    return folder
